package words

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/deploy"
)

// Signs stand in a text for what is no word. They are private runes; those that a
// person writes are taken out.
const (
	signTarget = '\uE000' // a target of the channel, by its place among them
	signThing  = '\uF001' // code, a quotation, a link, a channel, a group
	signPerson = '\uF002' // a person
	signRef    = '\uF003' // the ref that the channel's targets deploy
	signNo     = '\uF004' // an emoji that says no, stop or hm
)

// signs are the rules that match a sign.
var signs = map[string]rune{"target": signTarget, "thing": signThing, "person": signPerson, "ref": signRef, "no": signNo}

func isTarget(r rune) bool { return r >= signTarget && r < signThing }

// text is what a person wrote, in the form in which words are compared: NFKC, in
// lower case, one space between words, with signs for what is no word.
type text struct {
	folded string
	raw    string // as written
	at     []int  // byte of folded, or its end -> where its piece begins in raw
	also   []int  // targets whose name is a deploy word, which stays one
}

// original returns folded[from:to] as the person wrote it.
func (t text) original(from, to int) string {
	return strings.Trim(t.raw[t.at[from]:t.at[to]], " \t\r\n*_")
}

// builder folds a text.
type builder struct {
	folded, raw []byte
	at          []int
	names       map[string]rune
	bold        bool // an asterisk is a mark of bold words
}

// harmless are the emoji that say nothing, or please. Any other may say no, wait or done.
var harmless = strings.Fields(`pray bow man-bowing woman-bowing person_bowing rocket shipit tada smile smiley grin grinning blush slightly_smiling_face
	relaxed +1 thumbsup ok_hand muscle fire wave sparkles raised_hands clap star zap dash 100 heart coffee tea beers sunny point_up
	onegai onegaishimasu yoroshiku arigatou ohayou`)

const harmlessSigns = "🙏🙇🚀🎉😄😃😁😀😊🙂☺👍👌💪🔥👋✨🙌👏⭐⚡💨💯❤☕🍵🍻☀☝"

// readText folds the words of a message. A target's name counts where it stands
// alone, in code or quotation marks too.
func readText(segments []markup.Segment, here []deploy.Target) text {
	names, also := namesOf(here)
	b, stars := builder{names: names}, 0
	for _, s := range segments {
		if s.Kind == markup.Plain {
			stars += strings.Count(s.Text, "*")
		}
	}
	b.bold = stars%2 == 0
	for _, s := range segments {
		switch s.Kind {
		case markup.Plain:
			b.plain(s.Text)
		case markup.Code:
			b.thing(s.Text, s.Text)
		case markup.Link:
			b.thing(s.Text, cmp.Or(s.Text, "…"))
		case markup.Emoji:
			if slices.Contains(harmless, s.Text) || strings.HasPrefix(s.Text, "skin-tone-") {
				b.add(" ", "")
			} else {
				b.add(string(signNo), ":"+s.Text+":")
			}
		case markup.Channel, markup.Group:
			b.add(string(signThing), "@"+s.Text)
		case markup.User:
			b.add(string(signPerson), "@"+s.Text)
		case markup.Quote: // what is quoted first is answered; later it belongs to what is said
			if strings.TrimSpace(string(b.folded)) == "" {
				b.add("\n", "")
			} else {
				b.add(string(signThing), "…")
			}
		case markup.Self, markup.Strike:
			b.add(" ", "")
		}
	}
	return b.text(also)
}

// add adds a folded piece, and what it stands for.
func (b *builder) add(piece, raw string) {
	if piece == " " && len(b.folded) > 0 && b.folded[len(b.folded)-1] == ' ' {
		piece = ""
	}
	for range len(piece) {
		b.at = append(b.at, len(b.raw))
	}
	b.folded = append(b.folded, piece...)
	b.raw = append(b.raw, raw...)
}

func (b *builder) thing(inside, raw string) {
	if raw == "" {
		return
	}
	b.add(string(cmp.Or(b.names[foldName(inside)], signThing)), raw)
}

// plain adds words.
func (b *builder) plain(s string) {
	var it norm.Iter
	it.InitString(norm.NFKC, s)
	for before, start := ' ', 0; !it.Done(); start = it.Pos() {
		r, size := utf8.DecodeRuneInString(s[start:])
		if inside, n := quotation(s[start:], r, before); n > 0 {
			b.thing(inside, s[start:start+n])
			s, before = s[start+n:], r
			it.InitString(norm.NFKC, s)
			continue
		}
		after, _ := utf8.DecodeRuneInString(s[start+size:])
		piece := foldCase(string(it.Next()))
		switch {
		case strings.ContainsRune(harmlessSigns, r), unicode.Is(unicode.Sk, r) && r > utf8.RuneSelf: // and the tones of skin
			piece = " "
		case unicode.Is(unicode.So, r), strings.ContainsRune("‼⁉", r):
			piece = string(signNo)
		case r == '*' && b.bold, unicode.In(r, unicode.Cf, unicode.Variation_Selector), r == '_' && !(isName(before) && isName(after)):
			piece = "" // bold, italics, zero width: no part of any word
		case r == '〜', r == '～':
			piece = " "
		case r == '\n':
		case unicode.In(r, unicode.Co, unicode.Cc), r == utf8.RuneError, strings.TrimSpace(piece) == "":
			piece = " "
		}
		b.add(piece, s[start:it.Pos()])
		before = r
	}
}

// text is the text with a sign for every name in it: the longest name wins.
func (b *builder) text(also []int) text {
	folded := string(b.folded)
	signAt := map[int]span{}       // by where it begins
	left := slices.Clone(b.folded) // without the names that were found
	for _, name := range slices.SortedFunc(maps.Keys(b.names), func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) }) {
		for from := 0; ; {
			n := bytes.Index(left[from:], []byte(name))
			if n < 0 {
				break
			}
			s := span{from + n, from + n + len(name)}
			from = s.to
			if alone(folded, s) {
				signAt[s.from] = s
				clear(left[s.from:s.to])
			}
		}
	}
	t := text{raw: string(b.raw), also: also}
	var out strings.Builder
	for i := 0; i < len(folded); {
		piece, next := folded[i:i+1], i+1
		if s, ok := signAt[i]; ok {
			piece, next = string(b.names[folded[s.from:s.to]]), s.to
		}
		for range len(piece) {
			t.at = append(t.at, b.at[i])
		}
		out.WriteString(piece)
		i = next
	}
	t.at, t.folded = append(t.at, len(t.raw)), out.String()
	return t
}

// span is a part of a text.
type span struct{ from, to int }

// alone reports whether a name stands alone: no ASCII end of it touches a letter, digit, -
// or _.
func alone(s string, at span) bool {
	return (at.from == 0 || !nameByte(s[at.from]) || !nameByte(s[at.from-1])) &&
		(at.to == len(s) || !nameByte(s[at.to-1]) || !nameByte(s[at.to]))
}

// reserved reports whether a name is a word that says something by itself, and so
// names nothing. It remembers what it found: there are as many names as targets.
func reserved(name string) bool {
	known, ok := reservedNames.Load(name)
	if !ok {
		m := match{text: name}
		known = name == "" || m.whole("doubtful", 0) || slices.ContainsFunc(roles, func(r *role) bool { return r.rule != "report" && m.whole(r.rule, 0) })
		reservedNames.Store(name, known)
	}
	return known.(bool)
}

var reservedNames sync.Map

// namesOf are the names that count in a channel, folded, with their signs: its
// targets, and the ref that all of them deploy. A name that is a deploy word stays
// one: also has its target.
func namesOf(here []deploy.Target) (names map[string]rune, also []int) {
	names = map[string]rune{}
	// mutant: the branch of one target taken for that of all
	if len(here) > 0 && !reserved(foldName(here[0].Ref)) && !slices.ContainsFunc(here, func(t deploy.Target) bool { return t.Ref != here[0].Ref }) {
		names[foldName(here[0].Ref)] = signRef
	}
	for i, t := range here[:min(len(here), signThing-signTarget)] {
		for _, name := range t.Names() {
			name = foldName(name)
			if (&match{text: name}).whole("deploy", 0) {
				also = append(also, i)
			} else if !reserved(name) {
				names[name] = signTarget + rune(i)
			}
		}
	}
	return names, also
}

func isName(r rune) bool { return r > 0 && r < utf8.RuneSelf && nameByte(byte(r)) }

// closings are the quotation marks: what opens, and what closes it. Those of CJK
// may span lines.
var closings = map[rune][]string{
	'"': {"\""}, '＂': {"＂"}, '“': {"”", "“"}, '”': {"”", "“"}, '„': {"”", "“"}, '\'': {"'"}, '‘': {"’"},
	'「': {"」"}, '『': {"』"}, '｢': {"｣"},
}

// quotation returns what is between the quotation marks that s begins with, and
// the length with them; 0 if there is nothing.
func quotation(s string, r, before rune) (inside string, n int) {
	marks := closings[r]
	if marks == nil || strings.ContainsRune("'‘", r) && !unicode.IsSpace(before) {
		return "", 0
	}
	rest := s[utf8.RuneLen(r):]
	if !strings.ContainsRune("「『｢", r) {
		rest, _, _ = strings.Cut(rest, "\n")
	}
	for _, closing := range marks {
		if end := strings.Index(rest, closing); end > 0 {
			return rest[:end], utf8.RuneLen(r) + end + len(closing)
		}
	}
	return "", 0
}

// foldName brings a name into the form in which words are compared.
func foldName(s string) string { return strings.TrimSpace(foldCase(norm.NFKC.String(s))) }

func foldCase(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '’', '‘', 'ʼ', '‛', '′', '´':
			return '\''
		case '、':
			return ','
		}
		return unicode.ToLower(r)
	}, s)
}
