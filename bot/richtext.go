package bot

import (
	"cmp"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/getto-systems/psycher/bot/web"
)

// words is the event's text without preformatted text, quotes and what is struck
// through, whether the bot is named in it, and whether all of it could be read.
// Rich text blocks are believed where there are some and they can be read: there
// a mention that was typed as code is no mention. Inline code stays, between
// backticks: no word in it asks for a deploy, but a name in it may hold one back.
func (e mentionEvent) words(me string) (text string, named, whole bool) {
	r := richText{me: me}
	if r.read(e.Blocks) {
		return strings.TrimSpace(r.out.String()), r.named, !r.broken && !r.odd
	}
	text = strings.TrimSpace(withoutStruck(withoutQuotes(withoutPairs(string(e.Text), "```"))))
	plain := withoutInlineCode(text)
	return text, strings.Contains(plain, "<@"+me+">") || strings.Contains(plain, "<@"+me+"|"), !r.broken && !r.odd
}

// richText turns rich text blocks back into what the message's text would be:
// with Slack's escapes, links as <url|label>, users as <@U>.
type richText struct {
	me     string
	named  bool
	broken bool // something in it could not be read
	odd    bool // something beside it is no block
	out    strings.Builder
}

// richElement is any node of a rich text block: a block, a section, a word.
type richElement struct {
	Type     web.Lenient     `json:"type"`
	Elements json.RawMessage `json:"elements"`
	Text     richWords       `json:"text"`
	URL      web.Lenient     `json:"url"`
	Name     web.Lenient     `json:"name"`
	UserID   web.Lenient     `json:"user_id"`
	Channel  web.Lenient     `json:"channel_id"`
	Group    web.Lenient     `json:"usergroup_id"`
	Range    web.Lenient     `json:"range"`
	Fallback web.Lenient     `json:"fallback"`
	Value    web.Lenient     `json:"value"`
	Style    richStyle       `json:"style"`
	Border   json.RawMessage `json:"border"` // 1: drawn as a quote, which is how a list in a quote comes
}

// richWords are words that tell whether they could not be read.
type richWords struct {
	web.Lenient
	odd bool
}

func (w *richWords) UnmarshalJSON(b []byte) error {
	err := w.Lenient.UnmarshalJSON(b)
	w.odd = w.Lenient == "" && string(b) != `""` && string(b) != "null"
	return err
}

// richStyle is how words look. What cannot be read as a style may be any.
type richStyle struct{ code, strike, odd bool }

// UnmarshalJSON never fails: a list, for one, has a string as its style.
func (s *richStyle) UnmarshalJSON(b []byte) error {
	var style struct {
		Code   json.RawMessage `json:"code"`
		Strike json.RawMessage `json:"strike"`
	}
	err := json.Unmarshal(b, &style)
	*s = richStyle{code: present(style.Code), strike: present(style.Strike), odd: err != nil}
	return nil
}

// richDepth is how deep elements may be nested; Slack's own go four deep.
const richDepth = 8

// read tells whether there was rich text that could be read.
func (r *richText) read(raw json.RawMessage) bool {
	found := false
	blocks, ok := elements(raw)
	r.odd = present(raw) && !ok
	for _, block := range blocks {
		if block.Type == "rich_text" {
			found = true
			r.inside(block, richDepth)
		}
	}
	return found && !r.broken
}

func (r *richText) inside(parent richElement, depth int) {
	children, ok := elements(parent.Elements)
	if !ok || depth == 0 {
		r.broken = true
		return
	}
	for _, e := range children {
		switch {
		case e.Type == "rich_text_quote", e.Type == "rich_text_preformatted", present(e.Border) && string(e.Border) != "0":
			r.out.WriteByte('\n')
		case len(e.Elements) > 0:
			r.inside(e, depth-1)
			r.out.WriteByte('\n')
		// mutant: struck-through words heard
		case e.Style.strike:
			r.out.WriteByte(' ') // taken back: no word, no name, no mention
		case e.Style.odd:
			r.broken = true
		case e.Style.code:
			r.broken = r.broken || e.Text.odd
			r.write("`", cmp.Or(web.Lenient(inCode.Replace(string(e.Text.Lenient))), " "), "`")
		default:
			if had := r.out.Len(); !r.word(e) && r.out.Len() == had {
				r.broken = true
			}
		}
	}
}

// inCode keeps code between its backticks, and on one line.
var inCode = strings.NewReplacer("`", "'", "\n", " ", "\r", " ")

// word writes an element. Nothing may be written only where empty is true: else
// there is something that is not understood.
func (r *richText) word(e richElement) (empty bool) {
	switch e.Type {
	case "user":
		r.named = r.named || e.UserID != "" && string(e.UserID) == r.me
		r.write("<@", e.UserID, ">")
	case "channel":
		r.write("<#", e.Channel, ">")
	case "usergroup":
		r.write("<!subteam^", e.Group, ">")
	case "broadcast":
		r.write("<!", e.Range, ">")
	case "emoji":
		r.write(":", e.Name, ":")
	case "link":
		if label := e.Text.Lenient; label == "" || label == e.URL {
			r.write("<", e.URL, ">")
		} else {
			r.write("<", e.URL+"|"+label, ">")
		}
	default: // text, a date, a colour, and what Slack has not thought of yet
		r.write("", cmp.Or(e.Text.Lenient, e.Fallback, e.Value), "")
		return e.Type == "text" && !e.Text.odd
	}
	return false
}

// write escapes what stands between the marks as Slack does in a message's text.
func (r *richText) write(before string, s web.Lenient, after string) {
	if s == "" {
		return
	}
	r.out.WriteString(before)
	for _, c := range string(s) {
		switch c {
		case '&':
			r.out.WriteString("&amp;")
		case '<':
			r.out.WriteString("&lt;")
		case '>':
			r.out.WriteString("&gt;")
		default:
			r.out.WriteRune(c)
		}
	}
	r.out.WriteString(after)
}

// elements reads a list of elements; ok is false where it, or one of it, is none.
func elements(raw json.RawMessage) (list []richElement, ok bool) {
	var each []json.RawMessage
	if json.Unmarshal(raw, &each) != nil {
		return nil, false
	}
	ok = true
	for _, one := range each {
		var e richElement
		if json.Unmarshal(one, &e) != nil {
			ok = false
			continue
		}
		list = append(list, e)
	}
	return list, ok
}

// withoutStruck takes ~struck-through~ words out of a text, leaving a space. It
// does not span lines, its marks stand at the ends of words, and it is no mark
// within code.
func withoutStruck(s string) string {
	if strings.Count(s, "~") < 2 {
		return s
	}
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		var out strings.Builder
		for at := 0; at < len(line); {
			n := 1
			switch line[at] {
			case '`':
				n = codeAt(line[at:])
			case '~':
				if n = struckAt(line, at); n > 1 {
					out.WriteByte(' ')
					at += n
					continue
				}
			}
			out.WriteString(line[at : at+n])
			at += n
		}
		lines[i] = out.String()
	}
	return strings.Join(lines, "\n")
}

// codeAt is the length of the code that a line begins with; 1 if it is a lone mark.
func codeAt(line string) int {
	if n := strings.IndexByte(line[1:], '`'); n > 0 {
		return n + 2
	}
	return 1
}

// struckAt is the length of what is struck through from a mark on; 1 if nothing is.
func struckAt(line string, from int) int {
	before, _ := utf8.DecodeLastRuneInString(line[:from])
	first, _ := utf8.DecodeRuneInString(line[from+1:])
	if wordRune(before) || from+1 == len(line) || unicode.IsSpace(first) || first == '~' {
		return 1
	}
	for at := from + 1; at < len(line); {
		switch line[at] {
		case '`':
			at += codeAt(line[at:])
			continue
		case '~':
			last, _ := utf8.DecodeLastRuneInString(line[:at])
			after, _ := utf8.DecodeRuneInString(line[at+1:])
			if !unicode.IsSpace(last) && !wordRune(after) {
				return at + 1 - from
			}
		}
		at++
	}
	return 1
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// withoutInlineCode takes `code` out of a text: it does not span lines.
func withoutInlineCode(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = withoutPairs(line, "`")
	}
	return strings.Join(lines, "\n")
}

// withoutPairs takes out what stands between two marks, leaving a space. A mark
// without its second is none.
func withoutPairs(s, mark string) string {
	var out strings.Builder
	for {
		before, rest, opened := strings.Cut(s, mark)
		_, after, closed := strings.Cut(rest, mark)
		if !opened || !closed {
			out.WriteString(s)
			return out.String()
		}
		out.WriteString(before)
		out.WriteByte(' ')
		s = after
	}
}

// withoutQuotes takes the quoted lines out of a message's plain text: those that
// begin with >, and all that follows >>>.
func withoutQuotes(s string) string {
	var kept []string
	for line := range strings.SplitSeq(s, "\n") {
		start := strings.ReplaceAll(strings.TrimSpace(line), "&gt;", ">")
		if strings.HasPrefix(start, ">>>") {
			break
		}
		if !strings.HasPrefix(start, ">") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}
