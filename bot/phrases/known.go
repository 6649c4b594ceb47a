package phrases

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/getto-systems/psycher/deploy"
)

// Note returns the small line below a question: what runs, or ran last. It is
// empty where nothing is known.
func (v Voice) Note(m deploy.Message) string {
	if len(m.Buttons) == 0 || len(m.Known) == 0 {
		return ""
	}
	k := m.Known[0]
	if k.State.Open() {
		return v.word("now") + v.known(k)
	}
	return v.word("before") + v.known(k)
}

// Button returns the label of a button, as plain text.
func (v Voice) Button(b deploy.Button) string {
	if b.Do == "" {
		return v.word("no")
	}
	what := plain(b.Target, buttonTarget)
	if b.Ref != "" {
		what += " (" + plain(b.Ref, buttonRef) + ")"
	}
	return strings.ReplaceAll(v.word("button"), "{what}", what)
}

// How many characters of a name are on a button, which takes 75.
const (
	buttonTarget = 36
	buttonRef    = 20
)

// plain is a name as plain text shows it, a long one without its middle: many
// names differ at their end alone.
func plain(s string, limit int) string {
	name := []rune(unescape.Replace(harmless(s, nameLimit)))
	if len(name) > limit {
		name = slices.Concat(name[:limit/2], []rune("…"), name[len(name)-limit/2+1:])
	}
	return string(name)
}

var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// Choose returns the label of a menu of targets.
func (v Voice) Choose() string { return v.word("choose") }

// knownLimit is how many characters the list has at most.
const knownLimit = 2500

// list is a line for each deployment.
func (v Voice) list(all []deploy.Known) string {
	var lines []string
	room := knownLimit
	for i, k := range all {
		line := v.known(k)
		if len(all) > 1 {
			line = "• " + line
		}
		if room -= utf8.RuneCountInString(line) + 1; room < 0 {
			lines = append(lines, fmt.Sprintf("… (+%d)", len(all)-i))
			break
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (v Voice) known(k deploy.Known) string {
	values := map[string]string{
		"target": codeSpan(k.Target, nameLimit), "state": v.state(k.State), "by": user(k.By),
		"since": date(k.Since), "ended": date(k.Ended), "link": address(k.URL),
	}
	if k.Ended > k.Since {
		values["took"] = v.took(time.Duration(k.Ended-k.Since) * time.Second)
	}
	return apart(expand(v.word("known"), values))
}

// state is a state in a word.
func (v Voice) state(s deploy.State) string {
	for _, line := range v["state"] {
		if words, found := strings.CutPrefix(line, cmp.Or(string(s), "none")+" "); found {
			return words
		}
	}
	return ""
}

// took is a duration, as people say it: 2m48s.
func (v Voice) took(d time.Duration) string {
	text, units := "", v["units"]
	for i, n := range []time.Duration{d / time.Hour, d / time.Minute % 60, d / time.Second % 60} {
		if n > 0 {
			text += fmt.Sprint(int64(n)) + units[i]
		}
	}
	return text
}

// press says that a button may be pressed, where there is one.
func (v Voice) press(m deploy.Message) string {
	if len(m.Buttons) == 0 {
		return ""
	}
	return v.word("press")
}

// who says who may deploy.
func (v Voice) who(restricted bool) string {
	if restricted {
		return v["who"][1]
	}
	return v["who"][0]
}

// date is a day and a time, in the reader's time zone.
func date(unix int64) string {
	if unix <= 0 {
		return ""
	}
	return fmt.Sprintf("<!date^%d^{date_short_pretty} {time}|%s>", unix, time.Unix(unix, 0).UTC().Format("2006-01-02 15:04 UTC"))
}
