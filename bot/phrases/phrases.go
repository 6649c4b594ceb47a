package phrases

import (
	"cmp"
	"embed"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/getto-systems/psycher/deploy"
)

//go:embed ja.txt en.txt
var files embed.FS

// Voice is psycher's voice in one language: what the language's file has below each
// name. It turns a [deploy.Message] into Slack's mrkdwn.
type Voice map[string][]string

// New returns the voice of a language: "ja" or "en". In its file, a name is a line
// of its own, and each line that belongs to it is indented by one tab.
func New(lang string) (Voice, error) {
	file, err := files.ReadFile(lang + ".txt")
	if err != nil {
		return nil, fmt.Errorf("no phrases for language %q: use \"ja\" or \"en\"", lang)
	}
	v, name := Voice{}, ""
	for line := range strings.SplitSeq(string(file), "\n") {
		if text, indented := strings.CutPrefix(line, "\t"); indented {
			v[name] = append(v[name], strings.ReplaceAll(text, `\n`, "\n"))
		} else {
			name = line // or a comment, or nothing
		}
	}
	return v, nil
}

// word is what the language's file has below a name that has one line.
func (v Voice) word(name string) string { return v[name][0] }

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

// Text returns the wording of m, at most 3,000 characters. The same seed chooses the
// same wording.
func (v Voice) Text(m deploy.Message) string {
	wordings := v[string(m.ID)]
	if len(wordings) == 0 {
		return harmless(string(m.ID), nameLimit)
	}
	if slices.ContainsFunc(m.Known, func(k deploy.Known) bool {
		return k.State.Open() || k.State == deploy.Silent || k.State == deploy.Failed
	}) {
		wordings = wordings[:1] // the first one jokes about nothing
	}
	wording := wordings[m.Seed%uint32(len(wordings))]
	return v.addressed(m, apart(expand(v.withPresser(m, wording), v.of(m))))
}

// addressed is the text of a message with the person's name first, where it is in the
// channel itself.
func (v Voice) addressed(m deploy.Message, text string) string {
	if name := user(m.User); m.InChannel && name != "" && !strings.HasPrefix(text, name) {
		return name + v.word("to") + text
	}
	return text
}

// withPresser is the wording of a status message with who pressed the button, and who has
// approved it.
func (v Voice) withPresser(m deploy.Message, wording string) string {
	if !IsStatus(m) {
		return wording
	}
	if !strings.Contains(wording, "{by}") {
		wording += "[" + v.word("pressed") + "]"
	}
	return wording + "[" + v.word("approved") + "]"
}

// IsStatus reports whether m is the status message of a deployment.
func IsStatus(m deploy.Message) bool {
	return strings.HasPrefix(string(m.ID), "status-") || strings.HasPrefix(string(m.ID), "wait-")
}

// How many characters of a value are shown, counted as sent. With the longest
// wording they stay below the limit of a text.
const (
	nameLimit    = 100
	wordLimit    = 80
	detailLimit  = 300
	urlLimit     = 800
	targetsLimit = 700
)

// inFull is the full name of a short ref, as a branch or a tag.
func inFull(kind, ref string) string {
	if ref == "" || strings.HasPrefix(ref, "refs/") {
		return ""
	}
	return kind + ref
}

func listTargets(names []string) string {
	return fit(each(names, func(name string) string { return codeSpan(name, nameLimit) }), ", ", targetsLimit)
}

// fit joins what has room, in characters, and says how many have none.
func fit(all []string, separator string, room int) string {
	for i, one := range all {
		if room -= utf8.RuneCountInString(one + separator); room < 0 {
			all = append(all[:i:i], fmt.Sprintf("… (+%d)", len(all)-i))
			break
		}
	}
	return strings.Join(all, separator)
}

// each is how all of them are shown, but those that are not.
func each(all []string, show func(string) string) (shown []string) {
	for _, one := range all {
		if text := show(one); text != "" {
			shown = append(shown, text)
		}
	}
	return shown
}

func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// user mentions a person, and only a person: no channel, no group.
func user(id string) string {
	if !deploy.IsID(id) || len(id) < 2 || id[0] != 'U' && id[0] != 'W' {
		return ""
	}
	return "<@" + id + ">"
}

// personOrGroup mentions a person. A group is only named: a mention would call all of it.
func personOrGroup(id string) string { return cmp.Or(user(id), codeSpan(id, nameLimit)) }

// address is a URL escaped for a link. A URL with a password, or with a scheme
// other than http and https, is not shown.
func address(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return ""
	}
	shown := escape.Replace(notInLinks.ReplaceAllStringFunc(raw, url.PathEscape))
	if len(shown) > urlLimit {
		return ""
	}
	return shown
}

// notInLinks is what Slack does not read in a link.
var notInLinks = regexp.MustCompile("[^!-~]|[|<>`\"]")

// linked is a label as a link, if it may be one.
func linked(url, label string) string {
	if to := address(url); to != "" && label != "" {
		return link(to, label)
	}
	return label
}

func link(address, label string) string { return "<" + address + "|" + label + ">" }

// codeSpan shows a value as code, so that Slack neither links nor formats it.
func codeSpan(s string, limit int) string {
	s = harmless(s, limit)
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// harmless makes foreign text safe to show: one line of at most limit characters,
// without anything that Slack reads as a mention, a link or code.
func harmless(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '`':
			return '\''
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError, unicode.In(r, unicode.Cc, unicode.Cf):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if whole := escape.Replace(s); utf8.RuneCountInString(whole) <= limit {
		return whole
	}
	r := []rune(s)
	r = r[:min(len(r), limit)]
	for utf8.RuneCountInString(escape.Replace(string(r))) >= limit {
		r = r[:len(r)-1]
	}
	return escape.Replace(string(r)) + "…"
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// expand fills in a wording. A part in brackets is a choice, [this|that]: the first
// one without an empty placeholder is used, or none. Placeholders in a value are
// not expanded.
func expand(wording string, value func(name string) string) (text string) {
	for {
		before, rest, found := strings.Cut(wording, "[")
		filled, _ := fill(before, value)
		text += filled
		if !found {
			return text
		}
		var choices string
		choices, wording, _ = strings.Cut(rest, "]")
		for one := range strings.SplitSeq(choices, "|") {
			if filled, known := fill(one, value); known {
				text += filled
				break
			}
		}
	}
}

// fill fills in the placeholders of a text: {name}, or {link:its label}. known is
// false if one of them is empty.
func fill(text string, value func(name string) string) (filled string, known bool) {
	for known = true; ; {
		before, rest, found := strings.Cut(text, "{")
		filled += before
		if !found {
			return filled, known
		}
		rest, text, _ = strings.Cut(rest, "}")
		name, label, labelled := strings.Cut(rest, ":")
		is := value(name)
		if known = known && is != ""; labelled && is != "" {
			is = link(is, label)
		}
		filled += is
	}
}

// apart puts a space between code and adjacent words, since Slack shows `app`を with
// its backticks.
func apart(text string) string {
	parts := strings.Split(text, "`") // every second one is code
	for i := 1; i < len(parts)-1; i += 2 {
		before, after := &parts[i-1], &parts[i+1]
		if n := len(*before); n > 0 && strings.IndexByte(" \n(", (*before)[n-1]) < 0 {
			*before += " "
		}
		if *after != "" && strings.IndexByte(" \n).,:;!?", (*after)[0]) < 0 {
			*after = " " + *after
		}
	}
	return strings.Join(parts, "`")
}
