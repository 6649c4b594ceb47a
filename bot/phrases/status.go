package phrases

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/getto-systems/psycher/deploy"
)

// Part is a paragraph of a message, in mrkdwn.
type Part struct {
	Text  string
	Small bool // it is small and grey
}

// Parts returns a message as it is shown above its buttons, paragraph by paragraph.
// Of a status message, what is not known is left out.
func (v Voice) Parts(m deploy.Message) (parts []Part) {
	add := func(text string, small bool) {
		if text != "" {
			parts = append(parts, Part{text, small})
		}
	}
	shown := v[string(m.ID)+" shown"]
	if len(shown) == 0 {
		add(v.Text(m), false)
		add(v.note(m), true)
		return parts
	}
	values := v.values(m)
	values["text"] = v.text(m, values)
	for i, line := range shown {
		line, small := strings.CutPrefix(line, "(")
		if small {
			line = strings.TrimSuffix(line, ")")
		}
		if i > 0 {
			add(strings.TrimPrefix(apart(expand(line, values)), " · "), small)
		} else {
			add(v.addressed(m, apart(expand(v.withPresser(m, line), values))), small)
		}
	}
	return parts
}

// How many characters of foreign text are shown, and how many stages.
const (
	titleLimit  = 72
	authorLimit = 30
	stageLimit  = 30
	maxStages   = 8
)

// addProgress adds the placeholders for how far a deployment is, and how it went.
func (v Voice) addProgress(values map[string]string, m deploy.Message) {
	var p deploy.Progress
	if m.Progress != nil {
		p = *m.Progress
	}
	values["took"] = v.took(m.Took)
	if !m.InChannel || m.For != m.User { // who is named first already
		values["for"] = user(m.For)
	}
	values["sha"], values["title"] = linkedSHA(p.Commit), harmless(p.Commit.Title, titleLimit)
	values["elapsed"], values["usual"], values["unseen"] = v.took(p.Elapsed), v.took(roughly(p.Usual)), until(p.Unseen)
	values["stages"] = stages(p)
	values["reason"] = values["detail"] // unless the job is known
	if j := p.Failed; j != nil && harmless(j.Name, nameLimit) != "" {
		values["job"], values["reason"], values["log"] = codeSpan(j.Name, nameLimit), v.entry("reason", j.Reason), address(j.URL)
		if values["failed"] = values["job"]; values["log"] != "" {
			values["failed"] = link(values["log"], harmless(j.Name, nameLimit))
		}
	}
	if c := p.Commits; c != nil {
		v.addCommits(values, *c, p.Before != nil)
	}
	if s := p.Before; s != nil {
		values["success"] = expand(v.word("success"), map[string]string{"sha": linkedSHA(s.Commit), "ended": date(s.At), "by": user(s.By)})
	}
	// Where the bot can run a job again itself, the status message has a button.
	if !p.Steers {
		values["again"] = expand(v.word("again"), values)
	}
}

// addCommits adds the placeholders for what goes out; since says that a success is
// known that it is compared with.
func (v Voice) addCommits(values map[string]string, c deploy.Commits, since bool) {
	values["compare"] = address(c.Compare)
	key := "new"
	switch {
	case c.Count == 0 && c.Back:
		key = "back"
	case c.Count == 0 && since:
		key = "same"
	case c.Count == 0:
		return
	default:
		values["count"] = fmt.Sprint(c.Count)
		if c.More {
			values["count"] += "+"
		}
		values["commits"] = expand(v["commits"][min(c.Count, 2)-1], values)
	}
	var titles []string
	for _, one := range c.First[:min(len(c.First), 3)] {
		if title, author := harmless(one.Title, titleLimit), harmless(one.Author, authorLimit); author != "" {
			titles = append(titles, strings.TrimSpace(title+" ("+author+")"))
		} else if title != "" {
			titles = append(titles, title)
		}
	}
	if len(titles) > 0 && c.Count > len(titles) {
		titles = append(titles, "…")
	}
	values["titles"] = strings.Join(titles, v.word("between"))
	values["outgoing"] = expand(v.entry("outgoing", key), values)
}

// stages is how far a pipeline is, in one line.
func stages(p deploy.Progress) string {
	now := slices.IndexFunc(p.Stages, func(s deploy.Stage) bool { return s.Status != "success" && s.Status != "skipped" })
	if now < 0 {
		now = len(p.Stages)
	}
	from := max(0, min(now-maxStages/2, len(p.Stages)-maxStages))
	to := min(from+maxStages, len(p.Stages))
	var failed deploy.Job
	if p.Failed != nil {
		failed = *p.Failed
	}
	var all []string
	if from > 0 {
		all = append(all, fmt.Sprintf("+%d", from))
	}
	for _, s := range p.Stages[from:to] {
		text := strings.TrimSpace(harmless(s.Name, stageLimit) + " " + marks[s.Status])
		switch {
		case s.Status == "running":
			text = "*" + text + "*"
		case s.Status == "failed" && failed.Stage == s.Name && address(failed.URL) != "":
			text, failed.URL = link(address(failed.URL), text), ""
		}
		all = append(all, text)
	}
	if to < len(p.Stages) {
		all = append(all, fmt.Sprintf("+%d", len(p.Stages)-to))
	}
	return strings.Join(all, " › ")
}

// marks are those of a stage by its status; one that has not begun has none.
var marks = map[string]string{"success": "✓", "running": "⏳", "failed": "✗", "canceled": "🚫", "skipped": "–", "manual": "✋"}

// roughly rounds a duration as people do who say how long something usually takes.
func roughly(seconds int64) int64 {
	step := int64(10)
	switch {
	case seconds > 3*day:
		step = day
	case seconds > 3*3600:
		step = 3600
	case seconds > 90:
		step = 60
	}
	return (seconds + step/2) / step * step
}

func linkedSHA(c deploy.Commit) string {
	sha := shortSHA(c.SHA)
	if sha != "" && address(c.URL) != "" {
		return link(address(c.URL), sha)
	}
	return sha
}

// shortSHA is how a commit is named; empty: it is none.
func shortSHA(sha string) string {
	if len(sha) < 7 || strings.Trim(sha, "0123456789abcdef") != "" {
		return ""
	}
	return sha[:7]
}

func link(address, label string) string { return "<" + address + "|" + label + ">" }

// Label is what a button says, as plain text.
type Label struct {
	Text    string
	Reader  string   // what a screen reader says in its place; empty: the text
	URL     string   // where it leads; empty: it is pressed
	Confirm []string // what is to be confirmed: title, text, yes and no; nil: nothing
}

// Label returns the label of a button of a message. now is for how old something is.
func (v Voice) Label(m deploy.Message, b deploy.Button, now int64) Label {
	values := map[string]string{
		"target": plain(b.Target, buttonTarget), "ref": plain(b.Ref, buttonRef), "sha": shortSHA(b.SHA),
	}
	ref := b.Ref
	if b.Do != deploy.KindDeploy {
		ref = m.Ref
		if b.Target == "" {
			values["target"] = plain(m.Target, buttonTarget)
		}
	}
	values["what"] = values["target"]
	if ref != "" {
		values["what"] += " (" + plain(ref, buttonRef) + ")"
	}
	if p := m.Progress; p != nil && p.Before != nil && p.Before.Commit.SHA == b.SHA {
		s := p.Before
		values["title"], values["author"] = plain(s.Commit.Title, titleLimit), plain(s.Commit.Author, authorLimit)
		if age := v.took(roughly(now - s.At)); s.At > 0 && age != "" {
			values["age"] = expand(v.word("ago"), map[string]string{"took": age})
		}
	}
	say := func(wording string, limit int) string {
		return middle(strings.TrimSpace(expand(wording, values)), limit)
	}
	key, ask := string(cmp.Or(b.Do, "none")), !IsStatus(m)
	label := Label{Text: cmp.Or(say(v.entry("button", key), maxLabel), key), Reader: say(v.entry("reader", key), maxLabel)}
	if b.Do == deploy.KindOpen {
		label.URL = unescape.Replace(address(b.URL))
	}
	if ask {
		label.Text = cmp.Or(say(v.entry("button", "ask-"+key), maxLabel), label.Text)
	}
	// An ask is a confirmation itself. But it may be about something else than what
	// it offers to cancel.
	// mutant: a cancel that is not to be confirmed
	if !ask || b.Do == deploy.KindCancel {
		for i, wording := range v["confirm-"+key] {
			label.Confirm = append(label.Confirm, say(wording, maxConfirm[i]))
		}
	}
	return label
}

// How many characters of a label Slack takes, and of the parts of a confirmation.
const maxLabel = 75

var maxConfirm = [4]int{100, 300, 30, 30}
