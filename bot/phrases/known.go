package phrases

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/getto-systems/psycher/deploy"
)

// knownLimit is how many characters the list has at most.
const knownLimit = 2500

// noteLimit is the same of those below a question: Slack takes 2,000 of a context.
const noteLimit = 1900

// list is a line for each deployment that the message tells of.
func (v Voice) list(m *deploy.Message) string {
	others := v.frozen(m.Frozen) + v.rules(m.Rules)
	return v.listWithin(m.Known, knownLimit-utf8.RuneCountInString(others))
}

func (v Voice) listWithin(all []deploy.Known, limit int) string {
	var lines []string
	for _, k := range all {
		line := v.known(k)
		if len(all) > 1 {
			line = "• " + line
		}
		lines = append(lines, line)
	}
	return fit(lines, "\n", limit)
}

func (v Voice) known(k deploy.Known) string {
	values := map[string]string{
		"target": codeSpan(k.Target, nameLimit), "state": v.state(k.State), "by": user(k.By),
		"since": date(k.Since), "ended": date(k.Ended), "link": address(k.URL), "sha": shortSHA(k.SHA),
		"until": date(k.Until), "reason": harmless(k.Reason, wordLimit),
	}
	if k.Back {
		values["state"] = v.entry("state", "back") + v.word("between") + values["state"]
	}
	if k.State.Open() {
		values["usual"] = v.took(roughly(k.Usual))
	}
	if k.Ended > k.Since {
		values["took"] = v.took(k.Ended - k.Since)
	}
	return apart(expand(v.word("known"), in(values)))
}

// note is the small line below a question: what runs, or ran last. It is empty
// where nothing is known, or the text tells of it. A question about what goes on names all
// of that.
func (v Voice) note(m deploy.Message) string {
	known := m.Known
	if m.NamesBeside() {
		known = m.Beside(m.ID)
	}
	if len(m.Buttons) == 0 || len(known) == 0 || m.ID == deploy.MsgStop {
		return ""
	}
	// mutant: a button that confirms more than the text above it names
	if m.NamesBeside() && len(known) > 1 {
		return strings.TrimSpace(v.word("now")) + "\n" + v.listWithin(known, noteLimit)
	}
	k := known[0]
	if k.State.Open() {
		return v.word("now") + v.known(k)
	}
	return v.word("before") + v.known(k)
}

// alsoLimit is how many characters the lines of further reasons have in one paragraph.
const alsoLimit = 2900

// also are the further reasons of a message, a line for each: paragraphs that Slack takes.
func (v Voice) also(m deploy.Message) (paragraphs []string) {
	of, last := v.of(m), 0
	for i, reason := range m.Also {
		line := "• " + apart(expand(v.entry("also", string(reason)), func(name string) string {
			if name != "beside" {
				return of(name)
			}
			var all []string
			for _, k := range m.Beside(reason) {
				all = append(all, v.known(k))
			}
			return fit(all, v.word("between"), noteLimit)
		}))
		if i > 0 && utf8.RuneCountInString(paragraphs[last]+line) < alsoLimit {
			paragraphs[last] += "\n" + line
			continue
		}
		paragraphs = append(paragraphs, line)
		last = len(paragraphs) - 1
	}
	return paragraphs
}

// state is a state in a word.
func (v Voice) state(s deploy.State) string { return v.entry("state", cmp.Or(string(s), "none")) }

const day = 24 * 3600 // seconds

// took is how long something took, as people say it: 2m48s.
func (v Voice) took(seconds int64) string {
	text := ""
	for i, n := range []int64{seconds / day, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60} {
		if n > 0 {
			text += fmt.Sprint(n) + v["units"][i]
		}
	}
	return text
}

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

func timeOfDay(unix int64) string { return inTheirZone(unix, "{time}", "15:04 UTC") }

func date(unix int64) string {
	return inTheirZone(unix, "{date_short_pretty} {time}", "2006-01-02 15:04 UTC")
}

// inTheirZone is a moment in the reader's time zone, and for clients that cannot
// show that in UTC.
func inTheirZone(unix int64, format, otherwise string) string {
	if unix <= 0 {
		return ""
	}
	return fmt.Sprintf("<!date^%d^%s|%s>", unix, format, time.Unix(unix, 0).UTC().Format(otherwise))
}

// frozen is a line for each freeze.
func (v Voice) frozen(all []deploy.Frozen) string {
	var lines []string
	for _, f := range all {
		lines = append(lines, apart(expand(v.word("freeze-line"), in(map[string]string{
			"target": codeSpan(f.Target, nameLimit), "reason": harmless(f.Reason, wordLimit), "zone": harmless(f.Zone, nameLimit),
			"since": v.inZone(f.Since, f.Zone), "until": v.inZone(f.Until, f.Zone),
		}))))
	}
	return fit(lines, "\n", targetsLimit)
}

// inZone is a moment as it is said in a time zone; empty: it is not known.
func (v Voice) inZone(unix int64, zone string) string {
	place, err := time.LoadLocation(zone)
	if unix <= 0 || err != nil {
		return ""
	}
	at := time.Unix(unix, 0).In(place)
	return expand(at.Format(v.word("moment")), in(map[string]string{"weekday": v["weekday"][at.Weekday()]}))
}

// rules is a line for each target that has any.
func (v Voice) rules(all []deploy.Rules) string {
	var lines []string
	for _, r := range all {
		var parts []string
		add := func(key string, ids []string, n int) {
			people := each(ids[:min(len(ids), rulesPeople)], personOrGroup)
			if len(ids) > rulesPeople {
				people = append(people, "…")
			}
			values := map[string]string{"people": strings.Join(people, ", "), "count": count(n)}
			parts = append(parts, expand(v.entry("rules", key), in(values)))
		}
		if len(r.Allow) > 0 {
			add("allow", r.Allow, 0)
		}
		switch {
		case r.Approvals > 1:
			add("approvals", r.Approvers, r.Approvals)
		case r.Approvals == 1:
			add("approval", r.Approvers, 1)
		case r.Confirm:
			add("confirm", nil, 0)
		}
		lines = append(lines, expand(v.word("rules-line"), in(map[string]string{
			"target": codeSpan(r.Target, nameLimit), "rules": strings.Join(parts, " · "),
		})))
	}
	return fit(lines, "\n", targetsLimit)
}

// rulesPeople is how many people are named in a part of a target's rules.
const rulesPeople = 3
