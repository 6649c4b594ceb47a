package fakeslack

import (
	"encoding/json"
	"regexp"
	"strings"
)

// What Slack formats within a line, by the number of its group.
const (
	tokenCode = 1 + iota
	tokenEntity
	tokenURL
	tokenMail
	tokenDomain
	tokenEmoji
)

var (
	token = regexp.MustCompile("(`[^`\n]+`)" +
		`|(<[@#!][^<>\s]+>)` +
		`|(https?://[-\w.~:/?#@!$&'()*+,;=%]*[-\w~/#=&%+])` +
		`|([\w.+-]+@[\w-]+(?:\.[\w-]+)+)` +
		`|((?i:\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|net|org|io|dev|app|jp|sh|md|me|ai|co|rs|py|info|cloud)\b)(?:/[-\w.~/?#&=%+]*)?)` +
		`|(:[a-z+-][a-z0-9_+'-]*:)`)
	escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	entity  = regexp.MustCompile(`<[@#!][^<>\s]+>`)
)

type element = map[string]any

// compose turns what a person types into the two forms that Slack keeps: the
// text, escaped and with links, and a rich_text block.
func compose(typed string) (text string, blocks json.RawMessage) {
	var b strings.Builder
	var parts []element
	fences := strings.Split(typed, "```")
	for i, part := range fences {
		if i%2 == 1 && i < len(fences)-1 {
			b.WriteString("```" + escape(part) + "```")
			parts = append(parts, element{"type": "rich_text_preformatted", "border": 0, "elements": []element{textElement(strings.Trim(part, "\n"))}})
			continue
		}
		if i%2 == 1 {
			part = "```" + part // a fence that nothing closes
		}
		for _, run := range runs(part) {
			kind, inner := "rich_text_section", run.text
			if run.quote {
				kind = "rich_text_quote"
			}
			t, elements := inline(inner)
			if run.quote {
				t = "&gt; " + strings.ReplaceAll(t, "\n", "\n&gt; ")
			}
			b.WriteString(t + run.end)
			if len(elements) > 0 {
				parts = append(parts, element{"type": kind, "elements": elements})
			}
		}
	}
	blocks, err := json.Marshal([]element{{"type": "rich_text", "block_id": "b1", "elements": parts}})
	if err != nil {
		panic(err) // maps of strings can be marshalled
	}
	return b.String(), blocks
}

type run struct {
	quote bool
	text  string
	end   string
}

// runs parts text into quoted lines and others.
func runs(text string) []run {
	var all []run
	for line := range strings.Lines(text) {
		body, ended := strings.CutSuffix(line, "\n")
		body, quote := strings.CutPrefix(body, ">")
		if quote {
			body = strings.TrimPrefix(body, " ")
		}
		if n := len(all); n > 0 && all[n-1].quote == quote {
			all[n-1].text += "\n" + body
		} else {
			all = append(all, run{quote: quote, text: body})
		}
		all[len(all)-1].end = ""
		if ended {
			all[len(all)-1].end = "\n"
		}
	}
	return all
}

// struck is what is struck through within a line.
var struck = regexp.MustCompile("~[^~\\s](?:[^~\n]*[^~\\s])?~")

// inline formats the text of lines, parts of which may be struck through.
func inline(lines string) (text string, elements []element) {
	var b strings.Builder
	from := 0
	add := func(part string) []element {
		t, e := unstruck(part)
		b.WriteString(t)
		elements = append(elements, e...)
		return e
	}
	for _, at := range struck.FindAllStringIndex(lines, -1) {
		if at[0] > 0 && lines[at[0]-1] != ' ' && lines[at[0]-1] != '\n' {
			continue
		}
		add(lines[from:at[0]])
		b.WriteByte('~')
		for _, e := range add(lines[at[0]+1 : at[1]-1]) {
			style, _ := e["style"].(element)
			if style == nil {
				style = element{}
			}
			style["strike"] = true
			e["style"] = style
		}
		b.WriteByte('~')
		from = at[1]
	}
	add(lines[from:])
	return b.String(), elements
}

func unstruck(line string) (text string, elements []element) {
	var b strings.Builder
	plain := func(s string) {
		if s != "" {
			b.WriteString(escaper.Replace(s))
			elements = append(elements, textElement(s))
		}
	}
	from := 0
	for _, at := range token.FindAllStringSubmatchIndex(line, -1) {
		plain(line[from:at[0]])
		from = at[1]
		t := line[at[0]:at[1]]
		for kind := tokenCode; kind <= tokenEmoji; kind++ {
			if at[2*kind] >= 0 {
				wire, e := special(kind, t)
				b.WriteString(wire)
				elements = append(elements, e)
			}
		}
	}
	plain(line[from:])
	return b.String(), elements
}

func special(kind int, t string) (wire string, e element) {
	switch kind {
	case tokenCode:
		e = textElement(strings.Trim(t, "`"))
		e["style"] = element{"code": true}
		return escape(t), e
	case tokenURL:
		return "<" + escaper.Replace(t) + ">", element{"type": "link", "url": t}
	case tokenMail:
		return "<mailto:" + t + "|" + t + ">", element{"type": "link", "url": "mailto:" + t, "text": t}
	case tokenDomain:
		return "<http://" + t + "|" + t + ">", element{"type": "link", "url": "http://" + t, "text": t}
	case tokenEmoji:
		return t, element{"type": "emoji", "name": strings.Trim(t, ":")}
	}
	id, _, _ := strings.Cut(strings.Trim(t, "<>"), "|")
	switch {
	case id[0] == '@':
		return t, element{"type": "user", "user_id": id[1:]}
	case id[0] == '#':
		return t, element{"type": "channel", "channel_id": id[1:]}
	case strings.HasPrefix(id, "!subteam^"):
		return t, element{"type": "usergroup", "usergroup_id": strings.TrimPrefix(id, "!subteam^")}
	default:
		return t, element{"type": "broadcast", "range": id[1:]}
	}
}

func textElement(s string) element { return element{"type": "text", "text": s} }

// escape escapes everything but mentions: Slack keeps those even in code, and
// delivers them.
func escape(s string) string {
	var b strings.Builder
	from := 0
	for _, at := range entity.FindAllStringIndex(s, -1) {
		b.WriteString(escaper.Replace(s[from:at[0]]) + s[at[0]:at[1]])
		from = at[1]
	}
	return b.String() + escaper.Replace(s[from:])
}
