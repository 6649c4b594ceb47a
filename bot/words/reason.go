package words

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// A reason for a lock is free, but what stands in its place may as well go on with the
// lock's time (5pm; tomorrow), take the lock back, ask about it or ask for more. Whatever
// may be read so is asked about.

// again matches a second until.
var again = regexp.MustCompile(`\b(?:until|till?)\b|まで|` + signUntil)

// goesOn matches what begins with a day, a zone, a clock time or a number with a unit; or
// with a word that corrects what was said.
var goesOn = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:[ ,.:;…–—~(-]|(?:on|at|by|for|from|since|in|to|about|around|the|next|this|last|every)\b|次の|から)*(?:` +
		`(?:to(?:day|night|morrow)|tmrw?|(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:days?)?|weekends?` +
		`|(?:this|next|every) (?:week|month)|mornings?|afternoon|evening|noon|midnight|eod|day after|end of` +
		`|(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*\.? \d+|\d{1,2}(?:st|nd|rd|th))\b` +
		`|今[日夜晩週月]|本日|明[日朝晩]|明後日|あした|あさって|翌|再?来[週月]|[週月]末|毎[日朝晩週]|[月火水木金土日](?:曜|\)?$)|午[前後]|正午|深夜|夕方|[朝昼晩夜](?:$|[のにか])` +
		`|(?:utc|gmt|jst|kst|ces?t|bst|ist|sgt|hkt|msk|wes?t|ee[sd]?t|a[ec][sd]t|nz[sd]t|[ecmp][sd]?t|z)\b|(?:asia|europe|america|africa|australia|etc)/|(?:our|my|your|local|server|standard|japan|tokyo) time\b|日本時間|現地時間` +
		`|\d+(?:\.\d+)? ?(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|months?)\b|\d+ ?[秒分時日週月]|\d+ ?[かヶカ]月|\d{1,2}[:/]\d{2}|\d{1,2} ?[ap]\.?m\b|[+-]?\d+ ?\)?$` +
		`|(?:an?|one|two|three|four|five|half|few|a few|a couple of|another) (?:an? )?(?:more )?(?:minutes?|hours?|days?|weeks?)\b` +
		`|(?:and|then|or|if|unless|when|once|but|instead|rather|actually|wait|hold|not?|nope|nah|maybe|perhaps|make (?:it|that)|i mean|on second thoughts?|just kidding|ish|sharp)\b` +
		`|いや|やっぱ|または|もしくは|じゃな|では?な|でなく|間違|まちが|違|それとも)`)
})

// takesBack matches a negation, a question, hearsay and words of taking something back.
var takesBack = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\?|\b(?:not|no|never|nothing|nobody|none|dont|cannot|[a-z]+n['’]t)\b` +
		`|\b(?:cancel\w*|nevermind|nvm|scratch that|forget it|undo|unlock\w*|revert\w*|roll(?:ing)? ?back)\b|\b(?:right|ok|okay|huh|eh|or not)[ .!]*$` +
		`|取り?消|取り?やめ|キャンセル|やめ|中止|解除|アンロック|ロールバック|切り?戻` +
		`|ないで|なくて|ません|(?:ない|なし|無し|不要)(?:です|よ|ね|わ)?(?:$|[ 、。,.!)])` +
		`|(?:か|かな|かね|よね|っけ|いい|できる|できます|らしい|だそう|とのこと|かも|はず|されてる|されている)(?:です)?[ 。.!)]*$|^(?:仮|予定|未定)\)?$`)
})

// isReason reports whether a text can only be the reason for a lock. Without a colon or
// a parenthesis before it, a text in hiragana goes on with the word before.
func isReason(text string, free bool) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return (free || !unicode.Is(unicode.Hiragana, first)) && !goesOn().MatchString(text) && !takesBack().MatchString(text) && !commands(text)
}

// commands reports whether a clause of a text ends with what the bot is asked to do.
func commands(text string) bool {
	m := match{text: text}
	if m.whole("bare", 0) || m.whole("retry", 0) || m.whole("lock", 0) {
		return true
	}
	rules := []string{"request", "unlock", "rollback"}
	if !m.has("waits") || m.has("stops") || !m.has("deploy") { // that others wait with a deploy is a reason
		rules = append(rules, "cancel")
	}
	for i := range text {
		for _, rule := range rules {
			if slices.ContainsFunc(m.ends(tables().rule(rule), i), func(end int) bool {
				next, size := utf8.DecodeRuneInString(strings.TrimLeft(text[end:], trimmed+"ー"))
				return size == 0 || strings.ContainsRune("。!;,.:?…)", next)
			}) {
				return true
			}
		}
	}
	return false
}
