package phrases

import (
	"strings"
	"testing"

	"github.com/getto-systems/psycher/deploy"
)

func TestALockOfOnesOwnIsCalledSo(t *testing.T) {
	lock := func(by string) deploy.Known { return deploy.Known{Target: "app", State: deploy.Locked, By: by} }
	running := deploy.Known{Target: "app", State: deploy.Running, By: "U2B"}
	for name, row := range map[string]struct {
		known []deploy.Known
		isOwn bool
	}{
		"their own":                     {[]deploy.Known{lock("U1A")}, true},
		"theirs, and a deploy runs":     {[]deploy.Known{lock("U1A"), running}, true},
		"somebody else's":               {[]deploy.Known{lock("U2B")}, false},
		"theirs and somebody else's":    {[]deploy.Known{lock("U1A"), lock("U2B")}, false},
		"it is not known which it is":   {nil, false},
		"only a deploy of theirs is it": {[]deploy.Known{{Target: "app", State: deploy.Running, By: "U1A"}}, false},
	} {
		for lang, p := range voices(t) {
			text := p.Text(deploy.Message{ID: deploy.MsgLocked, Target: "app", User: "U1A", Known: row.known})
			if strings.Contains(text, p.word("own-lock")) != row.isOwn {
				t.Errorf("%s, %s: %s", name, lang, text)
			}
		}
	}
}

func TestStatusAndPendingTellWhatADeployTakes(t *testing.T) {
	four := []string{"U1A", "U2B", "U3C", "U4D"}
	for name, row := range map[string]struct {
		rules  deploy.Rules
		ja, en string
	}{
		"it is confirmed": {
			deploy.Rules{Target: "app", Confirm: true},
			"`app`: 始める前に、出るコミットを確認します", "`app`: the commit is confirmed first",
		},
		"one person approves it": {
			deploy.Rules{Target: "app", Confirm: true, Approvals: 1},
			"`app`: 始める前に 1 人の承認が必要です", "`app`: needs 1 approval",
		},
		"some people approve it": {
			deploy.Rules{Target: "app", Confirm: true, Approvals: 2, Approvers: four[:3]},
			"`app`: 始める前に 2 人の承認が必要です（<@U1A>, <@U2B>, <@U3C>）", "`app`: needs 2 approvals, by <@U1A>, <@U2B>, <@U3C>",
		},
		"few may deploy it": {
			deploy.Rules{Target: "app", Allow: []string{"U1A", "@ops"}},
			"`app`: リリースできるのは <@U1A>, `@ops` だけです", "`app`: only <@U1A>, `@ops` may deploy it",
		},
		"many may, and one approves": {
			deploy.Rules{Target: "app", Allow: four, Confirm: true, Approvals: 1},
			"`app`: リリースできるのは <@U1A>, <@U2B>, <@U3C>, … だけです · 始める前に 1 人の承認が必要です",
			"`app`: only <@U1A>, <@U2B>, <@U3C>, … may deploy it · needs 1 approval",
		},
	} {
		for lang, p := range voices(t) {
			want := map[string]string{"ja": row.ja, "en": row.en}[lang]
			for _, id := range []deploy.MessageID{deploy.MsgStatus, deploy.MsgPending} {
				m := deploy.Message{ID: id, Target: "app", Rules: []deploy.Rules{row.rules}}
				if text := p.Text(m); !strings.HasSuffix(text, "\n"+want) {
					t.Errorf("%s: %s says %s, want %s", name, id, text, want)
				}
				without := m
				without.Rules = nil
				if text := p.Text(without); text+"\n"+want != p.Text(m) {
					t.Errorf("without rules %s says %s", id, text)
				}
			}
		}
	}
}
