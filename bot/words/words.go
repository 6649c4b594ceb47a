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
	maxClause = 500 // bytes
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
	in := deploy.Intent{Kind: deploy.KindUnknown}
	in.Target, in.Several = r.only(here)
	marked := func(s markup.Segment) bool { return s.Kind != markup.Self && s.Kind != markup.Plain }
	m := match{text: r.Text}
	if lock, ok := r.lock(); ok {
		in.Kind, in.For, in.Until, in.Today, in.Word = deploy.KindLock, lock.For, lock.Until, lock.Today, lock.Word
		return in
	}
	switch kind, doubt, understood := r.read(); {
	case len(r.pieces) == 0 && slices.ContainsFunc(said, marked): // all of it is quoted, code or struck through
	case understood:
		in.Kind, in.Hold = kind, kind == deploy.KindCancel && m.has("waits") && !m.has("stops")
	default:
		against, ship := r.against(), m.has("ship")
		if !against && !ship && !m.has("other") {
			break
		}
		part, why := r.doubtful(doubt)
		in.Doubt, in.Word = deploy.MsgPlainly, r.Original(part.from, part.to)
		// What is about another action alone offers no deploy.
		// mutant: a stop in doubt that offers a deploy
		if !against && ship {
			// mutant: a clause that is not understood ignored
			in.Kind, in.Doubt = deploy.KindDeploy, why
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

// reader reads a text clause by clause.
type reader struct {
	text
	pieces    []span // a clause is one or more of them
	several   bool   // the channel has several targets
	elsewhere func(name string) bool
}

// span is a part of a text.
type span struct{ from, to int }

// boundary is where a clause may end: at a mark; in Japanese also after a reason or
// what was done, in English before so, then and and.
var boundary = regexp.MustCompile(`![0-9]` + // none: !12
	`|[\n。!;,…]|: |\.+(?:\s|$)| [-–—]+ ` +
	`|(を!|\?|\x{F004}|ので|(?:です|ます)から|[ぁ-ん] ` + // the clause ends with it
	`|[ただ](?:ので|んで|から|ため|分|やつ|奴|もの|の|ところ|pr|mr|修正|変更|コミット)[をの]?)` +
	`|( (?:so|then|and) )`) // the next clause begins with it

func (r *reader) split() {
	from := 0
	add := func(to int) {
		if s := strings.TrimLeft(r.Text[from:to], trimmed); !silent(s) {
			r.pieces = append(r.pieces, span{to - len(s), to - len(s) + len(strings.TrimRight(s, trimmed))})
		}
	}
	for _, at := range boundary.FindAllStringSubmatchIndex(r.Text, -1) {
		to, next := at[0], at[1]
		switch {
		case r.Text[to] == '!' && next-to > 1:
			continue
		case at[2] >= 0:
			to = next
		case at[4] >= 0:
			next = to
		}
		add(to)
		from = next
	}
	add(len(r.Text))
}

// trimmed is what says nothing at the ends of a clause.
const trimmed = " ~`,♪☆★・"

// silent reports whether the rest of a clause says nothing: してー〜.
func silent(rest string) bool { return strings.Trim(rest, trimmed+"ー") == "" }

// read returns what the clauses ask for together, or the first that is in doubt.
func (r *reader) read() (kind deploy.Kind, doubt span, understood bool) {
	n := len(r.pieces)
	if n == 0 { // nothing but the bot's name
		return deploy.KindHelp, span{}, true
	}
	if n > maxPieces {
		return "", r.pieces[0], false
	}
	reached := make([][]*role, n+1) // what the pieces before may ask for
	reached[0] = []*role{nil}
	last := 0
	for i := range n {
		if len(reached[i]) == 0 {
			continue
		}
		last = i
		r.clauses(i, func(clause *role, next int) {
			for _, before := range reached[i] {
				if all, ok := follow(before, clause); ok {
					reached[next] = with(reached[next], all)
				}
			}
		})
	}
	for _, all := range append(roles, report) {
		if slices.Contains(reached[n], all) {
			return all.kind, span{}, true
		}
	}
	doubt = r.pieces[last]
	for _, p := range r.pieces[last+1:] { // app の develop
		if r.Text[doubt.to-1] != '?' && strings.TrimSpace(r.Text[doubt.to:p.from]) == "" {
			doubt.to = p.to
		}
	}
	return "", doubt, false
}

// clauses finds what may begin with a piece: its role, and the piece after it.
func (r *reader) clauses(i int, found func(clause *role, next int)) {
	p := r.pieces[i]
	if p.to-p.from > maxClause {
		return
	}
	m, known := match{text: r.Text[p.from:min(len(r.Text), p.from+maxClause)]}, false
	for n, role := range roles {
		for _, end := range m.ends(tables().clauses[n], 0) {
			if next := r.next(i, p.from+end); next > 0 {
				found(role, next)
				known = known || next == i+1
			}
		}
	}
	if !known && r.reports(p) {
		found(report, i+1)
	}
}

// next returns the piece after a match that begins at one and ends at a place; 0 if
// no clause ends there.
func (r *reader) next(i, end int) int {
	for i+1 < len(r.pieces) && r.pieces[i+1].from < end {
		i++
	}
	if p := r.pieces[i]; end < p.to && !silent(r.Text[end:p.to]) {
		return 0
	}
	return i + 1
}

// against reports whether a message begins with a word against a deploy, in Japanese
// ends with one.
func (r *reader) against() bool {
	all, last := match{text: r.Text}, r.pieces[len(r.pieces)-1]
	end := match{text: r.Text[last.from:last.to]}
	for i := range end.text {
		if end.whole("refused", i) {
			return true
		}
	}
	return len(all.ends(tables().rule("opposed"), r.pieces[0].from)) > 0
}

// number matches what is no part of the work that is told: a version, a time, a share, not, badly.
var number = regexp.MustCompile(`\d\.\d|\bv\d|\d(?:am|pm|th|:\d|時|日|月|%|割|件中|[件つ個本]が?通)|\d+ ?(?:/|of) ?\d|` +
	`\b(?:ca|wo|ai|do|does|did|is|are|was|were|ha[sd]|have|(?:c|sh|w)ould|must|need)n'?t\b|[a-z]{2}ly\b`)

// reports reports whether a piece tells of finished work, and of nothing else.
func (r *reader) reports(p span) bool {
	m := &match{text: r.Text[p.from:p.to]}
	done := false
	for _, end := range m.ends(tables().rule("begun"), 0) {
		rest := m.text[m.space(end):]
		done = done || rest == "" || rest[0] < utf8.RuneSelf // in English to its end
	}
	for i := range m.text {
		before, _ := utf8.DecodeLastRuneInString(strings.TrimRight(m.text[:i], " "))
		free := !unicode.Is(unicode.Hiragana, before) || strings.ContainsRune("をがはもの", before) // not 手違いで
		done = done || free && !strings.ContainsRune("未不非要無否", before) && m.whole("done", i)
	}
	if !done || r.several && strings.Contains(m.text, signTarget) {
		return false
	}
	for from, to, ok := m.find("noun"); ok; from, to, ok = m.find("noun") {
		m = &match{text: m.text[:from] + " " + m.text[to:]}
	}
	// mutant: a doubtful word in a clause about the past
	return !m.has("bar") && !number.MatchString(m.text) && !r.namesOther(m.text)
}

// maxName is the longest name in kana or kanji that is looked for, in characters.
const maxName = 12

// name matches one in ASCII.
var name = regexp.MustCompile(`[\w/.-]+`)

// namesOther reports whether a target of another channel is named.
func (r *reader) namesOther(s string) bool {
	if r.elsewhere == nil || slices.ContainsFunc(name.FindAllString(s, -1), r.elsewhere) {
		return r.elsewhere != nil
	}
	runes := []rune(s)
	for i := range runes {
		for n := 2; n <= min(maxName, len(runes)-i) && unicode.Is(unicode.Lo, runes[i]); n++ {
			if r.elsewhere(string(runes[i : i+n])) {
				return true
			}
		}
	}
	return false
}

// reference matches a version, a branch, a commit.
var reference = regexp.MustCompile(`\bv?\d+\.\d+\.[0-9a-z.-]+|\bv\d+[0-9.]*|\b[a-z][a-z0-9_-]{2,}/[a-z0-9/_-]+|` +
	`\b[0-9a-f]*(?:[0-9][a-f]|[a-f][0-9])[0-9a-f]{5,39}\b`)

// maxQuoted is how many words are quoted.
const maxQuoted = 6

// word matches a word, as far as quoting goes.
var word = regexp.MustCompile(`[!-+\--~]+|[\p{Katakana}ー]+|[おご]?\p{Han}*\p{Hiragana}+|\p{Han}+|[^ ]`)

// doubtful is the part of a piece to ask about: what does not go out from here, such
// as another environment, branch or version; or what comes after all that is
// understood.
func (r *reader) doubtful(p span) (part span, why deploy.MessageID) {
	m := match{text: r.Text[p.from:min(p.to, p.from+maxClause)]}
	for _, role := range roles {
		m.whole(role.rule, 0)
	}
	words := word.FindAllStringIndex(m.text, -1)
	words = slices.DeleteFunc(words, func(at []int) bool { return at[1] <= m.far })
	if from, to, ok := m.find("place"); ok {
		return span{p.from + from, p.from + to}, deploy.MsgOther
	}
	if at := reference.FindStringIndex(m.text); at != nil {
		return span{p.from + at[0], p.from + at[1]}, deploy.MsgOther
	}
	for len(words) > 0 && strings.Trim(m.text[words[0][0]:words[0][1]], ",ーはをのがにで?!") == "" {
		words = words[1:]
	}
	if len(words) == 0 {
		return p, deploy.MsgUnclear
	}
	part = span{words[0][0], words[0][1]}
	for _, at := range words[:min(len(words), maxQuoted)] {
		next := m.text[at[0]:at[1]]
		if next == "," || at[0] > part.from && next[0] >= utf8.RuneSelf && len(m.ends(tables().rule("deploy"), at[0])) > 0 {
			break
		}
		part.to = at[1]
	}
	part.to = part.from + len(strings.TrimSuffix(m.text[part.from:part.to], "を"))
	return span{p.from + part.from, p.from + part.to}, deploy.MsgUnclear
}
