package phrases

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/messages"
)

// shown is a message as it is shown, what is small in parentheses.
func shown(p Voice, m deploy.Message) (all []string) {
	for _, part := range p.Parts(m) {
		if part.Small {
			part.Text = "(" + part.Text + ")"
		}
		all = append(all, part.Text)
	}
	return all
}

func TestAStatusMessageReadsWellWithWhatIsKnown(t *testing.T) {
	commit := deploy.Commit{SHA: "3f2a9c1b5d7e8f90", Title: "Fix the login page", URL: "https://git/c"}
	before := &deploy.Success{Commit: deploy.Commit{SHA: "9f8e7d6c5b4a3928"}, By: "U0SATO", At: 1699900000}
	at := "<!date^1699900000^{date_short_pretty} {time}|2023-11-13 18:26 UTC>"
	for _, row := range []struct {
		name   string
		m      deploy.Message
		ja, en string
	}{
		{
			"without a token",
			deploy.Message{ID: deploy.MsgStatusRunning, For: "U0YAMADA", URL: "https://git/p", Progress: &deploy.Progress{Commit: deploy.Commit{SHA: commit.SHA}}},
			"🚀 *リリース中* `app` (`master`) 3f2a9c1 — <@U0YAMADA>\n(<https://git/p|パイプライン>)",
			"🚀 *Deploying* `app` (`master`) 3f2a9c1 — <@U0YAMADA>\n(<https://git/p|pipeline>)",
		},
		{
			"nothing",
			deploy.Message{ID: deploy.MsgStatusRunning},
			"🚀 *リリース中* `app` (`master`)", "🚀 *Deploying* `app` (`master`)",
		},
		{
			"how long it usually takes",
			deploy.Message{ID: deploy.MsgStatusRunning, Progress: &deploy.Progress{Commit: commit, Elapsed: 80, Usual: 170}},
			"🚀 *リリース中* `app` (`master`) <https://git/c|3f2a9c1> Fix the login page\n(1分20秒経過、いつもは約3分)",
			"🚀 *Deploying* `app` (`master`) <https://git/c|3f2a9c1> Fix the login page\n(1m20s of about 3m)",
		},
		{
			"GitLab does not answer",
			deploy.Message{ID: deploy.MsgStatusRunning, Progress: &deploy.Progress{Elapsed: 80, Usual: 170, Unseen: 1699900000}},
			"🚀 *リリース中* `app` (`master`)\n(<!date^1699900000^{time}|18:26 UTC> から GitLab の応答がなく、どこまで進んだかわかりません)",
			"🚀 *Deploying* `app` (`master`)\n(GitLab hasn't answered since <!date^1699900000^{time}|18:26 UTC>: not known how it goes)",
		},
		{
			"pressed by another",
			deploy.Message{ID: deploy.MsgStatusRunning, For: "U0YAMADA", By: "U0SATO"},
			"🚀 *リリース中* `app` (`master`) — <@U0YAMADA>（<@U0SATO> さんがボタンを押しました）",
			"🚀 *Deploying* `app` (`master`) — <@U0YAMADA> (<@U0SATO> pressed the button)",
		},
		{
			"approved by others",
			deploy.Message{ID: deploy.MsgStatusRunning, For: "U0YAMADA", Approved: []string{"U0SATO", "U0ITO"}},
			"🚀 *リリース中* `app` (`master`) — <@U0YAMADA>（承認: <@U0SATO>, <@U0ITO>）",
			"🚀 *Deploying* `app` (`master`) — <@U0YAMADA> (approved by <@U0SATO>, <@U0ITO>)",
		},
		{
			"failed",
			deploy.Message{ID: deploy.MsgStatusFailed, For: "U0YAMADA", Took: 72, Progress: &deploy.Progress{
				Commit: commit, Before: before, Failed: &deploy.Job{Name: "deploy:production", Reason: "failed_outdated_deployment_job", URL: "https://git/j"},
			}},
			"❌ *失敗* `app` <https://git/c|3f2a9c1> — <@U0YAMADA>、<https://git/j|deploy:production>（もっと新しいリリースが先に出たので、こちらは出していません）、1分12秒\n(前回の成功は 9f8e7d6、" + at + "、<@U0SATO> · <https://git/j|ジョブのログ>)",
			"❌ *Failed* `app` <https://git/c|3f2a9c1> — <@U0YAMADA>, <https://git/j|deploy:production> (not deployed: a newer deploy was faster), 1m12s\n(last success 9f8e7d6, " + at + ", <@U0SATO> · <https://git/j|job log>)",
		},
		{
			"failed for a reason of tomorrow",
			deploy.Message{ID: deploy.MsgStatusFailed, Progress: &deploy.Progress{Failed: &deploy.Job{Name: "deploy", Reason: "of_tomorrow"}}},
			"❌ *失敗* `app` (`master`)、 `deploy`", "❌ *Failed* `app` (`master`), `deploy`",
		},
		{
			"succeeded",
			deploy.Message{ID: deploy.MsgStatusSucceeded, For: "U0YAMADA", Took: 168, URL: "https://git/p", Progress: &deploy.Progress{
				Commit: commit, Commits: &deploy.Commits{Count: 3, Compare: "https://git/d"}, Stages: []deploy.Stage{{Name: "deploy", Status: "success"}},
			}},
			"✅ *リリースしました* `app` <https://git/c|3f2a9c1> — <@U0YAMADA>、3 件、2分48秒\n(<https://git/d|差分> · <https://git/p|パイプライン>)",
			"✅ *Deployed* `app` <https://git/c|3f2a9c1> — <@U0YAMADA>, 3 commits, 2m48s\n(<https://git/d|compare> · <https://git/p|pipeline>)",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.m.Target, row.m.Ref = "app", "master"
			for lang, p := range voices(t) {
				want := map[string]string{"ja": row.ja, "en": row.en}[lang]
				if diff := cmp.Diff(want, strings.Join(shown(p, row.m), "\n")); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestWhatGoesOut(t *testing.T) {
	first := []deploy.Commit{{Title: "Fix the login page", Author: "yamada"}, {Title: "Copy fixes"}, {Title: "Faster CI", Author: "ito"}}
	for _, row := range []struct {
		commits *deploy.Commits
		before  *deploy.Success
		want    string
	}{
		{nil, nil, ""},
		{&deploy.Commits{Count: 1, First: first[:1], Compare: "https://git/d"}, nil, "1 commit: Fix the login page (yamada) · <https://git/d|compare>"},
		{&deploy.Commits{Count: 3, First: first}, nil, "3 commits: Fix the login page (yamada), Copy fixes, Faster CI (ito)"},
		{&deploy.Commits{Count: 4, First: first}, nil, "4 commits: Fix the login page (yamada), Copy fixes, Faster CI (ito), …"},
		{&deploy.Commits{Count: 100, More: true, First: first[:1]}, nil, "100+ commits: Fix the login page (yamada), …"},
		{&deploy.Commits{Count: 2}, nil, "2 commits"},
		{&deploy.Commits{Back: true, Compare: "https://git/d"}, &deploy.Success{}, "Goes back to an older commit · <https://git/d|compare>"},
		{&deploy.Commits{}, &deploy.Success{}, "Same commit as the last success"},
		{&deploy.Commits{}, nil, ""},
	} {
		m := deploy.Message{ID: deploy.MsgStatusRunning, Progress: &deploy.Progress{Commits: row.commits, Before: row.before}}
		if got := strings.Join(shown(voices(t)["en"], m)[1:], "\n"); got != row.want {
			t.Errorf("%+v: %q, not %q", row.commits, got, row.want)
		}
	}
}

func TestStagesFitIntoOneLine(t *testing.T) {
	all := strings.Split("a b c d e f g h i j k l", " ")
	for _, row := range []struct {
		done   int    // so many stages have succeeded
		status string // of the next
		n      int
		want   string
	}{
		{2, "running", 4, "a ✓ › b ✓ › *c ⏳* › d"},
		{2, "failed", 4, "a ✓ › b ✓ › <https://git/j|c ✗> › d"},
		{2, "manual", 3, "a ✓ › b ✓ › c ✋"},
		{3, "success", 3, "a ✓ › b ✓ › c ✓"},
		{8, "", 8, "a ✓ › b ✓ › c ✓ › d ✓ › e ✓ › f ✓ › g ✓ › h ✓"},
		{0, "running", 11, "*a ⏳* › b › c › d › e › f › g › h › +3"},
		{6, "running", 12, "+2 › c ✓ › d ✓ › e ✓ › f ✓ › *g ⏳* › h › i › j › +2"},
		{11, "running", 12, "+4 › e ✓ › f ✓ › g ✓ › h ✓ › i ✓ › j ✓ › k ✓ › *l ⏳*"},
		{12, "", 12, "+4 › e ✓ › f ✓ › g ✓ › h ✓ › i ✓ › j ✓ › k ✓ › l ✓"},
		{0, "", 0, ""},
	} {
		p := deploy.Progress{Failed: &deploy.Job{Name: "job", Stage: "c", URL: "https://git/j"}}
		for i, name := range all[:row.n] {
			status := "created"
			switch {
			case i < row.done:
				status = "success"
			case i == row.done:
				status = row.status
			}
			p.Stages = append(p.Stages, deploy.Stage{Name: name, Status: status})
		}
		m := deploy.Message{ID: deploy.MsgStatusRunning, Progress: &p}
		if got := strings.Join(shown(voices(t)["en"], m)[1:], "\n"); got != row.want {
			t.Errorf("%d of %d: %q, not %q", row.done, row.n, got, row.want)
		}
	}
}

func TestReasonsHaveWordsInBothLanguages(t *testing.T) {
	var all [2][]string
	for i, lang := range []string{"ja", "en"} {
		for _, line := range voices(t)[lang]["reason"] {
			name, _, _ := strings.Cut(line, " ")
			all[i] = append(all[i], name)
		}
	}
	if diff := cmp.Diff(all[0], all[1]); diff != "" || len(all[0]) < 30 || len(slices.Compact(slices.Sorted(slices.Values(all[0])))) < len(all[0]) {
		t.Errorf("%d reasons: %s", len(all[0]), diff)
	}
}

// The person is told how to try again, unless there is a button for it.
func TestAFailureNamesTheJobAndWhatToDo(t *testing.T) {
	for lang, retry := range map[string]string{"ja": "もう一度「リリース」", "en": "“release” again"} {
		for seed := range uint32(3) {
			m := messages.Samples(deploy.MsgFailed)[0]
			m.Seed = seed
			text := voices(t)[lang].Text(m)
			for _, part := range []string{"<@U0HANAKO>", "`app`", "3f2a9c1", "`deploy:production`", voices(t)[lang].entry("reason", "script_failure"), "/jobs/31|"} {
				if !strings.Contains(text, part) {
					t.Errorf("without %s: %s", part, text)
				}
			}
			if strings.Contains(text, retry) {
				t.Errorf("there is a button for it: %s", text)
			}
			m.Progress = nil
			if text := voices(t)[lang].Text(m); !strings.Contains(text, retry) || strings.ContainsAny(text, "{}") {
				t.Errorf("does not say how to try again: %s", text)
			}
		}
	}
}

// An answer to a stop says once what runs, and points to the button where there is one.
func TestAStopSaysHowToStopWhatRuns(t *testing.T) {
	for lang, by := range map[string]struct{ button, gitlab string }{"ja": {"下のボタンか GitLab で", "GitLab で"}, "en": {"with a button below or in GitLab", "in GitLab"}} {
		for seed := range uint32(4) {
			m := deploy.Message{ID: deploy.MsgStop, Seed: seed, Known: []deploy.Known{{Target: "app", SHA: "3f2a9c1", State: deploy.Running}}}
			without := voices(t)[lang].Parts(m)
			m.Buttons = []deploy.Button{{Do: deploy.KindCancel, Target: "app", Ref: "#1002"}}
			with := voices(t)[lang].Parts(m)
			if len(with) != 1 || strings.Count(with[0].Text, "3f2a9c1") != 1 || !strings.Contains(with[0].Text, by.button) {
				t.Errorf("with a button: %+v", with)
			}
			if len(without) != 1 || strings.Contains(without[0].Text, by.button) || !strings.Contains(without[0].Text, by.gitlab) {
				t.Errorf("without one: %+v", without)
			}
		}
	}
}

func TestLabels(t *testing.T) {
	const now = 1700000000
	status := deploy.Message{ID: deploy.MsgStatusFailed, Target: "app", Ref: "master", Progress: &deploy.Progress{Before: &deploy.Success{
		Commit: deploy.Commit{SHA: "9f8e7d6c5b4a", Title: "Fix <b>", Author: "sato"}, At: now - 19*3600 - 240,
	}}}
	ask := deploy.Message{ID: deploy.MsgUnclear}
	back := deploy.Button{Do: deploy.KindRollback, Target: "app", SHA: "9f8e7d6c5b4a"}
	unknown := back
	unknown.SHA = "1234567890ab"
	for _, row := range []struct {
		m      deploy.Message
		b      deploy.Button
		en, ja Label
	}{
		{ask, deploy.Button{}, Label{Text: "No"}, Label{Text: "やめる"}},
		{ask, deploy.Button{Do: deploy.KindDeploy, Target: "app", Ref: "master"}, Label{Text: "Deploy app (master)"}, Label{Text: "app (master) をリリース"}},
		{ask, back, Label{Text: "Roll back to 9f8e7d6", Reader: "Roll back to 9f8e7d6: app"}, Label{Text: "9f8e7d6 に戻す", Reader: "app を 9f8e7d6 に戻す"}},
		{
			ask,
			deploy.Button{Do: deploy.KindCancel, Target: "app", Ref: "#1002"},
			Label{Text: "Cancel #1002…", Reader: "Cancel deploying app", Confirm: []string{"Cancel this deploy?", "This cancels pipeline #1002, which deploys app. What it has done so far is not undone.", "Cancel it", "Keep it running"}},
			Label{Text: "#1002 を中止…", Reader: "app のリリースを中止する", Confirm: []string{"リリースを中止しますか？", "app のパイプライン #1002 を中止します。そこまでに済んだことは、元に戻りません。", "中止する", "リリースを続ける"}},
		},
		{
			status,
			deploy.Button{Do: deploy.KindCancel},
			Label{Text: "Cancel…", Reader: "Cancel deploying app (master)", Confirm: []string{"Cancel this deploy?", "This cancels the pipeline, which deploys app (master). What it has done so far is not undone.", "Cancel it", "Keep it running"}},
			Label{Text: "中止…", Reader: "app (master) のリリースを中止する", Confirm: []string{"リリースを中止しますか？", "app (master) のパイプラインを中止します。そこまでに済んだことは、元に戻りません。", "中止する", "リリースを続ける"}},
		},
		{status, deploy.Button{Do: deploy.KindRetry}, Label{Text: "Retry", Reader: "Retry: deploy app (master) again"}, Label{Text: "もう一度", Reader: "app (master) をもう一度リリースする"}},
		{status, deploy.Button{Do: deploy.KindOpen, URL: "https://app/?a=1&b=2"}, Label{Text: "Open", Reader: "Open app", URL: "https://app/?a=1&b=2"}, Label{Text: "開く", Reader: "app を開く", URL: "https://app/?a=1&b=2"}},
		{status, deploy.Button{Do: deploy.KindOpen, URL: "javascript:x"}, Label{Text: "Open", Reader: "Open app"}, Label{Text: "開く", Reader: "app を開く"}},
		{
			status, back,
			Label{Text: "Roll back to 9f8e7d6…", Reader: "Roll back to 9f8e7d6: app", Confirm: []string{"Roll back?", "This takes app back to 9f8e7d6: “Fix <b>” (sato, 19h ago).", "Roll back", "No"}},
			Label{Text: "9f8e7d6 に戻す…", Reader: "app を 9f8e7d6 に戻す", Confirm: []string{"前のコミットに戻しますか？", "app を 9f8e7d6「Fix <b>」（sato、19時間前）に戻します。", "戻す", "やめる"}},
		},
		{
			status, unknown,
			Label{Text: "Roll back to 1234567…", Reader: "Roll back to 1234567: app", Confirm: []string{"Roll back?", "This takes app back to 1234567.", "Roll back", "No"}},
			Label{Text: "1234567 に戻す…", Reader: "app を 1234567 に戻す", Confirm: []string{"前のコミットに戻しますか？", "app を 1234567 に戻します。", "戻す", "やめる"}},
		},
	} {
		for lang, p := range voices(t) {
			if diff := cmp.Diff(map[string]Label{"ja": row.ja, "en": row.en}[lang], p.Label(row.m, row.b, now)); diff != "" {
				t.Errorf("%s of %s: %s", row.b.Do, row.m.ID, diff)
			}
		}
	}
}
