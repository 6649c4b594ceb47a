package phrases

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/messages"
)

const (
	person = "U024BE7LH"
	page   = "https://gitlab.example.com/group/app/-/pipelines/4711"
	log    = "https://gitlab.example.com/group/app/-/jobs/31"
)

func voices(t *testing.T) map[string]Voice {
	all := map[string]Voice{}
	for _, lang := range []string{"ja", "en"} {
		p, err := New(lang)
		if err != nil {
			t.Fatal(err)
		}
		all[lang] = p
	}
	return all
}

// eachWording calls f with every wording there is and a message that chooses it.
func eachWording(t *testing.T, f func(t *testing.T, lang string, p Voice, m deploy.Message, wording string)) {
	for lang, p := range voices(t) {
		for _, say := range messages.IDs() {
			for i, wording := range p[string(say)] {
				t.Run(fmt.Sprintf("%s/%s/%d", lang, say, i), func(t *testing.T) {
					f(t, lang, p, deploy.Message{ID: say, Seed: uint32(i)}, wording)
				})
			}
		}
	}
}

// full is a message of which everything is known.
func full(m deploy.Message) deploy.Message {
	return deploy.Message{
		ID: m.ID, Seed: m.Seed, User: person, Target: "app", Targets: []string{"app"}, Project: "group/app",
		Ref: "master", Key: "RELEASE", URL: page, Word: "まだ", Detail: "deploy:production",
		Until: 1700000000, By: person, People: []string{person}, Withdrawn: 1,
		Frozen: []deploy.Frozen{{Target: "app", Since: 1700211600, Until: 1700434800, Zone: "Asia/Tokyo", Reason: "weekend"}},
		Known:  []deploy.Known{{Target: "app", State: deploy.Succeeded, By: person, Since: 1700000000, Ended: 1700000168, URL: page}},
		For:    "U0SATO", Took: 72, Progress: progress(),
		Rules: []deploy.Rules{{Target: "app", Allow: []string{"U0ITO"}, Confirm: true, Approvals: 2}},
	}
}

// progress is all that can be known of how far a deployment is.
func progress() *deploy.Progress {
	commit := deploy.Commit{SHA: "3f2a9c1b5d7e", Title: "Fix the login page", Author: "yamada", URL: page + "/a"}
	return &deploy.Progress{
		Commit: commit, Before: &deploy.Success{Commit: commit, By: "U0ITO", At: 1699900000},
		Commits: &deploy.Commits{Count: 4, First: []deploy.Commit{commit, commit, commit}, Compare: page + "/b"},
		Usual:   170, Elapsed: 80, Unseen: 1700000000,
		Stages: []deploy.Stage{{Name: "build", Status: "success"}, {Name: "deploy", Status: "failed"}},
		Failed: &deploy.Job{ID: 31, Name: "deploy:production", Stage: "deploy", Status: "failed", Reason: "script_failure", URL: log},
	}
}

func refusalSay(say deploy.MessageID) bool {
	return strings.HasPrefix(string(say), "refused-") || say == deploy.MsgStatusRefused
}

func TestALanguageIsJapaneseOrEnglish(t *testing.T) {
	for _, lang := range []string{"", "fr", "JA"} {
		_, err := New(lang)
		if err == nil || !strings.Contains(err.Error(), `"ja"`) || !strings.Contains(err.Error(), `"en"`) {
			t.Errorf("%q: the error must name what is possible: %v", lang, err)
		}
	}
}

func TestEverythingHasWordsInEveryLanguage(t *testing.T) {
	least := map[deploy.MessageID]int{deploy.MsgGreet: 3, deploy.MsgUnknown: 3, deploy.MsgSucceeded: 3}
	for lang, p := range voices(t) {
		names := []string{ // what is no message
			"again", "ago", "along", "also", "approved", "before", "between", "button", "choose", "commits", "confirm-cancel", "confirm-rollback", "freeze-line", "known", "missing", "moment", "name", "now", "outgoing", "own-lock",
			"press", "pressed", "reader", "reason", "release", "rules", "rules-line", "state", "success", "then", "to", "units", "weekday", "where", "who",
		}
		for _, id := range statuses {
			names = append(names, string(id)+" shown")
		}
		for _, id := range messages.IDs() {
			names = append(names, string(id))
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(names)), slices.Sorted(maps.Keys(p))); diff != "" {
			t.Errorf("%s (-to be said +has words): %s", lang, diff)
		}
		for _, say := range messages.IDs() {
			wordings := p[string(say)]
			enough := max(1, least[say])
			if !refusalSay(say) && !slices.Contains(statuses, say) {
				enough = max(2, enough)
			}
			if distinct := slices.Compact(slices.Sorted(slices.Values(wordings))); len(distinct) < enough || len(distinct) < len(wordings) {
				t.Errorf("%s %s: %d wordings, %d different ones, wanted are %d", lang, say, len(wordings), len(distinct), enough)
			}
		}
		for state := range deploy.Moves() {
			if p.state(state) == "" {
				t.Errorf("%s has no words for the state %s", lang, state)
			}
		}
	}
}

func TestTheSeedChoosesTheWording(t *testing.T) {
	for lang, p := range voices(t) {
		seen := map[string]bool{}
		for seed := range uint32(100) {
			m := deploy.Message{ID: deploy.MsgGreet, Seed: 4_294_967_200 - seed}
			said := p.Text(m)
			if p.Text(m) != said {
				t.Errorf("%s: the same seed says two things", lang)
			}
			seen[said] = true
		}
		if want := len(p[string(deploy.MsgGreet)]); len(seen) != want {
			t.Errorf("%s: %d of %d greetings are said", lang, len(seen), want)
		}
	}
}

// statuses are the status messages of a deployment.
var statuses = []deploy.MessageID{
	deploy.MsgStatusRunning, deploy.MsgStatusPerson, deploy.MsgStatusRunner, deploy.MsgStatusUnsure, deploy.MsgStatusSilent,
	deploy.MsgStatusSucceeded, deploy.MsgStatusFailed, deploy.MsgStatusCanceled, deploy.MsgStatusCanceling, deploy.MsgStatusNothing,
	deploy.MsgStatusQueued, deploy.MsgStatusRiding, deploy.MsgStatusLocked, deploy.MsgStatusUnlocked, deploy.MsgStatusTold,
}

func TestEveryWordingReadsWellWhateverIsKnown(t *testing.T) {
	date := regexp.MustCompile(`<!date\^[0-9]+\^(?:\{date_short_pretty\} )?\{time\}\|(?:[-0-9]{10} )?[0-9]{2}:[0-9]{2} UTC>`)
	link := regexp.MustCompile(`<https://gitlab.example.com/[^<>|]+\|([^<>|]+)>`)
	people := regexp.MustCompile(`<@U\w+>`)
	emoji := regexp.MustCompile(` :[a-z]+:$`)
	code := regexp.MustCompile("`[^`\n]+`")
	odd := regexp.MustCompile("[{}\\[\\]<>&|`]" + // what is left of a placeholder, or not escaped
		`|  |^ | $| \n|\n |\n\n|^\n|\n$` +
		`|\( |\(\)|（ |（）|「」|“”|「リリース 」|“release ”` +
		`| [.,:;!?)。、」”]|[.。、,] ?[.。、,:]|^[。、をの]` +
		`|[\p{Hiragana}\p{Han}。、「」] \p{Hiragana}` +
		`|[^ \n(]⌘|⌘[^ \n).,:;!?]`) // code that does not stand apart
	reads := func(t *testing.T, lang string, p Voice, m deploy.Message, wording string, sentence bool) {
		var optional []string
		for name := range placeholders {
			if name != "write" && name != "who" && strings.Contains(wording, "{"+name) {
				optional = append(optional, name)
			}
		}
		for unknown := range 1 << len(optional) {
			value := func(name string) string {
				if i := slices.Index(optional, name); i >= 0 && unknown&(1<<i) != 0 {
					return ""
				}
				return p.of(full(m))(name)
			}
			text := strings.TrimPrefix(apart(expand(wording, value)), " · ")
			if unknown == 0 && sentence && !strings.HasPrefix(p.Text(full(m)), text) {
				t.Fatalf("the seed does not choose it: %s", p.Text(full(m)))
			}
			read := link.ReplaceAllString(date.ReplaceAllString(text, "22:13"), "$1")
			read = code.ReplaceAllString(people.ReplaceAllString(read, "@hanako"), "⌘")
			read = emoji.ReplaceAllString(read, "")
			if found := odd.FindString(read); found != "" {
				t.Fatalf("%q reads odd, without %d:\n%s\n%s", found, unknown, text, wording)
			}
			if first, _ := utf8.DecodeRuneInString(read); sentence && lang == "en" && 'a' <= first && first <= 'z' && !strings.HasPrefix(read, "psycher") {
				t.Fatalf("begins small:\n%s\n%s", text, wording)
			}
		}
	}
	eachWording(t, func(t *testing.T, lang string, p Voice, m deploy.Message, wording string) {
		reads(t, lang, p, m, wording, true)
		for _, line := range p[string(m.ID)+" shown"] {
			reads(t, lang, p, m, strings.Trim(line, "()"), false)
		}
	})
}

func TestAWordingIsWellFormed(t *testing.T) {
	eachWording(t, func(t *testing.T, _ string, _ Voice, _ deploy.Message, wording string) {
		for _, pair := range []string{"[]", "{}"} {
			level := 0
			for _, c := range wording {
				switch c {
				case rune(pair[0]):
					level++
				case rune(pair[1]):
					level--
				}
				if level < 0 || level > 1 {
					t.Fatalf("%s do not pair, or stand in each other: %s", pair, wording)
				}
			}
			if level != 0 {
				t.Fatalf("%s do not pair: %s", pair, wording)
			}
		}
		for _, found := range regexp.MustCompile(`\{([^}]*)\}`).FindAllStringSubmatch(wording, -1) {
			name, label, labelled := strings.Cut(found[1], ":")
			if placeholders[name] == nil || (name == "link" || name == "log" || name == "compare") != (label != "") || labelled != (label != "") {
				t.Errorf("%s is no placeholder, or lacks its label: %s", found[0], wording)
			}
		}
	})
}

func TestOnlyWhatSurelyDidNotStartIsSaidToBeSo(t *testing.T) {
	opening := map[string]string{"ja": "何も始めていません。", "en": "Nothing was started. "}
	nothing := map[string]string{"ja": "何も始めていません", "en": "othing was started"}
	saysSo := []deploy.MessageID{
		deploy.MsgEditedLater, deploy.MsgEditedOut,
		deploy.MsgGuest, deploy.MsgNotAllowed, deploy.MsgGroupUnread, deploy.MsgFrozen, deploy.MsgBroken, deploy.MsgNotRecorded, deploy.MsgMustConfirm,
	}
	quiet := []deploy.MessageID{
		deploy.MsgGreet, deploy.MsgUnknown, deploy.MsgNoTarget, deploy.MsgWhichTarget, deploy.MsgWaitRate, deploy.MsgWaitUnreachable,
	}
	eachWording(t, func(t *testing.T, lang string, p Voice, m deploy.Message, wording string) {
		for _, m := range []deploy.Message{m, full(m)} {
			text := p.Text(m)
			switch {
			case refusalSay(m.ID):
				if !strings.HasPrefix(text, opening[lang]) {
					t.Errorf("a refusal that does not begin with it: %s", text)
				}
			case slices.Contains(saysSo, m.ID):
				if !strings.Contains(text, nothing[lang]) {
					t.Errorf("does not say that nothing was started: %s", text)
				}
				if !strings.Contains(wording, "{write}") {
					t.Errorf("does not say what to write: %s", wording)
				}
			case slices.Contains(quiet, m.ID), m.ID == deploy.MsgStatusAnswered, m.ID == deploy.MsgWithdrawn:
			default:
				if strings.Contains(text, nothing[lang]) {
					t.Errorf("says that nothing was started where that is not known: %s", text)
				}
			}
		}
	})
}

func TestThePersonIsNamedWhereSomethingIsWrong(t *testing.T) {
	named := []deploy.MessageID{
		deploy.MsgFailed, deploy.MsgCanceled, deploy.MsgSilent, deploy.MsgNoneSeen, deploy.MsgBrokenUnsure, deploy.MsgFailedAfter,
		deploy.MsgNothing, deploy.MsgPerson,
		deploy.MsgUnclear, deploy.MsgOther, deploy.MsgWhichTarget, deploy.MsgTooLong, deploy.MsgTooLate, deploy.MsgForgotten, deploy.MsgEditedIn,
		deploy.MsgConfirm, deploy.MsgApprovals, deploy.MsgConfirmUnseen, deploy.MsgOtherCommit, deploy.MsgOtherCommitOn, deploy.MsgOtherCommitOut,
		deploy.MsgPending, deploy.MsgAgain, deploy.MsgRollback, deploy.MsgBusy, deploy.MsgBusyWaiting, deploy.MsgFreeze, deploy.MsgTakenBack, deploy.MsgStopped, deploy.MsgCancelRefused, deploy.MsgCancelNoEffect,
		deploy.MsgTurn, deploy.MsgRodeFailed, deploy.MsgLocked, deploy.MsgUnlock, deploy.MsgLockOver, deploy.MsgLockEnds,
	}
	eachWording(t, func(t *testing.T, _ string, p Voice, m deploy.Message, _ string) {
		m = full(m)
		m.By, m.People, m.Known = "", nil, nil
		text := p.Text(m)
		if got, want := strings.Count(text, "<@"+person+">") == 1, slices.Contains(named, m.ID); got != want {
			t.Errorf("names the person: %v, should: %v: %s", got, want, text)
		}
	})
}

func TestThePersonIsNamedFirstInTheChannel(t *testing.T) {
	eachWording(t, func(t *testing.T, _ string, p Voice, m deploy.Message, _ string) {
		m.User, m.InChannel = "U024BE7LH", false
		inThread := p.Text(m)
		m.InChannel = true
		text := p.Text(m)
		if !strings.HasPrefix(text, "<@U024BE7LH>") || strings.Count(text, "<@") != 1 || !strings.HasSuffix(text, inThread) {
			t.Errorf("%q in the channel, %q in the thread", text, inThread)
		}
		m.User = "!channel"
		if text := p.Text(m); strings.Contains(text, "!channel") {
			t.Errorf("it notifies others: %q", text)
		}
	})
}

func TestWhatIsLinked(t *testing.T) {
	linked := []deploy.MessageID{
		deploy.MsgStop, deploy.MsgStatus, deploy.MsgHelp, deploy.MsgPlainly, deploy.MsgNotYet, deploy.MsgForgotten, deploy.MsgStopping, deploy.MsgStatusUnsure, deploy.MsgFailed,
		deploy.MsgCanceled, deploy.MsgSilent, deploy.MsgNoneSeen, deploy.MsgFailedAfter, deploy.MsgBrokenUnsure,
		deploy.MsgUnseen, deploy.MsgNothing, deploy.MsgPerson, deploy.MsgOvertime, deploy.MsgRode, deploy.MsgRodeFailed, deploy.MsgSetAside, deploy.MsgLockedSince, deploy.MsgIsLocked, deploy.MsgOtherCommit, deploy.MsgOtherCommitOn, deploy.MsgOtherCommitOut,
		deploy.MsgHistory, deploy.MsgNothingBefore, deploy.MsgCannotSteer, deploy.MsgPressOver, deploy.MsgStopped, deploy.MsgCancelRefused, deploy.MsgCancelNoEffect,
	}
	eachWording(t, func(t *testing.T, _ string, p Voice, m deploy.Message, _ string) {
		m = full(m)
		for _, known := range []*deploy.Progress{m.Progress, nil} {
			m.Progress = known
			text := p.Text(m)
			if got, want := strings.Count(text, "<"+page+"|")+strings.Count(text, "<"+log+"|") == 1, slices.Contains(linked, m.ID); got != want {
				t.Errorf("links: %v, should: %v: %s", got, want, text)
			}
			shown := ""
			for _, part := range p.Parts(m) {
				shown += part.Text
			}
			isOfALock := m.ID == deploy.MsgStatusLocked || m.ID == deploy.MsgStatusUnlocked
			if slices.Contains(statuses, m.ID) && !isOfALock && !strings.Contains(shown, "<"+page+"|") && !strings.Contains(shown, "<"+log+"|") {
				t.Errorf("it is shown without a link: %s", shown)
			}
		}
	})
}

// further are the reasons that a message may name beside its own.
var further = []deploy.MessageID{
	deploy.MsgFreeze, deploy.MsgLocked, deploy.MsgBusy, deploy.MsgBusyWaiting, deploy.MsgStatusQueued, deploy.MsgStatusRunning, deploy.MsgTakenBack,
	deploy.MsgApprovals, deploy.MsgConfirm, deploy.MsgNotAllowed, deploy.MsgGroupUnread, deploy.MsgFrozen,
}

func TestFurtherReasonsHaveALineEach(t *testing.T) {
	for lang, p := range voices(t) {
		if n := len(p["also"]); n != len(further) {
			t.Errorf("%s has lines for %d reasons, not for %d", lang, n, len(further))
		}
		for _, reason := range further {
			for name, m := range map[string]deploy.Message{"little": {}, "all": full(deploy.Message{})} {
				m.ID, m.Also, m.Missing = deploy.MsgUnclear, []deploy.MessageID{reason}, 1
				m.Known = []deploy.Known{
					{Target: "app", State: deploy.Running, By: "U0SATO", Since: 1700000000, URL: page},
					{Target: "app", State: deploy.Locked, By: "U0ITO", Until: 1700000000, Reason: "DB"},
				}
				m.Frozen, m.Undone = full(m).Frozen, &deploy.Success{}
				lines := p.also(m)
				if len(lines) != 1 || strings.ContainsAny(lines[0], "[]\n") || utf8.RuneCountInString(lines[0]) < 10 {
					t.Errorf("%s %s: where %s is known, it says %q", lang, reason, name, lines)
					continue
				}
				isLocks, isDeploys := strings.Contains(lines[0], "U0ITO"), strings.Contains(lines[0], "U0SATO")
				if wantLocks := reason == deploy.MsgLocked; isLocks != wantLocks || isDeploys != (m.NamesBeside() && !wantLocks) {
					t.Errorf("%s %s: it says %q", lang, reason, lines)
				}
			}
		}
	}
}

func TestWhatGoesAgainstARuleIsOnItsButton(t *testing.T) {
	p := voices(t)["en"]
	for name, row := range map[string]struct {
		id     deploy.MessageID
		also   []deploy.MessageID
		button deploy.Button
		want   string
	}{
		"a doubt":                        {deploy.MsgUnclear, nil, deploy.Button{}, "Deploy app (master)"},
		"a doubt, and others go first":   {deploy.MsgUnclear, []deploy.MessageID{deploy.MsgStatusQueued}, deploy.Button{}, "Deploy app (master)"},
		"a doubt, and a commit":          {deploy.MsgUnclear, []deploy.MessageID{deploy.MsgConfirm}, deploy.Button{SHA: "3f2a9c1b5d7e"}, "Deploy app 3f2a9c1"},
		"a freeze":                       {deploy.MsgFreeze, nil, deploy.Button{Freeze: true}, "Deploy app (master) during the freeze"},
		"a doubt, and a freeze":          {deploy.MsgUnclear, []deploy.MessageID{deploy.MsgFreeze}, deploy.Button{Freeze: true}, "Deploy app (master) during the freeze"},
		"a freeze, and a lock":           {deploy.MsgFreeze, []deploy.MessageID{deploy.MsgLocked}, deploy.Button{Freeze: true, Over: "x"}, "Deploy app (master) anyway"},
		"a freeze, and a commit":         {deploy.MsgFreeze, []deploy.MessageID{deploy.MsgConfirm}, deploy.Button{Freeze: true, SHA: "3f2a9c1b5d7e"}, "Deploy app 3f2a9c1 anyway"},
		"others go on, and a commit":     {deploy.MsgBusy, []deploy.MessageID{deploy.MsgConfirm}, deploy.Button{Over: "x", SHA: "3f2a9c1b5d7e"}, "Deploy app 3f2a9c1 anyway"},
		"it was taken back":              {deploy.MsgTakenBack, nil, deploy.Button{Over: "x"}, "Deploy app (master) anyway"},
		"a commit, what was before gone": {deploy.MsgConfirm, nil, deploy.Button{Over: "x", SHA: "3f2a9c1b5d7e"}, "Deploy app 3f2a9c1"},
	} {
		row.button.Do, row.button.Target, row.button.Ref = deploy.KindDeploy, "app", "master"
		if got := p.Label(deploy.Message{ID: row.id, Also: row.also}, row.button, 0).Text; got != row.want {
			t.Errorf("%s: the button says %q, not %q", name, got, row.want)
		}
	}
}

// foreign is a message with a foreign text wherever there can be one.
func foreign(m deploy.Message, text string) deploy.Message {
	m = full(m)
	m.Target, m.Targets, m.Project, m.Ref, m.Key, m.Word, m.Detail = text, []string{text}, text, text, text, text, text
	m.URL = "https://gitlab.example.com/a|b> <!channel>`?c=d&e"
	m.Known = []deploy.Known{{Target: text, Ref: text, State: deploy.State(text), By: person, Since: 1700000000, URL: m.URL}}
	if m.Also = further; strings.HasPrefix(string(m.ID), "press") { // and without
		m.Also = nil
	}
	commit := deploy.Commit{SHA: "3f2a9c1b5d7e", Title: text, Author: text, URL: m.URL}
	m.Progress.Commit, m.Progress.Before.Commit, m.Progress.Commits.First, m.Progress.Commits.Compare = commit, commit, []deploy.Commit{commit}, m.URL
	m.Progress.Failed = &deploy.Job{Name: text, Stage: text, Reason: text, URL: m.URL}
	for _, status := range []string{"failed", "running", text} {
		m.Progress.Stages = append(m.Progress.Stages, deploy.Stage{Name: text, Status: status})
	}
	for _, do := range []deploy.Kind{"", deploy.KindDeploy, deploy.KindOpen, deploy.KindCancel, deploy.KindRetry, deploy.KindRollback} {
		m.Buttons = append(m.Buttons, deploy.Button{Do: do, Target: text, Ref: text, SHA: commit.SHA, URL: m.URL})
	}
	return m
}

var (
	ours   = regexp.MustCompile(`<@U[0-9A-Z]+>|<!date\^[0-9]+\^(?:\{date_short_pretty\} )?\{time\}\|[-0-9: ]+ UTC>|<https://gitlab\.example\.com/[!#-;=?-_a-{}~]+\|[^<>` + "`" + `\n]+>`)
	entity = regexp.MustCompile(`&(amp|lt|gt);`)
)

// harm is what is wrong with a text that has foreign text in it.
func harm(text string) string {
	rest := ours.ReplaceAllString(text, "")
	switch {
	case strings.ContainsAny(rest, "<>"), strings.Contains(entity.ReplaceAllString(text, ""), "&"):
		return "markup"
	case strings.Count(rest, "`")%2 != 0:
		return "code"
	case strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) }), !utf8.ValidString(text):
		return "characters that nobody sees"
	}
	return ""
}

// isHarmless checks a message in all that is shown of it.
func isHarmless(t rapid.TB, p Voice, m deploy.Message) {
	for _, part := range p.Parts(m) {
		if what := harm(part.Text); what != "" || slices.Contains(statuses, m.ID) && strings.Contains(part.Text, "\n") {
			t.Errorf("%s in %q", what, part.Text)
		}
	}
	if what := harm(p.Text(m)); what != "" {
		t.Errorf("%s in %q", what, p.Text(m))
	}
	for _, b := range m.Buttons {
		label := p.Label(m, b, 1700000000)
		for _, text := range append(label.Confirm, label.Text, label.Reader) {
			if strings.ContainsFunc(text, unicode.IsControl) || harm(escape.Replace(text)) != "" && !strings.Contains(text, "`") {
				t.Errorf("it says %q", text)
			}
		}
	}
}

func TestForeignTextIsHarmless(t *testing.T) {
	for _, text := range []string{
		"<!channel>", "<@U1>", "<!subteam^S1>", "a`b", "```", "|", "<http://evil.example|x>", "&lt;!here&gt;", "a\nb\r\n> c",
		"\u2028> x\u202e", "{user} [{link:x}|y]", "\xff<\xfe>", "`<!channel>`",
	} {
		eachWording(t, func(t *testing.T, _ string, p Voice, m deploy.Message, _ string) {
			said := foreign(m, text)
			isHarmless(t, p, said)
			if strings.Count(p.Text(said), "\n") != strings.Count(p.Text(foreign(m, "x")), "\n") {
				t.Errorf("%q changes lines: %s", text, p.Text(said))
			}
		})
	}
	part := rapid.SampledFrom([]string{"<", ">", "&", "|", "`", "*", "_", "~", "\n", "\r", "\u2028", "\u202e", "\u200b", "\x00", "\xff", "!channel", "@U1", "http://x", "lt;", "{text}", "[", "]", " ", "字", "a"})
	for _, p := range voices(t) {
		rapid.Check(t, func(t *rapid.T) {
			text := strings.Join(rapid.SliceOfN(part, 0, 60).Draw(t, "text"), "")
			isHarmless(t, p, foreign(deploy.Message{ID: rapid.SampledFrom(messages.IDs()).Draw(t, "id")}, text))
		})
	}
	for lang, p := range voices(t) {
		text := p.Text(deploy.Message{ID: deploy.MsgRefusedOther, Detail: "{user} [{link:x}|{ref}]", User: person, Ref: "master"})
		if !strings.Contains(text, "`{user} [{link:x}|{ref}]`") {
			t.Errorf("%s looks into a value: %s", lang, text)
		}
		if text := p.Text(deploy.Message{ID: deploy.MsgStatus, Known: []deploy.Known{{Target: "<!channel>", State: "<!channel>", By: "!channel", URL: "<!channel>"}}}); strings.Contains(text, "<") {
			t.Errorf("%s believes what it is told of a deployment: %s", lang, text)
		}
	}
}

func TestOnlyPeopleAreNotified(t *testing.T) {
	for id, want := range map[string]string{
		"U024BE7LH": "<@U024BE7LH>", "W012A3CDE": "<@W012A3CDE>",
		"": "", "U": "", "C024BE7LH": "", "!channel": "", "U1>": "", "U1|x": "", "u024be7lh": "", "U" + strings.Repeat("1", 40): "",
	} {
		if got := user(id); got != want {
			t.Errorf("%q becomes %q, not %q", id, got, want)
		}
	}
}

func TestOnlyPagesOfTheWebAreLinked(t *testing.T) {
	for raw, want := range map[string]string{
		"https://a.example/x":                  "https://a.example/x",
		"http://127.0.0.1:1/x?y=1&z=2#f":       "http://127.0.0.1:1/x?y=1&amp;z=2#f",
		"https://a.example/<b>|c d`é\"":        "https://a.example/%3Cb%3E%7Cc%20d%60%C3%A9%22",
		"":                                     "",
		"/x":                                   "",
		"https:///x":                           "",
		"ftp://a.example/":                     "",
		"javascript:alert(1)":                  "",
		"https://me:password@a.example/":       "",
		"https://a.example/\n<!channel>":       "",
		"https://a.example/" + long(" ", 1000): "",
	} {
		if got := address(raw); got != want {
			t.Errorf("%q becomes %q, not %q", raw, got, want)
		}
	}
}

func TestLongValuesAreCut(t *testing.T) {
	for _, row := range []struct {
		in    string
		limit int
		want  string
	}{
		{"abcde", 5, "abcde"},
		{"abcdef", 5, "abcd…"},
		{"リリースノート", 5, "リリース…"},
		{"ab&", 5, "ab…"},
		{"ab&", 7, "ab&amp;"},
		{"a&b", 6, "a…"},
		{"  a \t\n b  ", 5, "a b"},
		{"a\nb\u2028c`", 6, "a b c'"},
	} {
		if got := harmless(row.in, row.limit); got != row.want {
			t.Errorf("%q in %d becomes %q, not %q", row.in, row.limit, got, row.want)
		}
	}
	many := slices.Repeat([]string{"service"}, 1000)
	if got := listTargets(many); !strings.HasSuffix(got, "`service`, … (+937)") {
		t.Errorf("a thousand targets become %s", got)
	}
}

func TestATextStaysUnderThreeThousandCharacters(t *testing.T) {
	const many = 8 // have no room in any text
	longest := 0
	eachWording(t, func(t *testing.T, _ string, p Voice, m deploy.Message, _ string) {
		for _, c := range []string{"&", "x", "字"} {
			m.Target, m.Targets, m.Project, m.Ref, m.Key = long(c, 400), slices.Repeat([]string{long(c, 90)}, 99), long(c, 400), long(c, 400), long(c, 400)
			m.Word, m.Detail, m.URL = long(c, 400), long(c, 400), "https://a.example/"+long("x", 782)
			m.User, m.By, m.Until = "U"+long("1", 31), "U"+long("1", 31), 1<<40
			m.People = slices.Repeat([]string{m.User}, 3)
			m.Known = slices.Repeat([]deploy.Known{{Target: long(c, 400), State: deploy.Unsure, By: m.User, Since: 1 << 40, Ended: 1 << 41, URL: m.URL}}, many)
			m.Known = append(m.Known, slices.Repeat([]deploy.Known{{Target: long(c, 400), State: deploy.Locked, By: m.User, Until: 1 << 40, Reason: long(c, 400)}}, many)...)
			m.Also = further
			m.For, m.Took, m.Progress = m.User, 1<<40, hugeProgress(long(c, 400), m.URL)
			m.Frozen = slices.Repeat([]deploy.Frozen{{Target: long(c, 400), Since: 1 << 40, Until: 1 << 41, Zone: "America/Argentina/Buenos_Aires", Reason: long(c, 80)}}, many)
			m.Rules = slices.Repeat([]deploy.Rules{{Target: long(c, 400), Allow: m.People, Confirm: true, Approvals: 9, Approvers: m.People}}, many)
			m.Approved = m.People
			m.InChannel = true
			n := utf8.RuneCountInString(p.Text(m))
			longest = max(longest, n)
			if n > 3000 {
				t.Errorf("%d characters: %s", n, p.Text(m))
			}
			for _, part := range p.Parts(m) {
				if n := utf8.RuneCountInString(part.Text); n > 3000 || part.Small && n > 2000 {
					t.Errorf("%d characters: %s", n, part.Text)
				}
			}
		}
	})
	t.Logf("the longest text has %d characters", longest)
}

func long(s string, n int) string { return strings.Repeat(s, n) }

// hugeProgress is progress in which everything is long, and much.
func hugeProgress(text, url string) *deploy.Progress {
	commit := deploy.Commit{SHA: long("a", 64), Title: text, Author: text, URL: url}
	return &deploy.Progress{
		Commit: commit, Before: &deploy.Success{Commit: commit, By: "U" + long("1", 31), At: 1 << 40},
		Commits: &deploy.Commits{Count: 10_000, More: true, First: slices.Repeat([]deploy.Commit{commit}, 3), Compare: url},
		Usual:   1 << 40, Elapsed: 1 << 40, Unseen: 1 << 40,
		Stages: slices.Repeat([]deploy.Stage{{Name: text, Status: "failed"}}, 300),
		Failed: &deploy.Job{ID: 1, Name: text, Stage: text, Reason: "script_failure", URL: url},
	}
}

func BenchmarkStatus(b *testing.B) {
	p, err := New("ja")
	if err != nil {
		b.Fatal(err)
	}
	first := deploy.Message{ID: deploy.MsgStatusRunning, Target: "app", Ref: "master", URL: page, For: person}
	for name, m := range map[string]deploy.Message{"first": first, "known": full(first)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Text(m)
				p.Parts(m)
			}
		})
	}
}
