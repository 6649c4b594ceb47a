package markup

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Signs stand in a folded text for what is no word. They are private runes; those
// that a person writes are taken out.
const (
	SignThing  = "\uF001" // code, a quotation, a link, a channel, a group
	SignPerson = "\uF002"
	SignNo     = "\uF003" // an emoji that may say no, wait or done
	SignCheers = "\uF004" // one that may be congratulations, in a new line
)

// Folded is what a message says, in the form in which words are compared: NFKC, in
// lower case, one space between words, with signs for what is no word.
type Folded struct {
	Text string
	raw  string // as written
	at   []int  // byte of Text, or its end -> where its piece begins in raw
}

// Original returns Text[from:to] as the person wrote it.
func (f *Folded) Original(from, to int) string {
	return strings.Trim(f.raw[f.at[from]:f.at[to]], " \t\r\n*_")
}

// Replace puts a sign in the place of a name wherever it stands alone, and reports
// whether it does anywhere.
func (f *Folded) Replace(name, sign string) (found bool) {
	for from := 0; ; {
		n := strings.Index(f.Text[from:], name)
		if n < 0 {
			return found
		}
		n += from
		if from = n + len(name); Alone(f.Text, n, from) {
			f.at = slices.Replace(f.at, n, from, slices.Repeat(f.at[n:n+1], len(sign))...)
			f.Text = f.Text[:n] + sign + f.Text[from:]
			from, found = n+len(sign), true
		}
	}
}

// Alone reports whether no ASCII end of s[from:to] touches a letter, digit, - or _.
func Alone(s string, from, to int) bool {
	return (from == 0 || !nameByte(s[from]) || !nameByte(s[from-1])) &&
		(to == len(s) || !nameByte(s[to-1]) || !nameByte(s[to]))
}

func nameByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '_'
}

// folder is a Folded on its way.
type folder struct {
	text, raw []byte
	at        []int
	bold      bool // an asterisk is a mark of bold words
}

// harmless are the emoji that say nothing, or please.
var harmless = strings.Fields(`pray bow man-bowing woman-bowing person_bowing rocket shipit smile smiley grin grinning blush slightly_smiling_face
	relaxed +1 thumbsup ok_hand muscle fire wave sparkles star zap dash 100 heart coffee tea beers sunny point_up
	onegai onegaishimasu yoroshiku arigatou ohayou`)

var cheers = []string{"tada", "raised_hands", "clap"}

const harmlessSigns = "🙏🙇🚀😄😃😁😀😊🙂☺👍👌💪🔥👋✨⭐⚡💨💯❤☕🍵🍻☀☝〜～"

// Fold folds what a message says. thing returns the sign for what is in code, in
// quotation marks, or a link's words.
func Fold(said []Segment, thing func(inside string) (sign string)) Folded {
	var f folder
	stars := 0
	for _, s := range said {
		if s.Kind == Plain {
			stars += strings.Count(s.Text, "*")
		}
	}
	f.bold = stars%2 == 0
	for _, s := range said {
		switch s.Kind {
		case Plain:
			f.plain(s.Text)
		case Code, Link:
			f.add(thing(s.Text), cmp.Or(s.Text, "…"))
		case Channel, Group:
			f.add(SignThing, "@"+s.Text)
		case User:
			f.add(SignPerson, "@"+s.Text)
		case Emoji:
			if slices.Contains(cheers, s.Text) {
				f.add("\n"+SignCheers, ":"+s.Text+":")
			} else if slices.Contains(harmless, s.Text) || strings.HasPrefix(s.Text, "skin-tone-") {
				f.add(" ", "")
			} else {
				f.add(SignNo, ":"+s.Text+":")
			}
		case Quote: // what is quoted first is answered; later it belongs to what is said
			if strings.TrimSpace(string(f.text)) == "" {
				f.add("\n", "")
			} else {
				f.add(SignThing, "…")
			}
		case Self, Strike:
			f.add(" ", "")
		}
	}
	return Folded{string(f.text), string(f.raw), append(f.at, len(f.raw))}
}

// add adds a folded piece, and what it stands for.
func (f *folder) add(piece, raw string) {
	if piece == " " && len(f.text) > 0 && f.text[len(f.text)-1] == ' ' {
		piece = ""
	}
	for range len(piece) {
		f.at = append(f.at, len(f.raw))
	}
	f.text = append(f.text, piece...)
	f.raw = append(f.raw, raw...)
}

// plain adds words.
func (f *folder) plain(s string) {
	var it norm.Iter
	it.InitString(norm.NFKC, s)
	for before, start := ' ', 0; !it.Done(); start = it.Pos() {
		r, size := utf8.DecodeRuneInString(s[start:])
		after, _ := utf8.DecodeRuneInString(s[start+size:])
		piece := lower(string(it.Next()))
		switch {
		case strings.ContainsRune(harmlessSigns, r):
			piece = " "
		case strings.ContainsRune("🎉🙌👏", r):
			piece = "\n" + SignCheers
		case unicode.Is(unicode.So, r), strings.ContainsRune("‼⁉", r):
			piece = SignNo
		case r == '*' && f.bold, r == '_' && !(isName(before) && isName(after)),
			unicode.In(r, unicode.Cf, unicode.Variation_Selector): // zero width
			piece = ""
		case r == '\n':
		case unicode.In(r, unicode.Co, unicode.Cc), r == utf8.RuneError, strings.TrimSpace(piece) == "",
			unicode.Is(unicode.Sk, r) && r > utf8.RuneSelf: // the tones of skin
			piece = " "
		}
		f.add(piece, s[start:it.Pos()])
		before = r
	}
}

func isName(r rune) bool { return r < utf8.RuneSelf && nameByte(byte(r)) }

// FoldName brings a name into the form in which words are compared.
func FoldName(s string) string { return strings.TrimSpace(lower(norm.NFKC.String(s))) }

// lower is in lower case, with one kind of apostrophe and of comma.
func lower(s string) string {
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
