package targets

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Times are written as a clock in UTC shows them.
func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func TestWhenATargetIsFrozen(t *testing.T) {
	const (
		weekends  = `{"cron": "0 18 * * 5", "for": "62h", "zone": "Asia/Tokyo"}`
		berlin    = `{"cron": "30 2 * * 0", "for": "2h", "zone": "Europe/Berlin"}`
		newYork   = `{"cron": "30 2 * * 0", "for": "2h", "zone": "America/New_York"}`
		twice     = `{"cron": "30 1 * * 0", "for": "2h", "zone": "America/New_York"}`
		monthEnds = `{"cron": "0 9 31 * *", "for": "24h", "zone": "Asia/Tokyo"}`
		leapDays  = `{"cron": "0 0 29 2 *", "for": "24h", "zone": "UTC"}`
	)
	for _, row := range []struct{ windows, now, since, until string }{ // without since: it is not frozen
		{weekends, "2026-11-27 08:59", "", ""},
		{weekends, "2026-11-27 09:00", "2026-11-27 09:00", "2026-11-29 23:00"},
		{weekends, "2026-11-29 22:59", "2026-11-27 09:00", "2026-11-29 23:00"},
		{weekends, "2026-11-29 23:00", "", ""},

		// It lasts as long as it says while clocks are set back or forward.
		{`{"cron": "0 18 * * 5", "for": "62h", "zone": "Europe/Berlin"}`, "2026-03-29 12:00", "2026-03-27 17:00", "2026-03-30 07:00"},
		{`{"cron": "0 18 * * 5", "for": "62h", "zone": "Europe/Berlin"}`, "2026-10-25 12:00", "2026-10-23 16:00", "2026-10-26 06:00"},
		{`{"cron": "0 18 * * 5", "for": "62h", "zone": "America/New_York"}`, "2026-11-02 11:59", "2026-10-30 22:00", "2026-11-02 12:00"},
		{`{"cron": "0 0 * * *", "for": "1h", "zone": "Europe/Berlin"}`, "2026-03-29 22:30", "2026-03-29 22:00", "2026-03-29 23:00"},

		// Clocks jump over its beginning: it begins as they do.
		{berlin, "2026-03-29 00:59", "", ""},
		{berlin, "2026-03-29 01:00", "2026-03-29 01:00", "2026-03-29 03:00"},
		{newYork, "2026-03-08 06:59", "", ""},
		{newYork, "2026-03-08 07:00", "2026-03-08 07:00", "2026-03-08 09:00"},
		{newYork, "2026-03-08 08:59", "2026-03-08 07:00", "2026-03-08 09:00"},
		{newYork, "2026-03-08 09:00", "", ""},

		// Clocks show its beginning twice: it begins once, the first time.
		{berlin, "2026-10-25 00:29", "", ""},
		{berlin, "2026-10-25 00:30", "2026-10-25 00:30", "2026-10-25 02:30"},
		{berlin, "2026-10-25 02:30", "", ""},
		{twice, "2026-11-01 05:29", "", ""},
		{twice, "2026-11-01 05:30", "2026-11-01 05:30", "2026-11-01 07:30"},
		{twice, "2026-11-01 07:30", "", ""},

		// Zones that crossed the date line, or whose clocks jump at midnight.
		{`{"cron": "0 12 30 12 *", "for": "2h", "zone": "Pacific/Apia"}`, "2011-12-30 10:00", "2011-12-30 10:00", "2011-12-30 12:00"},
		{`{"cron": "0 0 4 11 *", "for": "2h", "zone": "America/Sao_Paulo"}`, "2018-11-04 03:00", "2018-11-04 03:00", "2018-11-04 05:00"},

		{monthEnds, "2026-11-30 12:00", "", ""},
		{monthEnds, "2026-12-01 12:00", "", ""},
		{monthEnds, "2026-12-31 12:00", "2026-12-31 00:00", "2027-01-01 00:00"},
		{monthEnds, "2027-02-28 12:00", "", ""},
		{leapDays, "2027-02-28 12:00", "", ""},
		{leapDays, "2027-03-01 12:00", "", ""},
		{leapDays, "2028-02-29 12:00", "2028-02-29 00:00", "2028-03-01 00:00"},
		{`{"cron": "0 0 27 12 *", "for": "216h", "zone": "Asia/Tokyo"}`, "2027-01-03 12:00", "2026-12-26 15:00", "2027-01-04 15:00"},

		// Windows that overlap or follow one another are one; those without a gap never end.
		{`{"cron": "0 9-11 * * 1", "for": "90m", "zone": "UTC"}`, "2026-11-30 09:10", "2026-11-30 09:00", "2026-11-30 12:30"},
		{`{"cron": "0 18 * * 5", "for": "6h", "zone": "UTC"}, {"cron": "0 0 * * 6", "for": "48h", "zone": "UTC", "reason": "x"}`, "2026-11-27 19:00", "2026-11-27 18:00", "2026-11-30 00:00"},
		{`{"cron": "0 0 * * *", "for": "48h", "zone": "Asia/Tokyo"}`, "2026-11-28 12:00", "2026-11-26 15:00", "never"},
		{`{"cron": "* * * * *", "for": "1m", "zone": "Europe/Berlin"}`, "2026-11-28 12:00", "2026-11-28 12:00", "never"},
	} {
		m := parse(t, fmt.Sprintf(`{"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test", "freeze": [%s]}}}}`, row.windows))
		got := m.In("T1", "C1")[0].Frozen(at(t, row.now))
		name := row.windows + " at " + row.now
		switch {
		case row.since == "" && got != nil:
			t.Errorf("%s: it is frozen since %s", name, time.Unix(got.Since, 0).UTC())
		case row.since == "":
		case got == nil:
			t.Errorf("%s: it is not frozen", name)
		case got.Since != at(t, row.since).Unix():
			t.Errorf("%s: it is frozen since %s", name, time.Unix(got.Since, 0).UTC())
		case row.until == "never":
			if got.Until != 0 {
				t.Errorf("%s: it is frozen until %s", name, time.Unix(got.Until, 0).UTC())
			}
		case got.Until != at(t, row.until).Unix():
			t.Errorf("%s: it is frozen until %s", name, time.Unix(got.Until, 0).UTC())
		}
	}
}

func TestWhatIsWrongInAFreezeIsTold(t *testing.T) {
	for keys, want := range map[string]string{
		`"freeze": {}`:                              `T1.C1.app.freeze: must be a list of windows`,
		`"freeze": null`:                            `T1.C1.app.freeze: must be a list of windows`,
		`"freeze": []`:                              `T1.C1.app.freeze: is empty`,
		`"freeze": ["0 18 * * 5"]`:                  `T1.C1.app.freeze[0]: must be an object ({...}) with cron, for, zone, reason`,
		`"freeze": [{}]`:                            `T1.C1.app.freeze[0].cron: is missing`,
		`"freeze": [OK, {"cron": OKCRON}]`:          `T1.C1.app.freeze[1].zone: is missing`,
		`"freeze": [{"until": "1h"}]`:               `T1.C1.app.freeze[0].until: is not a key of a window`,
		`"freeze": [{"for": "1h", "for": "2h"}]`:    `T1.C1.app.freeze[0].for: is a duplicate key`,
		`"freeze": [{"for": 62}]`:                   `T1.C1.app.freeze[0].for: must be how long`,
		`"freeze": [{"for": "-1h"}]`:                `T1.C1.app.freeze[0].for: must be how long`,
		`"freeze": [{"for": "8785h"}]`:              `T1.C1.app.freeze[0].for: must be how long`,
		`"freeze": [{"zone": ""}]`:                  `T1.C1.app.freeze[0].zone: must be a time zone`,
		`"freeze": [{"zone": "Local"}]`:             `T1.C1.app.freeze[0].zone: must be a time zone`,
		`"freeze": [{"zone": "JST"}]`:               `T1.C1.app.freeze[0].zone: must be a time zone`,
		`"freeze": [{"zone": "../passwd"}]`:         `T1.C1.app.freeze[0].zone: must be a time zone`,
		`"freeze": [{"reason": ""}]`:                `T1.C1.app.freeze[0].reason: must be a few words`,
		`"freeze": [{"reason": "a\nb"}]`:            `T1.C1.app.freeze[0].reason: must be a few words`,
		`"freeze": [{"cron": "0 18 * *"}]`:          `T1.C1.app.freeze[0].cron: must be when it begins`,
		`"freeze": [{"cron": "0 0 18 * * 5"}]`:      `T1.C1.app.freeze[0].cron: must be when it begins`,
		`"freeze": [{"cron": "60 18 * * 5"}]`:       `T1.C1.app.freeze[0].cron: must be when it begins`,
		`"freeze": [{"cron": "@daily"}]`:            `T1.C1.app.freeze[0].cron: must be when it begins`,
		`"freeze": [{"cron": "@every 1h"}]`:         `T1.C1.app.freeze[0].cron: must be when it begins`,
		`"freeze": [{"cron": "TZ=0"}]`:              `T1.C1.app.freeze[0].cron: must be when it begins`,
		`"freeze": [{"cron": "TZ=UTC 0 18 * * 5"}]`: `T1.C1.app.freeze[0].cron: must be when it begins`,
		`"freeze": [{"cron": ""}]`:                  `T1.C1.app.freeze[0].cron: must be when it begins`,
		`"freeze": [{"cron": 5}]`:                   `T1.C1.app.freeze[0].cron: must be when it begins`,
		`"freeze": [{"cron": "0 0 31 2 *"}]`:        `T1.C1.app.freeze[0].cron: never begins`,
		`"override": ["U1"]`:                        `T1.C1.app.override: says who may deploy during a freeze`,
		`"freeze": [OK], "override": "U1"`:          `T1.C1.app.override: must be a list of user ids`,
		`"freeze": [OK], "override": ["S1"]`:        `T1.C1.app.override: must be a list of user ids`,
		`"freeze": [OK], "override": null`:          `T1.C1.app.override: must be a list of user ids`,
		`"freeze": [OK], "override": []`:            `T1.C1.app.override: must be a list of user ids`,
	} {
		keys = strings.NewReplacer("OKCRON", `"0 18 * * 5", "for": "1h"`, "OK", `{"cron": "0 18 * * 5", "for": "62h", "zone": "Asia/Tokyo"}`).Replace(keys)
		_, err := Parse(fmt.Appendf(nil, `{"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test", %s}}}}`, keys), "master", time.Hour, nil)
		if err == nil || !strings.Contains("\n"+err.Error(), "\n"+want) {
			t.Errorf("%s: %v", keys, err)
		}
	}
}

// However often its windows begin, a target is judged at once.
func BenchmarkFrozen(b *testing.B) {
	m, err := Parse([]byte(`{"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test", "freeze": [{"cron": "* * * * *", "for": "1m", "zone": "Europe/Berlin"}]}}}}`), "master", time.Hour, nil)
	if err != nil {
		b.Fatal(err)
	}
	app, now := m.In("T1", "C1")[0], time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)
	for b.Loop() {
		app.Frozen(now)
	}
}
