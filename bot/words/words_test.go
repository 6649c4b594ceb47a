package words

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/deploy"
)

// app is a channel that deploys one target; theirs are the targets of others.
var app = []deploy.Target{{Name: "app", Ref: "master"}}

func theirs(name string) bool {
	return slices.Contains([]string{"api", "billing-web", "管理画面", "さくら", "group/tool"}, name)
}

func understand(text string) deploy.Intent { return Understand(markup.Parse(text), app, theirs) }

// told is what is understood, in one word for a test.
func told(i deploy.Intent) string {
	switch {
	case i.Doubt != "":
		return string(i.Doubt)
	case i.Deploys():
		return "deploys"
	}
	return string(i.Kind)
}

// lines are the sentences of a file in testdata.
func lines(t testing.TB, name string) (all []string) {
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && !strings.HasPrefix(line, "# ") {
			all = append(all, line)
		}
	}
	return all
}

func TestRequestsActAtOnce(t *testing.T) {
	acts, asks := lines(t, "acts.txt"), lines(t, "asks.txt")
	for _, s := range acts {
		if got := understand(s); !got.Deploys() || got.Target != "app" {
			t.Errorf("%q: %s %q", s, told(got), got.Word)
		}
	}
	for _, s := range slices.Concat(asks, lines(t, "soft.txt")) {
		if got := understand(s); got.Kind != deploy.KindDeploy || got.Doubt == "" || got.Word == "" {
			t.Errorf("%q is not asked about: %s %q", s, told(got), got.Word)
		}
	}
	t.Logf("%d requests act at once, %d are asked about", len(acts), len(asks))
	if 20*len(acts) < 19*(len(acts)+len(asks)) {
		t.Error("fewer than nineteen in twenty act at once")
	}
}

func TestWhatIsNoRequestNeverActs(t *testing.T) {
	never := lines(t, "never.txt")
	t.Logf("%d sentences", len(never))
	for _, s := range never {
		if understand(s).Deploys() {
			t.Errorf("%q deploys", s)
		}
	}
}

func TestNounsFlagsAndVersionsAroundTheVerbNeverAct(t *testing.T) {
	nouns, flags := lines(t, "nouns.txt"), lines(t, "flags.txt")
	if len(nouns) < 300 || len(flags) < 60 {
		t.Fatalf("%d nouns and %d flags", len(nouns), len(flags))
	}
	for _, n := range slices.Concat(nouns, flags) {
		for _, form := range []string{
			"release %s", "deploy %s", "%s release", "please deploy %s", "deploy the %s please", "release %s now", "the %s deploy",
			"リリース%s", "デプロイ%sお願いします", "%sリリース", "%sリリースして", "%sをデプロイしてください", "リリース %s", "リリースして %s",
		} {
			if s := fmt.Sprintf(form, n); understand(s).Deploys() {
				t.Errorf("%q deploys", s)
			}
		}
	}
}

func TestEveryRuleThatIsNamedIsThere(t *testing.T) {
	for name, i := range tables().number {
		if r := tables().rules[i]; len(r.all) == 0 {
			t.Errorf("there is no rule %s", name)
		}
	}
}

// A bag of known words makes no request: what does not end in the deploy word asks
// for nothing at once.
func TestKnownWordsWithoutTheShapeOfARequestNeverAct(t *testing.T) {
	verbs := []string{"リリース", "デプロイ", "release", "deploy"}
	others := []string{
		"完了", "しました", "終わった", "マージした", "ので", "は", "が", "の", "まだ", "ありがとう", "お疲れ様です", "テスト", "修正", "中止", "状況", "待って", "明日", "失敗",
		"done", "merged", "is", "the", "tests", "passed", "was", "thanks", "status", "cancel", "history", "not", "failed", "if", "tomorrow",
	}
	r := rand.New(rand.NewPCG(1, 2))
	tries := 100_000
	if testing.Short() { // with the race detector, which finds nothing more here
		tries /= 20
	}
	for range tries {
		some := []string{verbs[r.IntN(len(verbs))]}
		for range 1 + r.IntN(4) {
			some = append(some, others[r.IntN(len(others))])
		}
		r.Shuffle(len(some)-1, func(i, j int) { some[i], some[j] = some[j], some[i] })
		if s := strings.Join(some, []string{" ", "", "、", ". "}[r.IntN(4)]); understand(s).Deploys() {
			t.Errorf("%q deploys", s)
		}
	}
}

func TestWordsCountHoweverTheyAreWritten(t *testing.T) {
	for text, want := range map[string]string{
		"ｒｅｌｅａｓｅ": "deploys", "ﾘﾘｰｽ": "deploys", "RELEASE": "deploys", "*release*": "deploys", "_release_してください": "deploys",
		"リリー\u200bスして": "deploys", "please\u00a0release": "deploys", ":rocket: リリース :pray:": "deploys",
		"released": "unknown", "pre-release": "unknown", "release_key": "unknown", "": "help",
		"`release`": "unknown", "```\nrelease\n```": "unknown", "「リリース」って何": "unknown", "\"release\"": "unknown", "&gt; リリースして\n了解です": "greet",
		"<https://example.com/release>": "unknown", "https://example.com/release": "unknown", ":release:": "unknown", "~リリースして~": "unknown", "<#C123|release>": "unknown",
		"リリースして\n&gt; 18時に": "other", "deploy ```v1.2.3```": "other", "deploy app*": "unclear", "リリース :shrug:": "unclear", "✅ リリース": "unclear", "リリース⏸": "unclear",
		"リリース :pray::skin-tone-2:": "deploys", "リリース🙏🏽": "deploys", "<!here> リリースお願いします": "other", "<@U2> リリースお願いします": "unclear",
		"&gt; 中止しますか？\nリリースして": "deploys", "リリース :thinking_face:": "unclear", "リリース🛑": "unclear",
	} {
		if got := told(understand(text)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestCommandsAreUnderstood(t *testing.T) {
	for want, texts := range map[string][]string{
		"help":     {"ヘルプ", "使い方", "何ができる？", "help", "?", "？", "HELP please"},
		"status":   {"状況", "状態は？", "ステータス", "どうなってる？", "終わった？", "リリース終わった？", "デプロイの状況教えて", "status", "what's running", "who is deploying?", "app status"},
		"history":  {"履歴", "リリース履歴", "history", "release history"},
		"cancel":   {"止めて", "止めて！", "中止", "キャンセル", "待って", "ストップ", "リリース待って", "デプロイを中止して", "やっぱりやめて", "cancel", "stop", "abort", "wait", "cancel that please", "stop the release", "hold off on the deploy", "please cancel"},
		"pending":  {"何が出る？", "差分", "appは何が出る？", "appで何が出ますか", "appの差分", "what's pending", "diff"},
		"retry":    {"もう一度", "やり直し", "リトライして", "retry", "rerun please", "again"},
		"rollback": {"ロールバック", "戻して", "切り戻しお願いします", "リリース戻して", "rollback", "roll back", "revert the deploy", "please roll back"},
		"lock":     {"ロックして", "リリースをロック", "lock", "lock deploys"},
		"unlock":   {"アンロック", "解除して", "unlock please"},
		"greet":    {"よろしく", "おはよう", "お疲れ様です", "hi", "hello bot"},
		"thanks":   {"ありがとう", "助かりました", "thanks!", "thank you so much"},
		"unknown":  {"お昼どうする", "lunch?"},
	} {
		for _, s := range texts {
			if got := told(understand(s)); got != want {
				t.Errorf("%q: %s, want %s", s, got, want)
			}
		}
	}
}

func TestAWaitDiffersFromAStop(t *testing.T) {
	for text, hold := range map[string]bool{
		"待って": true, "ちょっと待ってください": true, "リリース待って": true, "待って!リリースしないで": true, "wait": true, "hold on a sec": true, "no, wait": true, "wait, don't deploy": true,
		"止めて": false, "待って、止めて": false, "やっぱりやめて": false, "stop": false, "wait, stop": false, "cancel": false, "never mind": false, "いいえ": false, "status": false,
	} {
		if got := understand(text); got.Hold != hold || got.Doubt != "" {
			t.Errorf("%q: %s, hold %t", text, told(got), got.Hold)
		}
	}
}

func TestCommandsAsPeopleWriteThem(t *testing.T) {
	for _, line := range lines(t, "commands.txt") {
		want, s, _ := strings.Cut(line, "\t")
		if got := told(understand(s)); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}

func TestTargetsAreChosenByName(t *testing.T) {
	for _, c := range []struct {
		name, text   string
		here         []string
		want, target string
	}{
		{"one target needs no name", "リリースして", []string{"app"}, "deploys", "app"},
		{"of several, the named", "apiをリリース", []string{"app", "api"}, "deploys", "api"},
		{"none named", "リリースして", []string{"app", "api"}, "which-target", ""},
		{"two named", "appとapiをリリース", []string{"app", "api"}, "which-target", ""},
		{"two named in English", "release app and api", []string{"app", "api"}, "which-target", ""},
		{"a stop of one", "cancel the release of api", []string{"app", "api"}, "cancel", "api"},
		{"a name after a command", "ロールバック api", []string{"app", "api"}, "rollback", "api"},
		{"the same in English", "retry api please", []string{"app", "api"}, "retry", "api"},
		{"a name after a command, and more", "retry api tomorrow", []string{"app", "api"}, "plainly", "api"},
		{"a command, and a request", "ロールバックして api をリリースして", []string{"app", "api"}, "unclear", "api"},
		{"a stop of what is not here", "cancel release admin", []string{"app", "api"}, "plainly", ""},
		{"no target here", "リリースして", nil, "no-target", ""},
		{"no target here, in doubt", "明日リリースして", nil, "no-target", ""},
		{"the longest name wins", "app-webをリリース", []string{"app", "app-web"}, "deploys", "app-web"},
		{"a name is not in a longer word", "webappをリリース", []string{"app", "api"}, "unclear", ""},
		{"nor in one with a hyphen", "release app-web", []string{"app", "api"}, "unclear", ""},
		{"nor in one in kanji", "新会員画面をリリース", []string{"会員画面", "api"}, "unclear", "会員画面"},
		{"the longest in kanji, too", "会員画面をリリース", []string{"会員", "会員画面"}, "deploys", "会員画面"},
		{"full width and case", "ＡＰＩをリリース", []string{"app", "Api"}, "deploys", "Api"},
		{"a target named release counts as both", "release", []string{"release", "app"}, "deploys", "release"},
		{"a name that has a deploy word", "release release-notes", []string{"release-notes", "app"}, "deploys", "release-notes"},
		{"the same in Japanese", "リリースノートをリリースして", []string{"リリースノート", "app"}, "deploys", "リリースノート"},
		{"staging as a target", "stagingにデプロイ", []string{"staging", "app"}, "deploys", "staging"},
		{"a name that is like a command", "release stop-app", []string{"stop-app", "app"}, "deploys", "stop-app"},
		{"a name in code", "`api` をリリース", []string{"app", "api"}, "deploys", "api"},
		{"a name in quotation marks", "「api」をリリース", []string{"app", "api"}, "deploys", "api"},
		{"of another channel", "release billing-web", []string{"app"}, "unclear", "app"},
		{"of another channel, in code", "release `billing-web`", []string{"app"}, "other", "app"},
		{"of another channel, in what was done before", "さくらをマージしました。リリースして", []string{"app"}, "unclear", "app"},
		{"of another channel, a longer name", "管理画面をリリース", []string{"管理"}, "unclear", "管理"},
		{"a name with a dot", "release app.js", []string{"app.js", "api"}, "deploys", "app.js"},
		{"named in what was done before", "apiを直しました。リリースして", []string{"app", "api"}, "unclear", "api"},
		{"an environment that is a target, in what was done before", "staging looks good. Deploy", []string{"app", "staging"}, "unclear", "staging"},
		{"a name with more behind it, in what was done before", "会員登録を直しました。リリースして", []string{"会員", "app"}, "unclear", "会員"},
		{"a name that says no", "no deploy", []string{"no"}, "plainly", "no"},
		{"a name that is a command", "stop", []string{"stop", "app"}, "cancel", ""},
		{"to a target", "please deploy to staging", []string{"app", "staging"}, "deploys", "staging"},
		{"by an alias", "フロントリリースお願いします", []string{"app", "web フロント 管理画面"}, "deploys", "web"},
		{"by another alias", "deploy フロント", []string{"app", "web フロント 管理画面"}, "deploys", "web"},
		{"the ref that goes out", "deploy master", []string{"app"}, "deploys", "app"},
		{"another ref", "deploy develop", []string{"app"}, "other", "app"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var here []deploy.Target
			for _, name := range c.here {
				names := strings.Fields(name)
				here = append(here, deploy.Target{Name: names[0], Aliases: names[1:], Ref: "master"})
			}
			got := Understand(markup.Parse(c.text), here, theirs)
			if told(got) != c.want || got.Target != c.target {
				t.Errorf("%q: %s, target %q (%q), want %s, target %q", c.text, told(got), got.Target, got.Word, c.want, c.target)
			}
		})
	}
}

func TestBranchesCountOnlyWhereAllTargetsDeployTheSame(t *testing.T) {
	here := []deploy.Target{{Name: "app", Ref: "main"}, {Name: "api", Ref: "develop"}}
	for _, s := range []string{"deploy api from main", "release api main", "mainからapiをリリースして"} {
		if got := Understand(markup.Parse(s), here, theirs); got.Deploys() {
			t.Errorf("%q deploys %s, which is of another branch", s, got.Target)
		}
	}
	here[1].Ref = "main"
	if got := Understand(markup.Parse("deploy api from main"), here, theirs); !got.Deploys() {
		t.Errorf("%s %q", told(got), got.Word)
	}
}

func TestTheDoubtfulWordIsReturnedAsWritten(t *testing.T) {
	for text, want := range map[string]string{
		"Release Tomorrow": "Tomorrow", "release v1.2.3": "v1.2.3", "Don’t release": "Don’t release", "１８時にリリース": "１８時に", "deploy `Develop`": "Develop",
		"おたまをリリースして": "おたま", "リリースしないで": "しないで", "deploy once CI is green": "once CI is green", "stagingにデプロイして": "staging", "リリースノート書いて": "リリースノート書いて",
		"app の v1.2.3 をリリース": "v1.2.3", "app を staging にデプロイ": "staging", "admin の develop をリリース": "develop", "リリース予定？": "予定？",
		"リリースお願いしますと言われたら断って": "お願いしますと言われたら断って", "アプリをリリース": "アプリ", "リリース🎉": "🎉",
	} {
		if got := understand(text); got.Word != want {
			t.Errorf("%q: %q (%s), want %q", text, got.Word, told(got), want)
		}
	}
}

func FuzzUnderstand(f *testing.F) {
	for _, s := range slices.Concat(lines(f, "acts.txt"), lines(f, "never.txt"), []string{"<@U1|bot> <https://a.example|b> `x` ```y``` &gt; 「", "\"\"“”『」~a~ :x::x: 18:00:00", "リリース\x00\ufffc\xff\ue000\uf001"}) {
		f.Add(s, "app")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		got := Understand(markup.Parse(text), []deploy.Target{{Name: name}, {Name: "app"}}, theirs)
		folded := markup.FoldName(text)
		verb := slices.ContainsFunc([]string{"リリース", "りりーす", "デプロイ", "でぷろい", "release", "deploy", "ship"}, func(w string) bool { return strings.Contains(folded, w) })
		if got.Deploys() && !verb && !strings.ContainsFunc(text, func(r rune) bool { return r == '\u200b' || r == '*' || r == '_' }) {
			t.Errorf("%q deploys without a deploy word", text)
		}
		if utf8.ValidString(text) && !utf8.ValidString(got.Word) {
			t.Errorf("%q: the word %q is cut", text, got.Word)
		}
	})
}

// BenchmarkUnderstand has the dearest texts: as long as is read, in a channel of a
// thousand targets.
func BenchmarkUnderstand(b *testing.B) {
	var many []deploy.Target
	for i := range 1000 {
		many = append(many, deploy.Target{Name: fmt.Sprintf("target-%d", i), Ref: "master"})
	}
	for _, s := range []string{"リリースお願いします", "could you please deploy it? thanks"} {
		b.Run(s, func(b *testing.B) {
			said := markup.Parse(s)
			for b.Loop() {
				Understand(said, app, theirs)
			}
		})
	}
	for _, s := range []string{"リリース、", "release, ", "ok。", "「", "あ", "マージしたので", "もう一度今すぐ", "target-1 ", "target-1-"} {
		b.Run("long "+s, func(b *testing.B) {
			said := markup.Parse(strings.Repeat(s, markup.MaxLength/utf8.RuneCountInString(s)-1) + "リリース")
			for b.Loop() {
				Understand(said, many, theirs)
			}
		})
	}
}

// What is in doubt and about another action than a deploy offers no deploy.
func TestADoubtAboutAnotherActionOffersNoDeploy(t *testing.T) {
	for text, want := range map[string]deploy.Intent{
		"stop the music":              {Kind: deploy.KindUnknown, Doubt: deploy.MsgPlainly},
		"中止の連絡をしました":                  {Kind: deploy.KindUnknown, Doubt: deploy.MsgPlainly},
		"stop app deploy of the docs": {Kind: deploy.KindUnknown, Doubt: deploy.MsgPlainly},
		"反映を止めてほしいかも":                 {Kind: deploy.KindDeploy, Doubt: deploy.MsgUnclear},
	} {
		if got := understand(text); got.Kind != want.Kind || got.Doubt != want.Doubt {
			t.Errorf("%q: %q in doubt for %q", text, got.Kind, got.Doubt)
		}
	}
}
