package phrases

import (
	"fmt"
	"slices"
	"strings"

	"github.com/getto-systems/psycher/deploy"
)

// placeholders are what a {placeholder} stands for, escaped for Slack; empty: it is
// not known. They are looked up one by one, as each wording has only a few.
var placeholders = map[string]func(v Voice, m *deploy.Message) string{
	"target":    func(_ Voice, m *deploy.Message) string { return codeSpan(m.Target, nameLimit) },
	"targets":   func(_ Voice, m *deploy.Message) string { return listTargets(m.Targets) },
	"ref":       func(_ Voice, m *deploy.Message) string { return codeSpan(m.Ref, nameLimit) },
	"branch":    func(_ Voice, m *deploy.Message) string { return codeSpan(inFull("refs/heads/", m.Ref), nameLimit) },
	"tag":       func(_ Voice, m *deploy.Message) string { return codeSpan(inFull("refs/tags/", m.Ref), nameLimit) },
	"what":      func(_ Voice, m *deploy.Message) string { return what(m) },
	"project":   func(_ Voice, m *deploy.Message) string { return codeSpan(m.Project, nameLimit) },
	"key":       func(_ Voice, m *deploy.Message) string { return codeSpan(m.Key, nameLimit) },
	"word":      func(_ Voice, m *deploy.Message) string { return harmless(m.Word, wordLimit) },
	"detail":    func(_ Voice, m *deploy.Message) string { return codeSpan(m.Detail, detailLimit) },
	"user":      func(_ Voice, m *deploy.Message) string { return strings.TrimSpace(user(m.User) + " " + user(m.By)) },
	"press":     func(v Voice, m *deploy.Message) string { return v.press(m) },
	"where":     func(v Voice, m *deploy.Message) string { return v["where"][min(len(m.Buttons), 1)] },
	"link":      func(_ Voice, m *deploy.Message) string { return address(m.URL) },
	"until":     func(_ Voice, m *deploy.Message) string { return until(m.Until) },
	"by":        func(_ Voice, m *deploy.Message) string { return user(m.By) },
	"people":    func(_ Voice, m *deploy.Message) string { return users(m.People) },
	"workspace": func(_ Voice, m *deploy.Message) string { return codeSpan(m.Team, nameLimit) },
	"channel":   func(_ Voice, m *deploy.Message) string { return codeSpan(m.Channel, nameLimit) },
	"known":     func(v Voice, m *deploy.Message) string { return v.list(m.Known) },
	"withdrawn": func(_ Voice, m *deploy.Message) string { return count(m.Withdrawn) },
	"who":       func(v Voice, m *deploy.Message) string { return v.who(m.Restricted) },
	"write":     func(v Voice, m *deploy.Message) string { return v.write(m) },
	"example":   func(v Voice, m *deploy.Message) string { return v.example(m) },

	// How far a deployment is, and how it went.
	"took":     func(v Voice, m *deploy.Message) string { return v.took(m.Took) },
	"for":      func(_ Voice, m *deploy.Message) string { return askedBy(m) },
	"job":      func(_ Voice, m *deploy.Message) string { return codeSpan(failedJob(m).Name, nameLimit) },
	"log":      func(_ Voice, m *deploy.Message) string { return address(failedJob(m).URL) },
	"failed":   func(_ Voice, m *deploy.Message) string { return linkedJob(failedJob(m)) },
	"reason":   func(v Voice, m *deploy.Message) string { return v.reason(m) },
	"again":    func(v Voice, m *deploy.Message) string { return v.again(m) },
	"sha":      known(func(_ Voice, p *deploy.Progress) string { return linkedSHA(p.Commit) }),
	"title":    known(func(_ Voice, p *deploy.Progress) string { return harmless(p.Commit.Title, titleLimit) }),
	"elapsed":  known(func(v Voice, p *deploy.Progress) string { return v.took(p.Elapsed) }),
	"usual":    known(func(v Voice, p *deploy.Progress) string { return v.took(roughly(p.Usual)) }),
	"unseen":   known(func(_ Voice, p *deploy.Progress) string { return until(p.Unseen) }),
	"stages":   known(func(_ Voice, p *deploy.Progress) string { return stages(p) }),
	"success":  known(func(v Voice, p *deploy.Progress) string { return v.success(p.Before) }),
	"compare":  known(func(_ Voice, p *deploy.Progress) string { return compare(p.Commits) }),
	"commits":  known(func(v Voice, p *deploy.Progress) string { return v.commits(p.Commits) }),
	"outgoing": known(func(v Voice, p *deploy.Progress) string { return v.outgoing(p) }),
}

// known is a placeholder that is empty where nothing is known of a deployment.
func known(f func(Voice, *deploy.Progress) string) func(Voice, *deploy.Message) string {
	return func(v Voice, m *deploy.Message) string {
		if m.Progress == nil {
			return ""
		}
		return f(v, m.Progress)
	}
}

// of is what the placeholders stand for in m; an unknown one is empty.
func (v Voice) of(m deploy.Message) func(name string) string {
	return func(name string) string {
		if is := placeholders[name]; is != nil {
			return is(v, &m)
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

// askedBy is who asked for the deployment, unless who is named first already.
func askedBy(m *deploy.Message) string {
	if m.InChannel && m.For == m.User {
		return ""
	}
	return user(m.For)
}

// failedJob is the job that failed; zero: it is not known.
func failedJob(m *deploy.Message) (j deploy.Job) {
	if m.Progress != nil && m.Progress.Failed != nil && harmless(m.Progress.Failed.Name, nameLimit) != "" {
		j = *m.Progress.Failed
	}
	return j
}

func linkedJob(j deploy.Job) string {
	if to := address(j.URL); to != "" {
		return link(to, harmless(j.Name, nameLimit))
	}
	return codeSpan(j.Name, nameLimit)
}

// reason is why it failed: the job's, unless that is not known.
func (v Voice) reason(m *deploy.Message) string {
	if j := failedJob(m); j.Name != "" {
		return v.entry("reason", j.Reason)
	}
	return codeSpan(m.Detail, detailLimit)
}

// again is how to try again. Where the bot can run a job again itself, the status
// message has a button.
func (v Voice) again(m *deploy.Message) string {
	if m.Progress != nil && m.Progress.Steers {
		return ""
	}
	return expand(v.word("again"), in(map[string]string{"write": v.write(m)}))
}

func (v Voice) success(s *deploy.Success) string {
	if s == nil {
		return ""
	}
	return expand(v.word("success"), in(map[string]string{"sha": linkedSHA(s.Commit), "ended": date(s.At), "by": user(s.By)}))
}

func compare(c *deploy.Commits) string {
	if c == nil {
		return ""
	}
	return address(c.Compare)
}

// commits is how many go out.
func (v Voice) commits(c *deploy.Commits) string {
	switch {
	case c != nil && c.Back:
		return v["commits"][2]
	case c == nil || c.Count == 0:
		return ""
	}
	n := fmt.Sprint(c.Count)
	if c.More {
		n += "+"
	}
	return expand(v["commits"][min(c.Count, 2)-1], in(map[string]string{"count": n}))
}

// outgoing is what goes out since the last success.
func (v Voice) outgoing(p *deploy.Progress) string {
	c, key := p.Commits, "new"
	switch {
	case c == nil:
		return ""
	case c.Count == 0 && c.Back:
		key = "back"
	case c.Count == 0 && p.Before != nil:
		key = "same"
	case c.Count == 0:
		return ""
	}
	var titles []string
	for _, one := range c.First[:min(len(c.First), 3)] {
		title, author := harmless(one.Title, titleLimit), harmless(one.Author, authorLimit)
		if author != "" {
			title = strings.TrimSpace(title + " (" + author + ")")
		}
		if title != "" {
			titles = append(titles, title)
		}
	}
	if len(titles) > 0 && c.Count > len(titles) {
		titles = append(titles, "…")
	}
	return expand(v.entry("outgoing", key), in(map[string]string{
		"commits": v.commits(c), "titles": strings.Join(titles, v.word("between")), "compare": compare(c),
	}))
}

// stages is how far a pipeline is, in one line.
func stages(p *deploy.Progress) string {
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
