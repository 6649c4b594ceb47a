package phrases

import (
	"strings"
	"testing"

	"github.com/getto-systems/psycher/deploy"
)

func TestStatusAndPendingTellWhatADeployTakes(t *testing.T) {
	four := []string{"U1A", "U2B", "U3C", "U4D"}
	for name, row := range map[string]struct {
		rules  deploy.Rules
		ja, en string
	}{
		"it is confirmed": {
			deploy.Rules{Target: "app", Confirm: true},
			"`app` の決まり: 始める前に、出るコミットを確認", "`app`: the commit is confirmed first",
		},
		"one person approves it": {
			deploy.Rules{Target: "app", Confirm: true, Approvals: 1},
			"`app` の決まり: 始める前に 1 人の承認が必要", "`app`: 1 approval is needed",
		},
		"some people approve it": {
			deploy.Rules{Target: "app", Confirm: true, Approvals: 2, Approvers: four[:3]},
			"`app` の決まり: 始める前に 2 人の承認が必要（<@U1A>, <@U2B>, <@U3C>）", "`app`: 2 approvals are needed, by <@U1A>, <@U2B>, <@U3C>",
		},
		"few may deploy it": {
			deploy.Rules{Target: "app", Allow: []string{"U1A", "@ops"}},
			"`app` の決まり: リリースできるのは <@U1A>, `@ops` だけ", "`app`: only <@U1A>, `@ops` may deploy it",
		},
		"many may, and one approves": {
			deploy.Rules{Target: "app", Allow: four, Confirm: true, Approvals: 1},
			"`app` の決まり: リリースできるのは <@U1A>, <@U2B>, <@U3C>, … だけ · 始める前に 1 人の承認が必要",
			"`app`: only <@U1A>, <@U2B>, <@U3C>, … may deploy it · 1 approval is needed",
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
