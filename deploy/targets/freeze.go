package targets

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // an image from scratch has no time zones
	"unicode"
	"unicode/utf8"

	"github.com/robfig/cron/v3"

	"github.com/getto-systems/psycher/deploy"
)

const freezeKeys = "cron, for, zone, reason"

// freeze reads the windows in which a target is not deployed.
func (r *mapReader) freeze(t *deploy.Target, path string) {
	if r.peek() != '[' {
		r.bad(path, `must be a list of windows such as [{"cron": "0 18 * * 5", "for": "62h", "zone": "Asia/Tokyo"}]`)
		r.value()
		return
	}
	for r.rest = r.rest[1:]; r.peek() != ']'; {
		f, has := deploy.Freeze{}, map[string]bool{}
		at := fmt.Sprintf("%s[%d]", path, len(t.Freezes))
		whole := r.object(at, freezeKeys, func(key, path string) {
			has[key] = true
			if problem := setFreeze(&f, key, text(r.value())); problem != "" {
				r.bad(path, "%s", problem)
			}
		})
		for _, key := range []string{"cron", "for", "zone"} {
			if whole && !has[key] {
				r.bad(at+"."+key, "is missing: a window has cron, for and zone")
			}
		}
		t.Freezes = append(t.Freezes, f)
	}
	if r.rest = r.rest[1:]; len(t.Freezes) == 0 {
		r.bad(path, "is empty: name a window, or leave it out")
	}
}

// The longest freeze, and the longest reason, in characters.
const (
	maxFreeze = 366 * 24 * time.Hour
	maxReason = 80
)

// fields is cron as crontab has it, and nothing more.
var fields = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

//docgen:messages settings
func setFreeze(f *deploy.Freeze, key, s string) (problem string) {
	var err error
	switch key {
	case "cron":
		// The library would read a zone in front of the fields too, and panic at some.
		if !strings.Contains(s, "=") {
			f.Begins, err = fields.Parse(s)
		}
		if f.Begins == nil || err != nil {
			return `must be when it begins, as five fields of cron in quotes: minute, hour, day, month, weekday (0 is Sunday), such as "0 18 * * 5"`
		}
		if f.Begins.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
			return "never begins: no such month has that day"
		}
	case "for":
		if f.For, err = time.ParseDuration(s); err != nil || f.For <= 0 || f.For > maxFreeze {
			return `must be how long it lasts, over zero and at most 8784h, in quotes, such as "90m" or "62h"`
		}
	case "zone":
		if f.Zone, err = time.LoadLocation(s); s == "" || s == "Local" || err != nil {
			return `must be a time zone in quotes, such as "Asia/Tokyo", "Europe/Berlin" or "UTC"`
		}
	case "reason":
		if strings.TrimSpace(s) == "" || utf8.RuneCountInString(s) > maxReason || strings.ContainsFunc(s, unicode.IsControl) {
			return "must be a few words for people, in quotes, at most 80 characters"
		}
		f.Reason = s
	default:
		return "is not a key of a window; these are: " + freezeKeys
	}
	return ""
}
