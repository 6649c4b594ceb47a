package words

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// A lock with a time or a reason, whose words are free: app を2時間ロック DB移行中,
// lock app until 14:30: DB migration. The reason comes last, after a time or a colon.
var locking = sync.OnceValue(func() []*regexp.Regexp {
	form := strings.NewReplacer(" ", " ?", "TARGET", "(?:"+signTarget+" ?[をは、]?)", "SPAN",
		`(?:`+signUntil+`|(\d{1,3}) ?(m|mins?|minutes?|h|hrs?|hours?|d|days?|分|時間|日)(?:間|だけ)?)`).Replace
	return []*regexp.Regexp{
		regexp.MustCompile(form(`^(?:` + signUntil + ` )?(?:TARGET )?(?:SPAN )?(?:ロック|凍結)(?:を?お願いします|して(?:ください|おいて)?|しといて|します)?[!。]? (?:TARGET )?(?:SPAN)?(?:$|([\x20:、。(]+)(.*)$)`)),
		regexp.MustCompile(form(`^(?:please|can you|could you|let's)? (?:lock|freeze)\b(?: (?:TARGET|(?:it|this|deploys|releases)\b))?(?: for)?(?: SPAN)?()()(?: please)?(?:$|([\x20:,;.–—-]+)(.*)$)`)),
	}
})

// lockWords are those of the forms: most messages have none, and take no longer.
var lockWords = []string{"ロック", "凍結", "lock", "freeze"}

// reasons matches a reason after an English time of day, and not what goes on with that:
// 5pm Friday, 14:30 JST, 14:30-15:00.
var reasons = regexp.MustCompile(`^(?:[ ,.]*(?:[:;]| [–—-] )[ ,.:;–—-]*[^ ,.:;–—-]| ?(?:because|due to|while) )`)

// polite matches a request in the form of a question.
var polite = regexp.MustCompile(`^(?:can|could) you\b.*\?$`)

// units are what a time is counted in, by their first letter.
var units = map[rune]time.Duration{'m': time.Minute, '分': time.Minute, 'h': time.Hour, '時': time.Hour, 'd': 24 * time.Hour, '日': 24 * time.Hour}

// lock reads a message that asks for a lock with a time or a reason.
func (r *reader) lock() (in deploy.Intent, ok bool) {
	if len(r.pieces) == 0 {
		return in, false
	}
	from, to := r.pieces[0].from, r.pieces[len(r.pieces)-1].to
	text := r.Text[from:to]
	if !slices.ContainsFunc(lockWords, func(word string) bool { return strings.Contains(text, word) }) {
		return in, false
	}
	if polite.MatchString(text) {
		text, to = text[:len(text)-1], to-1
	}
	text, end, today := sayUntil(text)
	for n, form := range locking() {
		japanese := n == 0
		at := form.FindStringSubmatchIndex(text)
		if at == nil {
			continue
		}
		group := func(n int) string {
			if at[2*n] < 0 {
				return ""
			}
			return text[at[2*n]:at[2*n+1]]
		}
		for _, n := range []int{1, 3} {
			if number, err := strconv.Atoi(group(n)); err == nil {
				if in.For > 0 { // which of the two?
					return in, false
				}
				unit := []rune(group(n + 1))[0]
				in.For = time.Duration(number) * units[unit]
			}
		}
		rest, start := group(6), from+at[12]
		switch before := strings.TrimSuffix(text, rest); {
		case strings.Contains(before, signUntil):
			follows := japanese || rest == "" || reasons.MatchString(group(5)+rest)
			// mutant: a time of day taken for the whole of a time that goes on
			if in.For > 0 || !follows || again.MatchString(rest) {
				return in, false
			}
			in.Until, in.Today, start = end, today, start+to-from-len(text)
		// mutant: a time in a reason that the lock does not keep
		case strings.HasPrefix(rest, signUntil), in.For == 0 && again.MatchString(rest):
			return in, false
		}
		// mutant: something else that is asked for taken for a reason
		if rest != "" && !isReason(rest, !japanese || strings.ContainsAny(group(5), ":(")) {
			return in, false
		}
		if rest != "" {
			in.Word = strings.TrimRight(r.Original(start, to), ")）")
		}
		// mutant: words about a lock taken for its reason
		return in, in.For > 0 || in.Until > 0 || strings.Contains(group(5), ":") && in.Word != ""
	}
	return in, false
}
