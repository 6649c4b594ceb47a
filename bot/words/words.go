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
	maxReport = 2   // pieces of finished work that is told
)

// Understand returns what a mention asks for. elsewhere reports whether a name, folded
// to NFKC and lower case, is that of another channel's target.
//
// A message is understood if every clause of it is: a courtesy, finished work that
// is told before a request, or the one thing that is asked for. If another one has
// a word of some action, the message is in doubt.
func Understand(said []markup.Segment, here []deploy.Target, elsewhere func(name string) bool) deploy.Intent {
	r := reader{text: readText(said, here), elsewhere: elsewhere}
	r.split()
	in := deploy.Intent{Target: r.target(here)}
	switch kind, doubt, understood := r.read(); {
	case understood:
		in.Kind = kind
	case !r.acts():
		in.Kind = deploy.KindUnknown
	default:
		// mutant: a clause that is not understood ignored
		in.Kind, in.Doubt = deploy.KindDeploy, deploy.MsgUnclear
		if place, ok := r.place(); ok {
			in.Doubt, doubt = deploy.MsgOther, place
		}
		in.Word = r.original(doubt.from, doubt.to)
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
// there is. It is empty where that is not one.
func (t text) target(here []deploy.Target) string {
	named := map[int]bool{}
	for _, r := range t.folded {
		if isTarget(r) {
			named[int(r-signTarget)] = true
		}
	}
	if len(named) == 0 && len(t.also) > 0 {
		for _, i := range t.also {
			named[i] = true
		}
	}
	if len(named) == 0 && len(here) == 1 {
		named[0] = true
	}
	for i := range named {
		if len(named) == 1 {
			return here[i].Name
		}
	}
	return ""
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
	{"chat", deploy.KindUnknown, true},
	{"notify", deploy.KindUnknown, true},
	{"told", deploy.KindStatus, true},
	{"report", deploy.KindUnknown, true},
}

// follow returns the role of what was said so far (nil: nothing) with one more
// clause, and whether that can be.
func follow(before, clause *role) (*role, bool) {
	switch {
	case before == nil:
		return clause, true
	case clause.rule == "report" || clause.rule == "told":
		// mutant: work described after a request
		return before, before.weak
	// mutant: thanks for a deploy that start another
	case before.rule == "bare" && clause.weak:
		return request, clause.rule == "plea"
	case before.rule == "thanks" && clause.rule == "bare":
		return nil, false
	case clause.weak && (!before.weak || clause.kind == deploy.KindUnknown):
		return before, true
	}
	return clause, before.weak || before.kind == clause.kind
}

// reader reads a text clause by clause.
type reader struct {
	text
	pieces    []piece
	elsewhere func(name string) bool
}

// piece is a part of a text that may be a clause, or the part of one.
type piece struct {
	span
	joined bool // the next piece may belong to the same clause
}

// boundary is where a clause may end without a mark: in Japanese after a reason or
// what was done, in English before "so".
var boundary = regexp.MustCompile(`[\n。!?;,]|: |\.+(?:\s|$)|…| [-–—]+ |ので|から|んで|ため|[ただ](?:ので|んで|から|ため|分|やつ|奴|もの|の|ところ|pr|mr|修正|変更|コミット)[をの]?|[ぁ-ん] | (?:so|then|and) `)

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
		switch mark := r.folded[at[0]:at[1]]; {
		case mark == "?":
			add(at[1], false)
			from = at[1]
		case strings.Trim(mark, "\n。!;. …") == "":
			add(at[0], false)
			from = at[1]
		case mark == "," || mark == ": " || strings.Trim(mark, " -–—") == "":
			add(at[0], true)
			from = at[1]
		case mark[0] == ' ':
			add(at[0], true)
			from = at[0]
		default:
			add(at[1], true)
			from = at[1]
		}
	}
	add(len(r.folded), false)
}

// trimmed is what says nothing at the ends of a clause.
const trimmed = " ~ー♪☆★・"

// read returns what the clauses ask for together, or what is in doubt.
func (r *reader) read() (kind deploy.Kind, doubt span, understood bool) {
	n := len(r.pieces)
	if n == 0 { // nothing but the bot's name, or what is not said
		return deploy.KindHelp, span{}, true
	}
	if n > maxPieces {
		return "", r.pieces[0].span, false
	}
	reached := make([][]*role, n+1) // what the pieces before may ask for
	reached[0] = []*role{nil}
	for i := range n {
		for j := i; len(reached[i]) > 0 && j < min(n, i+maxJoined); j++ {
			clause := r.roles(span{r.pieces[i].from, r.pieces[j].to}, j-i < maxReport)
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
	return "", r.doubtful(r.pieces[min(last, n-1)].span), false
}

// trim takes off what says nothing at the ends of a clause.
func (r *reader) trim(c span) span {
	s := r.folded[c.from:c.to]
	c.from += len(s) - len(strings.TrimLeft(s, trimmed+","))
	c.to = c.from + len(strings.Trim(s, trimmed+","))
	return c
}

// roles are what a clause may be.
func (r *reader) roles(c span, short bool) (all []*role) {
	c = r.trim(c)
	if c.from == c.to || c.to-c.from > maxPiece {
		return nil
	}
	m := match{text: r.folded[c.from:c.to]}
	for _, one := range roles {
		if one.rule != "report" && m.whole(one.rule, 0) || one.rule == "report" && all == nil && short && r.reports(&m) {
			all = append(all, one)
		}
	}
	return all
}

// version matches what is no part of the work that is told: a number of a version.
var version = regexp.MustCompile(`\d\.\d|\bv\d`)

// reports reports whether a clause tells of finished work, and of nothing else.
func (r *reader) reports(m *match) bool {
	for from, to, ok := m.find("noun"); ok; from, to, ok = m.find("noun") {
		m = &match{text: m.text[:from] + " " + m.text[to:]}
	}
	done := false
	for i := range m.text {
		done = done || m.whole("done", i)
	}
	if _, _, achieved := m.find("achieved"); !done && !achieved {
		return false
	}
	_, _, barred := m.find("bar")
	// mutant: a doubtful word in a clause about the past
	return !barred && !version.MatchString(m.text) && !r.namesOther(m.text)
}

// nameMost is how long a name in kana or kanji may be to be found.
const nameMost = 12

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
		for n := 2; n <= min(nameMost, len(runes)-i); n++ {
			if name := runes[i : i+n]; unicode.Is(unicode.Lo, name[0]) && r.elsewhere(string(name)) {
				return true
			}
		}
	}
	return false
}

// acts reports whether a message has a word of some action.
func (r *reader) acts() bool {
	_, _, ok := (&match{text: r.folded}).find("action")
	return ok
}

// reference matches a version, a branch, a commit, a merge request.
var reference = regexp.MustCompile(`\bv?\d+(\.\d+)+[a-z0-9.-]*|\bv\d+|[a-z0-9_-]+/[a-z0-9/_-]+|\b[0-9a-f]{7,40}\b`)

// place finds what does not go out from here: another environment, branch or
// version, a thing of its own.
func (r *reader) place() (span, bool) {
	if from, to, ok := (&match{text: r.folded}).find("place"); ok {
		return span{from, to}, true
	}
	if at := reference.FindStringIndex(r.folded); at != nil {
		return span{at[0], at[1]}, true
	}
	i := strings.IndexRune(r.folded, signThing)
	return span{i, i + utf8.RuneLen(signThing)}, i >= 0
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
		if first, _ := utf8.DecodeRuneInString(m.text[from:]); script(before) != script(first) || script(first) == nil {
			break
		}
		from -= size
	}
	to, words := from, 0
	for i, letter := range m.text[from:] {
		if letter == ' ' {
			words++
		}
		if letter == ',' || words == 4 || i > 60 || i > 0 && letter >= utf8.RuneSelf && len(m.ends(tables.rule("deploy"), from+i)) > 0 {
			break
		}
		to = from + i + utf8.RuneLen(letter)
	}
	return span{c.from + from, c.from + to}
}

// script is what kind of letter a rune is, as far as words go.
func script(r rune) *unicode.RangeTable {
	if r == 'ー' {
		return unicode.Katakana
	}
	for _, of := range []*unicode.RangeTable{unicode.Han, unicode.Katakana, unicode.Hiragana} {
		if unicode.Is(of, r) {
			return of
		}
	}
	return nil
}
