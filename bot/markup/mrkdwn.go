package markup

import "strings"

// Parse reads mrkdwn: the text of a message.
func Parse(text string) []Segment {
	var d draft
	for text != "" {
		n := strings.IndexAny(text, "<&")
		if n < 0 {
			break
		}
		d.plain(text[:n])
		text = text[n:]
		if size := d.escaped(text); size > 0 {
			text = text[size:]
			continue
		}
		d.plain(text[:1])
		text = text[1:]
	}
	d.plain(text)
	return d.segments()
}

var escapes = [...][2]string{{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}}

// escaped reads the escape or the <link> that text begins with, and returns its
// length; 0 if there is none.
func (d *draft) escaped(text string) int {
	for _, e := range escapes {
		if strings.HasPrefix(text, e[0]) {
			d.plain(e[1])
			return len(e[0])
		}
	}
	inside, _, closed := strings.Cut(text[1:], ">")
	if text[0] != '<' || !closed || strings.ContainsAny(inside, "<\n") {
		return 0
	}
	address, label, _ := strings.Cut(inside, "|")
	kind := Link
	if address != "" {
		kind = map[byte]Kind{'@': User, '#': Channel, '!': Group}[address[0]]
	}
	if kind != "" && kind != Link {
		d.segment(kind, address[1:])
	} else {
		d.link(address, unescape.Replace(label))
	}
	return len(inside) + len("<>")
}

var unescape = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")

// link adds a link, with the words that it is shown with.
func (d *draft) link(address, label string) {
	inside := address + "|" + label
	if address == "" || strings.Contains(label, "://") || strings.Contains(address, label) {
		label = ""
	}
	d.segmentWith(Link, label, inside)
}
