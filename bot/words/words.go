package words

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/deploy"
)

// The bounds of what is read clause by clause. What is longer is no plain request.
const (
	maxPieces = 40
	maxPiece  = 500 // bytes
	maxJoined = 6   // pieces of one clause
)

// Understand returns what a mention asks for. elsewhere reports whether a name, folded
// to NFKC and lower case, is that of another channel's target.
//
// A message is understood if every clause of it is: a courtesy, finished work that
// is told before a request, or the one thing that is asked for. If another one has
// a word of some action, the message is in doubt.
func Understand(said []markup.Segment, here []deploy.Target, elsewhere func(name string) bool) deploy.Intent {
	r := reader{text: readText(said, here), several: len(here) > 1, elsewhere: elsewhere}
	r.split()
	in := deploy.Intent{}
	in.Target, in.Several = r.target(here)
	switch kind, doubt, understood := r.read(); {
	case len(r.pieces) == 0 && slices.ContainsFunc(said, func(s markup.Segment) bool { return s.Kind != markup.Self && s.Kind != markup.Plain }):
		in.Kind = deploy.KindUnknown // all of it is quoted, code or struck through
	case understood:
		in.Kind = kind
	case !(&match{text: r.folded}).has("action"):
		in.Kind = deploy.KindUnknown
	default:
		// mutant: a clause that is not understood ignored
		in.Kind, in.Doubt = deploy.KindDeploy, deploy.MsgUnclear
		word := r.doubtful(doubt)
		if place, ok := r.place(doubt); ok {
			word, in.Doubt = place, deploy.MsgOther
		}
		in.Word = r.original(word.from, word.to)
		// mutant: a stop in doubt that offers a deploy
		if !(&match{text: r.folded}).has("ship") { // another action: no deploy is offered
			in.Kind, in.Doubt = deploy.KindUnknown, deploy.MsgPlainly
		}
	}
	switch {
	case in.Kind != deploy.KindDeploy || in.Doubt != "" && len(here) > 0:
	case len(here) == 0:
		in.Doubt = deploy.MsgNoTarget
	case in.Target == "":
		in.Doubt = deploy.MsgWhichTarget
	}
	return in
}

// target is the target that a message names; if it names none, the only one that
// there is. It is empty unless exactly one is meant.
func (t text) target(here []deploy.Target) (name string, several bool) {
	var named []int
	for _, r := range t.folded {
		if isTarget(r) {
			named = with(named, int(r-signTarget))
		}
	}
	if len(named) == 0 {
		named = t.also
	}
	switch {
	case len(named) == 1:
		return here[named[0]].Name, false
	case len(named) == 0 && len(here) == 1:
		return here[0].Name, false
	}
	return "", len(named) > 1
}

// role is what a clause may be: a rule that matches it, and what it asks for.
type role struct {
	rule string
	kind deploy.Kind
	weak bool // whatever else is asked for counts more
}

// request is a request to deploy now.
var request = &role{"request", deploy.KindDeploy, false}

// roles are in the order in which they count. A deploy comes after all that could
// be meant instead of it.
var roles = []*role{
	{"cancel", deploy.KindCancel, false},
	{"status", deploy.KindStatus, false},
	{"history", deploy.KindHistory, false},
	{"pending", deploy.KindPending, false},
	{"retry", deploy.KindRetry, false},
	{"rollback", deploy.KindRollback, false},
	{"unlock", deploy.KindUnlock, false},
	{"lock", deploy.KindLock, false},
	{"help", deploy.KindHelp, false},
	request,
	{"bare", deploy.KindDeploy, false},
	{"thanks", deploy.KindThanks, true},
	{"plea", deploy.KindGreet, true},
	{"greet", deploy.KindGreet, true},
	{"praise", deploy.KindThanks, true},
	{"chat", deploy.KindUnknown, true},
	{"reply", deploy.KindUnknown, true},
	{"sorry", deploy.KindUnknown, true},
	{"notify", deploy.KindUnknown, true},
	{"told", deploy.KindStatus, true},
	{"ended", deploy.KindStatus, true},
	{"report", deploy.KindUnknown, true},
}

// follow returns the role of what was said so far (nil: nothing) with one more
// clause, and whether the two go together.
func follow(before, clause *role) (*role, bool) {
	first := []string{"praise", "chat", "reply", "report", "told", "ended"} // what stands before a request, or nowhere
	switch {
	case before == nil:
		return clause, true
	case !before.weak && slices.Contains(first, clause.rule), before.weak && clause.rule == "praise":
		// mutant: work described after a request
		return before, false
	// mutant: thanks for a deploy that start another
	case before.rule == "bare" && clause.weak:
		return request, clause.rule == "plea"
	case clause.rule == "bare" && (before.kind == deploy.KindThanks || before.rule == "ended"):
		return before, false
	case clause.weak && (!before.weak || clause.kind == deploy.KindUnknown || before.kind == deploy.KindThanks || before.rule == "ended"):
		return before, true
	}
	return clause, before.weak || before.kind == clause.kind
}

// reader reads a text clause by clause.
type reader struct {
	text
	pieces    []piece
	several   bool // the channel has several targets
	elsewhere func(name string) bool
}

// piece is a part of a text that may be a clause, or the part of one.
type piece struct {
	span
	joined bool // the next piece may belong to the same clause
}

// boundary is where a clause may end: at a mark; in Japanese also after a reason or
// what was done, in English before so, then and and.
var boundary = regexp.MustCompile(`を!|[\n。!?;,]|: |\.+(?:\s|$)|…| [-–—]+ |ので|(?:です|ます)から|[ただ](?:ので|んで|から|ため|分|やつ|奴|もの|の|ところ|pr|mr|修正|変更|コミット)[をの]?|[ぁ-ん] | (?:so|then|and) `)

func (r *reader) split() {
	from := 0
	add := func(to int, joined bool) {
		if strings.Trim(r.folded[from:to], trimmed) != "" {
			r.pieces = append(r.pieces, piece{span{from, to}, joined})
		} else if n := len(r.pieces); n > 0 && !joined {
			r.pieces[n-1].joined = false
		}
	}
	for _, at := range boundary.FindAllStringIndex(r.folded, -1) {
		to, next, joined := at[0], at[1], true
		switch mark := r.folded[at[0]:at[1]]; {
		case mark == "!" && next < len(r.folded) && r.folded[next] >= '0' && r.folded[next] <= '9': // !12
			continue
		case mark == "?" || mark == "を!":
			to, joined = next, false
		case strings.Trim(mark, "\n。!;. …") == "":
			joined = false
		case mark == "," || mark == ": " || strings.Trim(mark, " -–—") == "":
		case mark[0] == ' ':
			next = to
		default:
			to = next
		}
		add(to, joined)
		from = next
	}
	add(len(r.folded), false)
}

// trimmed is what says nothing at the ends of a clause.
const trimmed = " ~`,♪☆★・"

// read returns what the clauses ask for together, or the first that is in doubt.
func (r *reader) read() (kind deploy.Kind, doubt span, understood bool) {
	n := len(r.pieces)
	if n == 0 { // nothing but the bot's name
		return deploy.KindHelp, span{}, true
	}
	if n > maxPieces {
		return "", r.pieces[0].span, false
	}
	reached := make([][]*role, n+1) // what the pieces before may ask for
	reached[0] = []*role{nil}
	for i := range n {
		for j := i; len(reached[i]) > 0 && j < min(n, i+maxJoined); j++ {
			clause := r.roles(span{r.pieces[i].from, r.pieces[j].to}, j == i)
			for _, before := range reached[i] {
				for _, c := range clause {
					if all, ok := follow(before, c); ok && !slices.Contains(reached[j+1], all) {
						reached[j+1] = append(reached[j+1], all)
					}
				}
			}
			if !r.pieces[j].joined {
				break
			}
		}
	}
	for _, all := range roles {
		if slices.Contains(reached[n], all) {
			return all.kind, span{}, true
		}
	}
	last := n
	for len(reached[last]) == 0 {
		last--
	}
	return "", r.pieces[min(last, n-1)].span, false
}

// trim takes off what says nothing at the ends of a clause.
func (r *reader) trim(c span) span {
	s := r.folded[c.from:c.to]
	c.from += len(s) - len(strings.TrimLeft(s, trimmed))
	s = strings.Trim(s, trimmed)
	drawl := strings.TrimRight(s, "ー")
	if last, _ := utf8.DecodeLastRuneInString(drawl); unicode.Is(unicode.Hiragana, last) || strings.HasSuffix(s, "ーー") { // してー, but not エラー
		s = drawl
	}
	c.to = c.from + len(s)
	return c
}

// roles are what a clause may be.
func (r *reader) roles(c span, one bool) (all []*role) {
	c = r.trim(c)
	if c.from == c.to || c.to-c.from > maxPiece {
		return nil
	}
	m := match{text: r.folded[c.from:c.to]}
	for _, role := range roles {
		if role.rule != "report" && m.whole(role.rule, 0) || role.rule == "report" && all == nil && one && r.reports(&m) {
			all = append(all, role)
		}
	}
	return all
}

// number matches what is no part of the work that is told: a version, a time, a share.
var number = regexp.MustCompile(`\d\.\d|\bv\d|\d(?:am|pm|th|:\d|時|日|月|%)|\d+ ?(?:/|of) ?\d`)

// reports reports whether a clause tells of finished work, and of nothing else.
func (r *reader) reports(m *match) bool {
	for from, to, ok := m.find("noun"); ok; from, to, ok = m.find("noun") {
		m = &match{text: m.text[:from] + " " + m.text[to:]}
	}
	done := false
	for _, end := range m.ends(tables().rule("begun"), 0) {
		rest := m.text[m.space(end):]
		done = done || rest == "" || rest[0] < utf8.RuneSelf // in English to its end
	}
	for i := range m.text {
		done = done || m.whole("done", i)
	}
	if !done || r.several && strings.ContainsFunc(m.text, isTarget) {
		return false
	}
	// mutant: a doubtful word in a clause about the past
	return !m.has("bar") && !number.MatchString(m.text) && !r.namesOther(m.text)
}

// maxName is the longest name in kana or kanji that is looked for, in characters.
const maxName = 12

// namesOther reports whether a target of another channel is named.
func (r *reader) namesOther(s string) bool {
	if r.elsewhere == nil {
		return false
	}
	if slices.ContainsFunc(strings.FieldsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf || !nameByte(byte(r)) && r != '/' && r != '.' }), r.elsewhere) {
		return true
	}
	runes := []rune(s)
	for i := range runes {
		for n := 2; n <= min(maxName, len(runes)-i); n++ {
			if name := runes[i : i+n]; unicode.Is(unicode.Lo, name[0]) && r.elsewhere(string(name)) {
				return true
			}
		}
	}
	return false
}

// reference matches a version, a branch, a commit.
var reference = regexp.MustCompile(`\bv?\d+\.\d+\.[0-9a-z.-]+|\bv\d+[0-9.]*|\b[a-z][a-z0-9_-]{2,}/[a-z0-9/_-]+|\b[0-9a-f]*(?:[0-9][a-f]|[a-f][0-9])[0-9a-f]{5,39}\b`)

// place finds in a clause what does not go out from here: another environment,
// branch or version, a thing of its own.
func (r *reader) place(c span) (span, bool) {
	s := r.folded[c.from:c.to]
	from, to, ok := (&match{text: s}).find("place")
	if at := reference.FindStringIndex(s); !ok && at != nil {
		from, to, ok = at[0], at[1], true
	}
	if i := strings.IndexRune(s, signThing); !ok && i >= 0 {
		from, to, ok = i, i+utf8.RuneLen(signThing), true
	}
	return span{c.from + from, c.from + to}, ok
}

// doubtful is the part of a clause that is not understood.
func (r *reader) doubtful(c span) span {
	c = r.trim(c)
	m := match{text: r.folded[c.from:min(c.to, c.from+maxPiece)]}
	for _, role := range roles[:len(roles)-1] {
		m.whole(role.rule, 0)
	}
	rest := strings.TrimLeft(m.text[m.far:], " ,")
	if particle := strings.TrimLeft(rest, "はをのがにで"); particle != "" {
		rest = particle
	}
	if rest == "" {
		return c
	}
	from := len(m.text) - len(rest)
	for from > 0 { // a word is not cut
		before, size := utf8.DecodeLastRuneInString(m.text[:from])
		first, _ := utf8.DecodeRuneInString(m.text[from:])
		if stem := script(before) == unicode.Han && script(first) == unicode.Hiragana; !stem && (script(before) != script(first) || script(first) == nil) {
			break
		}
		from -= size
	}
	if first, size := utf8.DecodeRuneInString(m.text[from:]); first >= signTarget && first <= signNo {
		return span{c.from + from, c.from + from + size}
	}
	to, words := from, 0
	for i, letter := range m.text[from:] {
		if letter == ' ' {
			words++
		}
		if letter == ',' || words == 4 || i > 60 || i > 0 && letter >= utf8.RuneSelf && len(m.ends(tables().rule("deploy"), from+i)) > 0 {
			break
		}
		to = from + i + utf8.RuneLen(letter)
	}
	return span{c.from + from, c.from + to}
}

// script is what kind of letter a rune is, as far as words go.
func script(r rune) *unicode.RangeTable {
	for _, of := range []*unicode.RangeTable{unicode.Han, unicode.Katakana, unicode.Hiragana} {
		if unicode.Is(of, r) || r == 'ー' && of == unicode.Katakana {
			return of
		}
	}
	return nil
}
