package words

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/deploy"
)

// sentence is what somebody writes, and what is understood: the answer's name,
// "deploy", or "ask" where any answer but a deploy will do.
type sentence struct{ text, want string }

// theirs are the targets of other channels in these tests.
func theirs(name string) bool {
	return oneOf(name, "api", "billing-web", "管理画面", "さくら", "group/tool")
}

func understood(i deploy.Intent) string {
	if i.Deploys() {
		return "deploy"
	}
	return string(i.Answer)
}

func check(t *testing.T, all []sentence, here ...string) {
	t.Helper()
	for _, s := range all {
		t.Run(s.text, func(t *testing.T) {
			mention := "<@U0BOT> "
			if strings.HasPrefix(s.text, "&gt;") {
				mention = "<@U0BOT>\n"
			}
			got := Understand(markup.Parse(mention+s.text), here, theirs)
			if u := understood(got); u != s.want && (s.want != "ask" || u == "deploy") {
				t.Errorf("%q: got %s (%q, target %q), want %s", s.text, u, got.Word, got.Target, s.want)
			}
		})
	}
}

func TestDeployWordsCountHoweverTheyAreWritten(t *testing.T) {
	check(t, []sentence{
		{"リリース", "deploy"},
		{"デプロイ", "deploy"},
		{"release", "deploy"},
		{"deploy", "deploy"},
		{"RELEASE", "deploy"},
		{"ｒｅｌｅａｓｅ", "deploy"},
		{"ﾘﾘｰｽ", "deploy"},
		{"ﾃﾞﾌﾟﾛｲお願いします", "deploy"},
		{"*release*", "deploy"},
		{"_release_してください", "deploy"},
		{"リリー\u200bスして", "deploy"},
		{"please\u00a0release", "deploy"},
		{"released", "unknown"},
		{"prerelease", "unknown"},
		{"pre-release", "unknown"},
		{"release_key", "unknown"},
		{"よろ", "greet"},
		{"よろしく", "greet"},
		{"リリースよろしく", "deploy"},
		{"", "unknown"},
		{"こんにちは", "unknown"},
	}, "app")
}

func TestWordsInCodeQuotesAndLinksDoNotCount(t *testing.T) {
	check(t, []sentence{
		{"`release`", "unknown"},
		{"```\nrelease\n```", "unknown"},
		{"「リリース」って何", "unknown"},
		{"\"release\"", "unknown"},
		{"“release”", "unknown"},
		{"&gt; リリースして\n了解です", "unknown"},
		{"&gt;&gt;&gt; わかりました\nリリースして", "unknown"},
		{"<https://example.com/release>", "unknown"},
		{"<https://example.com/release|example.com/release>", "unknown"},
		{"https://example.com/release", "unknown"},
		{":release:", "unknown"},
		{"~リリースして~", "unknown"},
		{"<#C123|release>", "unknown"},
		{"<!subteam^S1|@release>", "unknown"},
		{"<https://example.com/mr/12|MR 12> をリリースして", "deploy"},
		{"&gt; 中止しますか？\nリリースして", "deploy"},
		{"「キャンセル」ボタンの修正をリリースして", "deploy"},
		{"release R&amp;D fix", "deploy"},
		{":rocket: リリース :pray:", "deploy"},
	}, "app")
}

func TestWhatHoldsADeployBack(t *testing.T) {
	check(t, []sentence{
		{"リリース止めて", "stop"},
		{"リリースストップ", "stop"},
		{"リリース中止", "stop"},
		{"リリースキャンセル", "stop"},
		{"リリース待って", "stop"},
		{"リリース延期で", "stop"},
		{"リリース見送りで", "stop"},
		{"リリース不要です", "stop"},
		{"リリース戻して", "stop"},
		{"リリースロールバックして", "stop"},
		{"stop the release", "stop"},
		{"cancel the deploy", "stop"},
		{"abort deploy", "stop"},
		{"hold the release", "stop"},
		{"wait with the release", "stop"},
		{"revert the release", "stop"},
		{"roll back the release", "stop"},
		{"undo the deploy", "stop"},

		{"リリースしないで", "negated"},
		{"リリースしません", "negated"},
		{"リリースするな", "negated"},
		{"don't release", "negated"},
		{"don’t release", "negated"},
		{"do not deploy", "negated"},
		{"we can't release today", "negated"},
		{"never deploy", "negated"},
		{"do not release yet", "negated"},
		{"let's not deploy", "negated"},

		{"リリースした？", "past"},
		{"リリースしました", "past"},
		{"リリースされてますか", "past"},
		{"リリース済み", "past"},
		{"リリース終わった", "past"},
		{"リリースまだ？", "past"},
		{"リリース失敗してる", "past"},
		{"リリースありがとう！", "past"},
		{"リリースいつ？", "past"},
		{"did the release work", "past"},
		{"was the deploy ok?", "past"},
		{"has the deploy finished?", "past"},
		{"deploy failed", "past"},
		{"thanks for the release", "past"},
		{"deploy status", "past"},

		{"どうやってリリースするの", "how"},
		{"誰がリリースする？", "how"},
		{"リリースしていい？", "how"},
		{"リリースしてもよろしいですか", "how"},
		{"how do I deploy?", "how"},
		{"who runs the deploy?", "how"},
		{"why deploy?", "how"},
		{"may I release?", "how"},

		{"明日リリースして", "later"},
		{"来週リリースお願いします", "later"},
		{"あとでリリースして", "later"},
		{"18時にリリースして", "later"},
		{"リリース予定です", "later"},
		{"テスト通ったらリリースして", "later"},
		{"明日の朝リリースお願い", "later"},
		{"release tomorrow", "later"},
		{"deploy later", "later"},
		{"deploy at 6pm", "later"},
		{"release tonight", "later"},
		{"deploy if tests pass", "later"},
		{"if tests pass, release", "later"},
		{"once QA is finished, deploy", "later"},
		{"リリースして。テストが通れば", "later"},

		{"リリースノート書いて", "other"},
		{"リリース日を決めたい", "other"},
		{"デプロイ手順", "other"},
		{"デプロイ手順教えて", "other"},
		{"release notes", "other"},
		{"release candidate", "other"},
		{"stagingにデプロイ", "other"},
		{"release v1.2.3", "other"},
		{"release 1.2.3", "other"},
		{"release api", "other"},
		{"apiをリリース", "other"},
		{"feature/x をデプロイ", "other"},
		{"このブランチをデプロイ", "other"},
		{"管理画面をリリースして", "other"},

		{"さっきのリリース戻せる？", "stop"},
	}, "app")
}

func TestNearMissesAskWhatWasMeant(t *testing.T) {
	check(t, []sentence{
		{"リリ一スして", "near-miss"},
		{"リリーズお願いします", "near-miss"},
		{"デブロイして", "near-miss"},
		{"relase please", "near-miss"},
		{"depoly", "near-miss"},
		{"リリ-スよろしく", "near-miss"},
		{"りりーすして", "near-miss"},
		{"Redeploy please", "near-miss"},
	}, "app")
}

func TestOrdinaryRequestsDeploy(t *testing.T) {
	check(t, []sentence{
		{"リリースお願いできますか？", "deploy"},
		{"デプロイしてもらえる？", "deploy"},
		{"マージしました。リリースお願いします", "deploy"},
		{"レビュー終わったのでデプロイして", "deploy"},
		{"いつもお世話になってます、リリースお願いします", "deploy"},
		{"やまださんのPRリリースして", "deploy"},
		{"はやめにリリースお願い", "deploy"},
		{"予定通りリリースして", "deploy"},
		{"キャンセル機能をリリースして", "deploy"},
		{"could you release app, please?", "deploy"},
		{"PR was merged, please release", "deploy"},
		{"QA has approved, deploy", "deploy"},
		{"今リリースして", "deploy"},
		{"今すぐデプロイ", "deploy"},
		{"もう一回リリースして", "deploy"},
		{"再リリースお願いします", "deploy"},
		{"リリースをお願いいたします。", "deploy"},
		{"deploy now", "deploy"},
		{"deploy again please", "deploy"},
		{"can you deploy?", "deploy"},
		{"please release it when you can", "deploy"},
		{"tests passed so release", "deploy"},
	}, "app")
}

func TestTargetsAreChosenByName(t *testing.T) {
	for _, c := range []struct {
		name, text   string
		here         []string
		want, target string
	}{
		{"one target needs no name", "リリースして", []string{"app"}, "deploy", "app"},
		{"of several, the named", "apiをリリース", []string{"app", "api"}, "deploy", "api"},
		{"none named", "リリースして", []string{"app", "api"}, "which-target", ""},
		{"two named", "appとapiをリリース", []string{"app", "api"}, "which-target", ""},
		{"no target here", "リリースして", nil, "no-target", ""},
		{"no target here, held back", "リリースしないで", nil, "negated", ""},
		{"the longest name wins", "app-webをリリース", []string{"app", "app-web"}, "deploy", "app-web"},
		{"a name is not in a longer word", "webappをリリース", []string{"app", "api"}, "which-target", ""},
		{"nor in one with a hyphen", "release app-web", []string{"app", "api"}, "which-target", ""},
		{"kanji names are found in kanji", "新会員画面をリリース", []string{"会員画面", "api"}, "deploy", "会員画面"},
		{"the longest in kanji, too", "会員画面をリリース", []string{"会員", "会員画面"}, "deploy", "会員画面"},
		{"full width and case", "ＡＰＩをリリース", []string{"app", "Api"}, "deploy", "Api"},
		{"a target named release counts as both", "release", []string{"release", "app"}, "deploy", "release"},
		{"release-notes is a name, no deploy word", "release-notes", []string{"release-notes", "app"}, "unknown", ""},
		{"release release-notes", "release release-notes", []string{"release-notes", "app"}, "deploy", "release-notes"},
		{"リリースノート as a target", "リリースノートをリリースして", []string{"リリースノート", "app"}, "deploy", "リリースノート"},
		{"staging as a target", "stagingにデプロイ", []string{"staging", "app"}, "deploy", "staging"},
		{"stop-app is no stop", "release stop-app", []string{"stop-app", "app"}, "deploy", "stop-app"},
		{"a name in code", "`api` をリリース", []string{"app", "api"}, "deploy", "api"},
		{"of another channel", "release billing-web", []string{"app"}, "other", "app"},
		{"of another channel, in code", "release `billing-web`", []string{"app"}, "other", "app"},
		{"of another channel, a longer name", "管理画面をリリース", []string{"管理"}, "other", "管理"},
		{"held back tells the target", "リリースしないで", []string{"app"}, "negated", "app"},
		{"held back tells the named", "apiはリリースしないで", []string{"app", "api"}, "negated", "api"},
		{"a name with a dot", "release app.js", []string{"app.js", "api"}, "deploy", "app.js"},
		{"named in another clause", "apiを直しました。リリースして", []string{"app", "api"}, "deploy", "api"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Understand(markup.Parse(c.text), c.here, theirs)
			if understood(got) != c.want || got.Target != c.target {
				t.Errorf("%q: got %s, target %q (%q), want %s, target %q", c.text, understood(got), got.Target, got.Word, c.want, c.target)
			}
		})
	}
}

func TestTheDecidingWordIsReturnedAsWritten(t *testing.T) {
	for _, c := range []struct{ text, word string }{
		{"ﾘﾘｰｽして", "ﾘﾘｰｽ"},
		{"RELEASE please", "RELEASE"},
		{"リリース待って", "待って"},
		{"Release Tomorrow", "Tomorrow"},
		{"release v1.2.3", "v1.2.3"},
		{"Don’t release", "Don’t"},
		{"ｒｅｌａｓｅ", "ｒｅｌａｓｅ"},
		{"release `Billing-Web`", "Billing-Web"},
		{"１８時にリリース", "１８時"},
	} {
		if got := Understand(markup.Parse(c.text), []string{"app"}, theirs); got.Word != c.word {
			t.Errorf("%q: got word %q (%s), want %q", c.text, got.Word, understood(got), c.word)
		}
	}
}

func TestLookupsOfOtherChannelsAreBounded(t *testing.T) {
	asked := 0
	Understand(markup.Parse(strings.Repeat("会員の画面を直す", 500)+"リリース"), []string{"app"}, func(string) bool { asked++; return false })
	if asked == 0 || asked > 2*nameReach*nameMost {
		t.Errorf("asked %d times", asked)
	}
}

func FuzzUnderstand(f *testing.F) {
	for _, s := range slices.Concat(sentences, heldSentences, []sentence{
		{"<@U1|bot> <https://a.example|b> `x` ```y``` &gt; 「", ""}, {"\"“”『」~a~ :x::x: 18:00:00", ""}, {"リリース\x00\ufffc\xff", ""},
	}) {
		f.Add(s.text, "app")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		got := Understand(markup.Parse(text), []string{name, "app"}, theirs)
		all := foldName(readProse(markup.Parse(text)).raw)
		if got.Deploys() && !strings.Contains(all, "リリース") && !strings.Contains(all, "デプロイ") && !strings.Contains(all, "release") && !strings.Contains(all, "deploy") {
			t.Errorf("%q deploys without a deploy word", text)
		}
		if p := readProse(markup.Parse(text)); len(p.said) == 0 && !strings.Contains(p.raw, got.Word) {
			t.Errorf("%q: the word %q is not in it", text, got.Word)
		}
		if utf8.ValidString(text) && !utf8.ValidString(got.Word) {
			t.Errorf("%q: the word %q is cut", text, got.Word)
		}
	})
}

func BenchmarkUnderstand(b *testing.B) {
	for _, n := range []int{500, 1000, 2000, 4000} {
		for _, s := range []string{"リリース、", "release, ", "ok。", "「", "<"} {
			text := strings.Repeat(s, n/utf8.RuneCountInString(s)) + "リリース"
			b.Run(fmt.Sprintf("%s%d", s, n), func(b *testing.B) {
				for b.Loop() {
					Understand(markup.Parse(text), []string{"app"}, theirs)
				}
			})
		}
	}
}

func TestEveryExampleOfARuleIsHeldBackByIt(t *testing.T) {
	for i := range rules {
		for _, s := range rules[i].examples {
			got := Understand(markup.Parse(s), []string{"app"}, theirs)
			if got.Answer != rules[i].say {
				t.Errorf("%q, an example of %q: got %s (%q), want %s", s, rules[i].name, understood(got), got.Word, rules[i].say)
			}
		}
	}
}
