package words

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/deploy"
)

// Understand returns what a mention asks for. here are the names of the channel's
// targets; elsewhere reports whether a name, folded to NFKC and lower case, is that
// of another channel's target.
//
// A mention with a deploy word deploys unless one of [rules] applies; the first
// that applies gives the answer.
func Understand(said []markup.Segment, here []string, elsewhere func(name string) bool) deploy.Intent {
	p := readProse(said)
	words, named := p.names(here)
	target := ""
	switch {
	case len(named) == 1:
		target = named[0]
	case len(here) == 1:
		target = here[0]
	}

	clauses := p.clauses(words, func(name string) bool {
		return elsewhere != nil && !slices.ContainsFunc(here, func(h string) bool { return foldName(h) == name }) && elsewhere(name)
	})
	if !slices.ContainsFunc(clauses, func(c *clause) bool { return len(c.deploys) > 0 }) {
		return p.withoutDeploy(words, target)
	}
	first, at := decide(clauses)
	switch {
	case first != nil && (first.say != deploy.MsgOther || len(here) > 0):
		return deploy.Intent{Kind: deploy.KindDeploy, Answer: first.say, Target: target, Word: at}
	case len(here) == 0:
		return deploy.Intent{Kind: deploy.KindDeploy, Answer: deploy.MsgNoTarget, Word: at}
	case target == "" || len(named) > 1:
		return deploy.Intent{Kind: deploy.KindDeploy, Answer: deploy.MsgWhichTarget, Word: at}
	}
	return deploy.Intent{Kind: deploy.KindDeploy, Target: target, Word: at}
}

// withoutDeploy understands a mention that has no deploy word.
func (p *prose) withoutDeploy(words, target string) deploy.Intent {
	for _, w := range asciiWords(words) {
		if oneOf(w.s, nearMisses...) {
			return deploy.Intent{Kind: deploy.KindUnknown, Answer: deploy.MsgNearMiss, Target: target, Word: p.original(w.from, w.to)}
		}
	}
	for _, w := range nearMisses {
		if n := strings.Index(words, w); n >= 0 && w[0] >= utf8.RuneSelf {
			return deploy.Intent{Kind: deploy.KindUnknown, Answer: deploy.MsgNearMiss, Target: target, Word: p.original(n, n+len(w))}
		}
	}
	if n := strings.Index(words, "よろ"); n >= 0 {
		return deploy.Intent{Kind: deploy.KindGreet, Answer: deploy.MsgGreet, Word: p.original(n, n+len("よろ"))}
	}
	return deploy.Intent{Kind: deploy.KindUnknown, Answer: deploy.MsgUnknown}
}

// decide returns the rule that answers best, and the words that decided, as they
// were written; without a rule those are the deploy word.
func decide(clauses []*clause) (first *rule, at string) {
	best, early, request := len(rules), len(rules), ""
	var bestAt, earlyAt string
	for i, c := range clauses {
		if len(c.deploys) == 0 {
			continue
		}
		h, s := c.heldBy(clauses, i)
		switch {
		case h == len(rules):
			// A clear request: what was said before about another deploy does not matter.
			request, early = c.original(c.deploys[0]), len(rules)
		case request == "" && aboutAnother(h):
			if h < early {
				early, earlyAt = h, s
			}
		case h < best:
			best, bestAt = h, s
		}
	}
	if early < best {
		best, bestAt = early, earlyAt
	}
	if best == len(rules) {
		return nil, request
	}
	return &rules[best], bestAt
}

// aboutAnother reports whether a rule only says that a clause is about another
// deploy, so that a later clause may still ask for one.
func aboutAnother(h int) bool {
	return rules[h].say == deploy.MsgPast || h == 0
}

// heldBy returns the first rule that applies to a clause with a deploy word: in the
// clause itself, in a few words beside it, or, for conditions, anywhere.
func (c *clause) heldBy(all []*clause, i int) (int, string) {
	for n := range rules {
		h := &rules[n]
		if at, ok := h.find(c, false); ok {
			return n, c.original(at)
		}
		for j, o := range all {
			if j == i || len(o.deploys) > 0 && h.where != anyClause {
				continue
			}
			// Before it: 「明日、」, but not 「明日は休みです。」 nor "staging is fine,".
			before := j == i-1 && (h.say != deploy.MsgLater || o.end == ",") && h.say != deploy.MsgOther
			beside := h.alsoBeside && (o.short() && (j > i || before) || j > i && o.takesBack())
			if !beside && h.where != anyClause {
				continue
			}
			if at := o.beside(n); at.from < at.to {
				return n, o.original(at)
			}
		}
	}
	return len(rules), ""
}

// beside finds a rule's words in a clause next to one with a deploy word. It
// remembers the result, since there may be many of those.
func (c *clause) beside(n int) span {
	at, ok := c.found[n]
	if !ok {
		at, _ = rules[n].find(c, true)
		if c.found == nil {
			c.found = map[int]span{}
		}
		c.found[n] = at
	}
	return at
}

// short reports whether a clause is only a few words: 「やっぱり待って」, "not yet".
func (c *clause) short() bool {
	if len(c.words) == 0 || len(c.text) > 2*len(c.joined) {
		return utf8.RuneCountInString(strings.TrimSpace(c.text)) <= 10
	}
	return len(c.words) <= 3
}

// takesBack reports whether a clause ends in a word that takes back what was asked.
func (c *clause) takesBack() bool {
	return hasSuffix(strings.TrimRight(c.text, " ~〜ーw)）"), "待って", "まって", "待ってください", "やめて", "やめてください", "止めて", "ストップ", "中止", "中止で", "しないで", "しないでください")
}

func (c *clause) original(s span) string { return c.p.original(c.from+s.from, c.from+s.to) }

// names returns the targets that are named, and the text with their names blanked:
// the longest name wins. A name that is a deploy word counts as both.
func (p *prose) names(here []string) (words string, named []string) {
	type target struct{ name, folded string }
	var all []target
	for _, n := range here {
		if f := strings.TrimSpace(foldName(n)); f != "" {
			all = append(all, target{n, f})
		}
	}
	slices.SortStableFunc(all, func(a, b target) int { return cmp.Compare(len(b.folded), len(a.folded)) })
	b := []byte(p.text)
	for _, t := range all {
		found := slices.Contains(p.quotes, t.folded)
		for i := 0; ; {
			n := strings.Index(p.text[i:], t.folded)
			if n < 0 {
				break
			}
			from, to := i+n, i+n+len(t.folded)
			i = to
			if bounded(p.text, from, to) && !slices.Contains(b[from:to], blank) {
				found = true
				if !oneOf(t.folded, deployWords...) {
					clear(b[from:to])
				}
			}
		}
		if found {
			named = append(named, t.name)
		}
	}
	return string(b), named
}

// bounded reports whether a name stands alone: an ASCII end of it is not followed
// by a letter, digit, - or _. Kana and kanji have no such bounds.
func bounded(s string, from, to int) bool {
	return (from == 0 || !nameByte(rune(s[from])) || !nameByte(rune(s[from-1]))) &&
		(to == len(s) || !nameByte(rune(s[to-1])) || !nameByte(rune(s[to])))
}
