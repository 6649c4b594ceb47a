package web

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
)

func dated(at time.Time) http.Header {
	return http.Header{"Date": {at.UTC().Format(http.TimeFormat)}}
}

func TestSlacksClockGoesOnFromItsLastAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slack := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
		fake := &slackFake{answers: []fakeAnswer{{status: 503, header: dated(slack)}, {body: `{"ok":true,"ts":"1.1"}`}}}
		a := apiOver(fake)
		if got := a.Now(); !got.Equal(time.Now()) {
			t.Errorf("before any answer it is %s, not the host's %s", got, time.Now())
		}
		_ = a.React(t.Context(), deploy.Key{Channel: "C1"}, "x") // a failure has a date too
		time.Sleep(90 * time.Second)
		_ = a.React(t.Context(), deploy.Key{Channel: "C1"}, "x") // no date: nothing is learned
		if got, want := a.Now(), slack.Add(90*time.Second); !got.Equal(want) {
			t.Errorf("it is %s, want %s", got, want)
		}
	})
}

func TestTheLargerOfTheHostsTwoClocksCounts(t *testing.T) {
	for _, c := range []struct {
		name       string
		mono, wall time.Duration // how long ago, by each, Slack said its time
		want       time.Duration
	}{
		{"both", time.Minute, time.Minute, time.Minute},
		{"suspended", time.Second, time.Hour, time.Hour},
		{"wall clock set back", time.Minute, -time.Hour, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now, date := time.Now(), time.Unix(1_700_000_000, 0)
				k := &clock{date: date, at: now.Add(-c.mono), wall: now.Round(0).Add(-c.wall)}
				if got := k.Now().Sub(date); got != c.want {
					t.Errorf("%s have passed, want %s", got, c.want)
				}
			})
		})
	}
}

func TestAWrongHostClockIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c := &clock{log: zerolog.New(&log)}
		for _, step := range []struct {
			name  string
			by    time.Duration
			lines int
		}{
			{"well", 5 * time.Second, 0},
			{"off", 31 * time.Second, 1},
			{"still off", time.Hour, 1},
			{"nearly well", 25 * time.Second, 1},
			{"off again before it was well", -40 * time.Second, 1},
			{"well again", 0, 1},
			{"off the other way", -31 * time.Second, 2},
		} {
			c.learn(dated(time.Now().Add(step.by)))
			if got := strings.Count(log.String(), "\n"); got != step.lines {
				t.Errorf("%s: %d lines, want %d", step.name, got, step.lines)
			}
		}
		first, _, _ := strings.Cut(log.String(), "\n")
		for _, at := range []time.Time{time.Now().UTC(), time.Now().UTC().Add(31 * time.Second)} {
			if !strings.Contains(first, at.Format(time.RFC3339)) {
				t.Errorf("%s does not say %s", first, at)
			}
		}
	})
}
