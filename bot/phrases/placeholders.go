package phrases

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/getto-systems/psycher/deploy"
)

// said is a message that is put into words.
type said struct {
	v      Voice
	m      *deploy.Message
	p      *deploy.Progress // of m; never nil
	failed deploy.Job       // the job that failed; zero: it is not known
}

// placeholders are what a {placeholder} stands for, escaped for Slack; empty: it is
// not known. They are looked up one by one, as each wording has only a few.
var placeholders = map[string]func(said) string{
	"target":    func(s said) string { return codeSpan(s.m.Target, nameLimit) },
	"targets":   func(s said) string { return listTargets(s.m.Targets) },
	"ref":       func(s said) string { return codeSpan(s.m.Ref, nameLimit) },
	"branch":    func(s said) string { return codeSpan(inFull("refs/heads/", s.m.Ref), nameLimit) },
	"tag":       func(s said) string { return codeSpan(inFull("refs/tags/", s.m.Ref), nameLimit) },
	"what":      what,
	"project":   func(s said) string { return codeSpan(s.m.Project, nameLimit) },
	"key":       func(s said) string { return codeSpan(s.m.Key, nameLimit) },
	"word":      func(s said) string { return harmless(s.m.Word, wordLimit) },
	"detail":    func(s said) string { return codeSpan(s.m.Detail, detailLimit) },
	"user":      func(s said) string { return strings.TrimSpace(user(s.m.User) + " " + user(s.m.By)) },
	"press":     press,
	"then":      then,
	"where":     func(s said) string { return s.v["where"][min(len(s.m.Buttons), 1)] },
	"link":      func(s said) string { return address(s.m.URL) },
	"until":     func(s said) string { return timeOfDay(s.m.Until) },
	"ends":      func(s said) string { return date(s.m.Until) },
	"by":        func(s said) string { return user(s.m.By) },
	"approved":  func(s said) string { return strings.Join(each(s.m.Approved, user), ", ") },
	"missing":   missing,
	"people":    func(s said) string { return strings.Join(each(s.m.People, personOrGroup), ", ") },
	"workspace": func(s said) string { return codeSpan(s.m.Team, nameLimit) },
	"channel":   func(s said) string { return codeSpan(s.m.Channel, nameLimit) },
	"known":     func(s said) string { return s.v.list(s.m) },
	"frozen":    func(s said) string { return s.v.frozen(s.m.Frozen) },
	"own":       own,
	"along":     along,
	"rules":     func(s said) string { return s.v.rules(s.m.Rules) },
	"confirmed": func(s said) string { return shortSHA(s.m.Confirmed) },
	"withdrawn": func(s said) string { return count(s.m.Withdrawn) },
	"who":       who,
	"write":     write,
	"example":   example,

	// How far a deployment is, and how it went.
	"took":     func(s said) string { return s.v.took(s.m.Took) },
	"for":      askedBy,
	"job":      func(s said) string { return codeSpan(s.failed.Name, nameLimit) },
	"log":      func(s said) string { return address(s.failed.URL) },
	"failed":   linkedJob,
	"reason":   reason,
	"again":    again,
	"sha":      func(s said) string { return linkedSHA(s.p.Commit) },
	"title":    func(s said) string { return harmless(s.p.Commit.Title, titleLimit) },
	"elapsed":  func(s said) string { return s.v.took(s.p.Elapsed) },
	"usual":    func(s said) string { return s.v.took(roughly(s.p.Usual)) },
	"unseen":   func(s said) string { return timeOfDay(s.p.Unseen) },
	"stages":   stages,
	"success":  success,
	"compare":  func(s said) string { return address(cmp.Or(s.p.Commits, &deploy.Commits{}).Compare) },
	"commits":  commits,
	"outgoing": outgoing,
}

// of is what the placeholders stand for in m; an unknown one is empty.
func (v Voice) of(m deploy.Message) func(name string) string {
	s := said{v: v, m: &m, p: cmp.Or(m.Progress, &deploy.Progress{})}
	if j := s.p.Failed; j != nil && harmless(j.Name, nameLimit) != "" {
		s.failed = *j
	}
	return func(name string) string {
		if is := placeholders[name]; is != nil {
			return is(s)
		}
		return ""
	}
}

// in is what placeholders stand for that are all known.
func in(values map[string]string) func(name string) string {
	return func(name string) string { return values[name] }
}

// How many characters of foreign text are shown, and how many stages.
const (
	titleLimit  = 72
	authorLimit = 30
	stageLimit  = 30
	maxStages   = 8
)

// what is the target and its ref.
func what(s said) string {
	target, ref := codeSpan(s.m.Target, nameLimit), codeSpan(s.m.Ref, nameLimit)
	if target == "" || ref == "" {
		return target + ref
	}
	return target + " (" + ref + ")"
}

// own says that the person asks in spite of no lock but their own.
func own(s said) string {
	locks := 0
	for _, k := range s.m.Known {
		if k.State == deploy.Locked {
			// mutant: somebody else's lock told to be the person's own
			if k.By != s.m.User {
				return ""
			}
			locks++
		}
	}
	if locks == 0 {
		return ""
	}
	return s.v.word("own-lock")
}

// missing is how many approvals it takes yet.
func missing(s said) string {
	n := s.m.Missing
	if n == 0 {
		return ""
	}
	return expand(s.v["missing"][min(n, 2)-1], in(map[string]string{"count": count(n)}))
}

// then begins what a press does, where there is a button to press.
func then(s said) string {
	if len(s.m.Buttons) == 0 {
		return ""
	}
	return s.v.word("then")
}

// along says of what is withdrawn that another deploy still has it.
func along(s said) string {
	if len(s.m.Known) == 0 || !s.m.Known[0].State.Open() {
		return ""
	}
	return expand(s.v.word("along"), in(map[string]string{"by": user(s.m.Known[0].By)}))
}

// press says that a button may be pressed, where there is one.
func press(s said) string {
	if len(s.m.Buttons) == 0 {
		return ""
	}
	return s.v.word("press")
}

// who says who may deploy.
func who(s said) string {
	if s.m.Restricted {
		return s.v["who"][1]
	}
	return s.v["who"][0]
}

// write is what a person writes to deploy, without the name if the channel has only
// one target.
func write(s said) string {
	switch target := harmless(s.m.Target, nameLimit); {
	case target != "" && len(s.m.Targets) != 1:
		return s.v.word("release") + " " + target
	case len(s.m.Targets) > 1:
		return s.v.word("release") + " " + s.v.word("name")
	}
	return s.v.word("release")
}

// example shows how to name one of several targets, unless buttons name them.
func example(s said) string {
	names := each(s.m.Targets, func(name string) string { return harmless(name, nameLimit) })
	if len(names) == 0 || len(s.m.Buttons) > 0 {
		return ""
	}
	return s.v.word("release") + " " + names[0]
}

// askedBy is who asked for the deployment, unless who is named first already.
func askedBy(s said) string {
	if s.m.InChannel && s.m.For == s.m.User {
		return ""
	}
	return user(s.m.For)
}

func linkedJob(s said) string {
	if address(s.failed.URL) == "" {
		return codeSpan(s.failed.Name, nameLimit)
	}
	return linked(s.failed.URL, harmless(s.failed.Name, nameLimit))
}

// reason is why it failed: the job's, unless that is not known.
func reason(s said) string {
	if s.failed.Name != "" {
		return s.v.entry("reason", s.failed.Reason)
	}
	return codeSpan(s.m.Detail, detailLimit)
}

// again is how to try again. Where the bot can run a job again itself, the status
// message has a button.
func again(s said) string {
	if s.p.Steers {
		return ""
	}
	return expand(s.v.word("again"), in(map[string]string{"write": write(s)}))
}

func success(s said) string {
	before := cmp.Or(s.m.Undone, s.p.Before)
	if before == nil {
		return ""
	}
	return expand(s.v.word("success"), in(map[string]string{"sha": linkedSHA(before.Commit), "ended": date(before.At), "by": user(before.By)}))
}

// commits is how many go out.
func commits(s said) string {
	c := cmp.Or(s.p.Commits, &deploy.Commits{})
	switch {
	case c.Back:
		return s.v["commits"][2]
	case c.Count == 0:
		return ""
	}
	n := count(c.Count)
	if c.More {
		n += "+"
	}
	return expand(s.v["commits"][min(c.Count, 2)-1], in(map[string]string{"count": n}))
}

// outgoing is what goes out since the last success.
func outgoing(s said) string {
	c, key := s.p.Commits, "new"
	switch {
	case c == nil:
		return ""
	case c.Count > 0:
	case c.Back:
		key = "back"
	case s.p.Before != nil:
		key = "same"
	default:
		return ""
	}
	var titles []string
	for _, one := range c.First[:min(len(c.First), 3)] {
		title := harmless(one.Title, titleLimit)
		if author := harmless(one.Author, authorLimit); author != "" {
			title = strings.TrimSpace(title + " (" + author + ")")
		}
		if title != "" {
			titles = append(titles, title)
		}
	}
	if len(titles) > 0 && c.Count > len(titles) {
		titles = append(titles, "…")
	}
	return expand(s.v.entry("outgoing", key), in(map[string]string{
		"commits": commits(s), "titles": strings.Join(titles, s.v.word("between")), "compare": address(c.Compare),
	}))
}

// stages is how far a pipeline is, in one line.
func stages(s said) string {
	all := s.p.Stages
	now := slices.IndexFunc(all, func(s deploy.Stage) bool { return s.Status != "success" && s.Status != "skipped" })
	if now < 0 {
		now = len(all)
	}
	from := max(0, min(now-maxStages/2, len(all)-maxStages))
	to := min(from+maxStages, len(all))
	var shown []string
	if from > 0 {
		shown = append(shown, fmt.Sprintf("+%d", from))
	}
	for _, stage := range all[from:to] {
		text := strings.TrimSpace(harmless(stage.Name, stageLimit) + " " + marks[stage.Status])
		switch {
		case stage.Status == "running":
			text = "*" + text + "*"
		case stage.Status == "failed" && stage.Name == s.failed.Stage:
			text, s.failed.URL = linked(s.failed.URL, text), "" // once
		}
		shown = append(shown, text)
	}
	if to < len(all) {
		shown = append(shown, fmt.Sprintf("+%d", len(all)-to))
	}
	return strings.Join(shown, " › ")
}

// marks are those of a stage by its status; one that has not begun has none.
var marks = map[string]string{"success": "✓", "running": "⏳", "failed": "✗", "canceled": "🚫", "skipped": "–", "manual": "✋"}

func linkedSHA(c deploy.Commit) string { return linked(c.URL, shortSHA(c.SHA)) }

// shortSHA is how a commit is named; empty: it is none.
func shortSHA(sha string) string {
	if len(sha) < 7 || strings.Trim(sha, "0123456789abcdef") != "" {
		return ""
	}
	return sha[:7]
}
