package words

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// signUntil stands in a text for until when something lasts.
const signUntil = "\uE002"

// until matches until when, by a clock: 明日の朝9時半まで, until 2pm tomorrow.
var until = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(strings.ReplaceAll(
		`(?:(?:(?P<today>今日|本日)|(?P<next>明日|あした|あす)) の? )?(?:(?:(?P<am>午前|朝)|(?P<pm>午後|夕方)) の? )?`+
			`(?:(?P<hour>\d{1,2}) (?::(?P<minute>\d{2})|時 (?:(?P<half>半)|(?P<minute>\d{1,2}) 分)?)|(?P<noon>正午)) まで`+
			`|\b(?:until|till?) (?:(?:(?P<today>today)|(?P<next>tomorrow)) )?(?:at )?`+
			`(?:(?P<hour>\d{1,2}) (?::(?P<minute>\d{2}) (?:(?:(?P<am>a)|(?P<pm>p))\.?m)?|(?:(?P<am>a)|(?P<pm>p))\.?m)|(?P<noon>noon)|(?P<midnight>midnight))\b`+
			`(?: (?:(?P<today>today)|(?P<next>tomorrow))\b)?`, " ", " ?"))
})

// sayUntil puts the sign in the place of the first such time in a text. The time is
// counted from the beginning of the day on which it is said, which alone is meant if the
// text says today; zero: there is none.
func sayUntil(text string) (signed string, t time.Duration, isToday bool) {
	at := until().FindStringSubmatchIndex(text)
	if at == nil {
		return text, 0, false
	}
	said := map[string]int{} // the numbers among the parts, 0 for words
	for n, part := range until().SubexpNames() {
		if part != "" && at[2*n] >= 0 {
			said[part], _ = strconv.Atoi(text[at[2*n]:at[2*n+1]])
		}
	}
	has := func(part string) bool { _, is := said[part]; return is }
	hour, minute := said["hour"], said["minute"]
	half, japanese := has("am") || has("pm"), strings.HasSuffix(text[:at[1]], "まで")
	today, next := has("today"), has("next")
	unclear := today && next || next && has("midnight") || half && has("noon") // a day has two midnights
	// mutant: a time that no clock shows
	if unclear || minute > 59 || hour*60+minute > 24*60 || half && (hour > 12 || hour == 12 && japanese) { // 午前12時 may be noon
		return text, 0, false
	}
	if half {
		hour %= 12
	}
	for part, more := range map[string][2]int{"pm": {12, 0}, "noon": {12, 0}, "midnight": {24, 0}, "half": {0, 30}} {
		if has(part) {
			hour, minute = hour+more[0], minute+more[1]
		}
	}
	if t = time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute; t == 0 && today {
		return text, 0, false
	}
	if t == 0 || next {
		t += 24 * time.Hour
	}
	return text[:at[0]] + signUntil + text[at[1]:], t, today
}
