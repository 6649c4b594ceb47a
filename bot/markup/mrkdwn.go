package markup

import (
	"regexp"
	"strings"
)

// escaped is what Slack writes for &, < and >, and for people, channels and links.
var (
	escaped  = regexp.MustCompile(`&(?:amp|lt|gt);|<[^<>\n]*>`)
	unescape = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")
)

// kinds tell people, channels and groups from links, by their first byte.
var kinds = map[string]Kind{"@": User, "#": Channel, "!": Group}

// Parse reads mrkdwn: the text of a message.
func Parse(text string) []Segment {
	var d draft
	done := 0
	for _, at := range escaped.FindAllStringIndex(text, -1) {
		d.plain(text[done:at[0]])
		done = at[1]
		inside, known := strings.CutPrefix(text[at[0]:done], "<")
		if !known {
			d.plain(unescape.Replace(inside))
			continue
		}
		address, label, _ := strings.Cut(strings.TrimSuffix(inside, ">"), "|")
		if kind, is := kinds[address[:min(1, len(address))]]; is {
			d.segment(kind, address[1:])
		} else {
			d.link(address, unescape.Replace(label))
		}
	}
	d.plain(text[done:])
	return d.segments()
}

// link adds a link, with the words that it is shown with.
func (d *draft) link(address, label string) {
	inside := address + "|" + label
	if address == "" || strings.Contains(label, "://") || strings.Contains(address, label) {
		label = ""
	}
	d.segmentWith(Link, label, inside)
}
