package phrases

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/getto-systems/psycher/deploy"
)

// How many characters of a name are on a button.
const (
	buttonTarget = 36
	buttonRef    = 20
)

// plain is foreign text as plain text shows it.
func plain(s string, limit int) string {
	return middle(unescape.Replace(harmless(s, nameLimit)), limit)
}

// middle leaves a long text without its middle: many names differ at their end alone.
func middle(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit/2]) + "…" + string(r[len(r)-limit/2+1:])
	}
	return s
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
		"since": date(k.Since), "ended": date(k.Ended), "link": address(k.URL), "sha": shortSHA(k.SHA),
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
// where nothing is known, or the text tells of it.
func (v Voice) note(m deploy.Message) string {
	if len(m.Buttons) == 0 || len(m.Known) == 0 || m.ID == deploy.MsgStop {
		return ""
	}
	k := m.Known[0]
	if k.State.Open() {
		return v.word("now") + v.known(k)
	}
	return v.word("before") + v.known(k)
}

// state is a state in a word.
func (v Voice) state(s deploy.State) string { return v.entry("state", cmp.Or(string(s), "none")) }

// entry is what the language's file has below a name for a key, with which its line
// begins; empty: nothing.
func (v Voice) entry(name, key string) string {
	for _, line := range v[name] {
		if words, found := strings.CutPrefix(line, key+" "); found {
			return words
		}
	}
	return ""
}

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

// press says that a button may be pressed, where there is one.
func (v Voice) press(m *deploy.Message) string {
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
