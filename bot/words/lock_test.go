package words

import (
	"testing"
	"time"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/deploy"
)

func TestLocksWithATimeAndAReason(t *testing.T) {
	here := []deploy.Target{{Name: "app", Ref: "master"}, {Name: "api", Ref: "master"}}
	understand := func(s string) deploy.Intent {
		return Understand([]markup.Segment{{Kind: markup.Self}, {Kind: markup.Plain, Text: " " + s}}, here, nil)
	}
	for s, want := range map[string]deploy.Intent{
		"lock app 2h":                           {For: 2 * time.Hour},
		"lock app for 90 minutes please":        {For: 90 * time.Minute},
		"Lock app for 2 hours: DB migration":    {For: 2 * time.Hour, Word: "DB migration"},
		"freeze app for 1d because of the demo": {For: 24 * time.Hour, Word: "because of the demo"},
		"lock app: I am deploying by hand":      {Word: "I am deploying by hand"},
		"can you lock app for 30 min":           {For: 30 * time.Minute},
		"appを2時間ロック":                            {For: 2 * time.Hour},
		"app を 30分間ロックしてください。":                  {For: 30 * time.Minute},
		"app を２時間ロックして（DB移行中）":                  {For: 2 * time.Hour, Word: "DB移行中"},
		"ロック app 1日: リリースは待ってください":              {For: 24 * time.Hour, Word: "リリースは待ってください"},
		"ロック app： 手で出しています":                     {Word: "手で出しています"},
		"appをロックして 2時間":                         {For: 2 * time.Hour},
		"lock app":                              {},
		"app をロックして":                            {},
	} {
		want.Kind, want.Target = deploy.KindLock, "app"
		if got := understand(s); got != want {
			t.Errorf("%s: %+v, want %+v", s, got, want)
		}
	}
	for _, s := range []string{
		"lock app down the road", "app を2時間ロックしないで", "don't lock app for 2h", "2時間ロックされてる", "is app locked for 2h", "2時間後に app をロックして",
		"ロックの時間は2時間", "lock app and deploy api",
		"lock app 2h then deploy app", "lock app for 2 hours and deploy api", "app ロック：解除して", "ロック: 解除して",
	} {
		if got := understand(s); got.Deploys() || got.Kind == deploy.KindLock && got.Doubt == "" {
			t.Errorf("%s: %+v", s, got)
		}
	}
}

func TestLocksUntilATimeOfDay(t *testing.T) {
	here := []deploy.Target{{Name: "app", Ref: "master"}, {Name: "api", Ref: "master"}}
	understand := func(s string) deploy.Intent {
		return Understand([]markup.Segment{{Kind: markup.Self}, {Kind: markup.Plain, Text: " " + s}}, here, nil)
	}
	clock := func(hour, minute int) deploy.Intent {
		return deploy.Intent{Kind: deploy.KindLock, Target: "app", Until: time.Duration(hour*60+minute) * time.Minute}
	}
	today := func(in deploy.Intent) deploy.Intent { in.Today = true; return in }
	because := func(word string, in deploy.Intent) deploy.Intent { in.Word = word; return in }
	for s, want := range map[string]deploy.Intent{
		"lock app until 14:30":                        clock(14, 30),
		"lock app until 14:30: DB migration":          because("DB migration", clock(14, 30)),
		"lock app until 14:30 - DB migration":         because("DB migration", clock(14, 30)),
		"Please lock app until 2 PM":                  clock(14, 0),
		"lock app till 2:15pm please: Migration v2":   because("Migration v2", clock(14, 15)),
		"lock app until 12am":                         clock(24, 0),
		"lock app until 12:30 pm because of the demo": because("because of the demo", clock(12, 30)),
		"lock app until noon":                         clock(12, 0),
		"lock app until midnight":                     clock(24, 0),
		"lock app until 0:00":                         clock(24, 0),
		"lock app until tomorrow 9:00":                clock(33, 0),
		"lock app until tomorrow at 9am: the launch":  because("the launch", clock(33, 0)),
		"freeze app until 9:00 tomorrow":              clock(33, 0),
		"can you lock app until today 18:00":          today(clock(18, 0)),
		"lock app until 18:00 today: DB":              because("DB", today(clock(18, 0))),
		"lock app until today midnight":               today(clock(24, 0)),
		"appを今日の8時半までロック":                             today(clock(8, 30)),
		"appを今日の24時までロック":                             today(clock(24, 0)),
		"can you lock app until 14:30?":               clock(14, 30),
		"lock app until 14:30: code freeze":           because("code freeze", clock(14, 30)),
		"lock app until 5pm: 2 services are migrated": because("2 services are migrated", clock(17, 0)),
		"lock app until 5pm while I deploy by hand":   because("while I deploy by hand", clock(17, 0)),
		"appを14:30までロック: 動かないので調査中":                   because("動かないので調査中", clock(14, 30)),
		"appを14:30までロック リリース作業中":                      because("リリース作業中", clock(14, 30)),
		"appを14:30までロック: DB移行":                        because("DB移行", clock(14, 30)),
		"app を１４：３０までロックして（DB移行中）":                    because("DB移行中", clock(14, 30)),
		"appを14時半までロック":                               clock(14, 30),
		"appは14時5分までロックしてください":                        clock(14, 5),
		"明日9時までappをロック":                               clock(33, 0),
		"appを明日9時までロック":                               clock(33, 0),
		"appを明日の朝9時半までロックして":                          clock(33, 30),
		"appを今日の午後6時までロック DB移行":                       because("DB移行", today(clock(18, 0))),
		"ロック app 正午まで: 手で出しています":                      because("手で出しています", clock(12, 0)),
		"appをロックして 本日18:00まで":                         today(clock(18, 0)),
		"appを24時までロック":                                clock(24, 0),
		"appを0時までロック":                                 clock(24, 0),
	} {
		if got := understand(s); got != want {
			t.Errorf("%s: %+v, want %+v", s, got, want)
		}
	}
	for _, s := range []string{
		"lock app until 25:00", "lock app until 24:30", "lock app until 14:60", "lock app until 14:305", "lock app until 13pm", "lock app until 2",
		"lock app until Friday", "lock app until 5pm Friday", "lock app until 5pm, Friday", "lock app until 14:30 JST", "lock app until 14:30-15:00",
		"lock app until tomorrow", "lock app 2h until 14:30", "lock app for 2h: until 14:30", "lock app: DB migration until 14:30", "lock app at 14:30",
		"lock app until 14:30 and deploy api", "lock app until 14:30 then deploy api", "don't lock app until 14:30", "is app locked until 14:30?",
		"appを25時までロック", "appを14時60分までロック", "appを午後12時までロック", "appを午後13時までロック", "金曜14:30までappをロック", "appを金曜14時までロック", "appを14:30までにロック",
		"appを14:30ごろまでロック", "appを明日までロック", "appを14:30までロックしないで", "appは14:30までロックされてる", "ロック: 14:30までDB移行", "appを14:30からロック",
		"lock app until midnight tomorrow", "lock app until tomorrow midnight", "lock app until tomorrow 9:00 today", "lock app until today 0:00", "appを今日の0時までロック",
		"appを午後正午までロック", "appを午前12時半までロック", "appを午後12時半までロック",
		"app deploy until 14:30", "appを14:30までリリース", "appを2時間ロックして 14:30まで",
	} {
		if got := understand(s); got.Deploys() || got.Kind == deploy.KindLock && got.Doubt == "" {
			t.Errorf("%s: %+v", s, got)
		}
	}
}

func TestWhatFollowsALockAndIsNoReasonIsAskedAbout(t *testing.T) {
	here := []deploy.Target{{Name: "app", Ref: "master"}}
	for why, all := range map[string][]string{
		"it goes on with the time": {
			"lock app until 5pm - Friday", "lock app until 17:00 – tomorrow", "lock app until 5pm; tomorrow", "lock app until 5pm - next Monday: DB", "lock app until 5pm: 2 hours",
			"lock app until 5pm for 2 hours", "lock app until 5pm for tomorrow", "lock app until 5pm for now", "lock app until 5pm since Tuesday", "lock app until 5pm-ish", "lock app until 5pm - ish",
			"lock app until 14:30-JST", "lock app until 14:30 - UTC", "lock app until 14:30:JST", "lock app until 14:30 - or until 15:00", "lock app until 14:30 - no, 15:00", "lock app until 14:30: 15:00", "lock app until 14:30: 3pm",
			"lock app until 14:30: it runs until 14:00", "lock app 2h: tomorrow", "lock app 2h 30m", "lock app 2h: 14:00-16:00", "lock app 2h: May 5",
			"ロック app 14:30まで（明日）", "ロック app 14:30まで (明日)", "ロック app 14:30まで JST", "appをロック 14:30まで 明日", "appを9時までロック 月曜の朝", "appを14:30までロック（明日の）", "appを14:30までロック 金曜日", "appを14:30までロック（金）",
			"appを14:30までロック。やっぱり15:00まで", "appを14:30までロック: いや15:00", "appを14:30までロック: 2時間", "appを2時間ロック 明日", "appを2時間ロック 30分", "appを14:30までロック: 日本時間",
		},
		"it takes the lock back": {
			"lock app until 14:30: never mind", "lock app until 14:30: cancel", "lock app until 14:30 - never mind", "lock app until 14:30 - actually don't", "lock app 2h: cancel that", "lock app until 14:30: not yet", "lock app 2h: no",
			"appを14:30までロック しないで", "appを2時間ロック しないで", "appを2時間ロック（しないで）", "appを14:30までロック: やめて", "appを14:30までロック: 取り消し", "appを14:30までロック: 必要ない",
		},
		"it asks, or tells of a lock": {
			"appを14:30までロック？", "appを14:30までロックして？", "appを2時間ロック？", "appをロック？", "lock app until 14:30?", "lock app 2h?", "lock app?", "lock app until 14:30: is that ok", "lock app until 14:30: DB?",
			"appを14:30までロック していい？", "appを2時間ロック していい？", "appを14:30までロック できる？", "appを2時間ロック できる？", "appを14:30までロック できますか",
			"appを14:30までロック されてる", "appを2時間ロック されてる", "appは14:30までロック らしい", "appは14:30までロック。ですよね", "app 14:30までロック (予定)",
		},
		"it asks for more": {
			"appを14:30までロックして。終わったらリリースして", "appを2時間ロックして。終わったらリリースして", "lock app until 14:30: then deploy", "lock app until 14:30: deploy app", "lock app until 5pm: release", "lock app 2h: unlock app",
			"appを14:30までロック: 解除して", "appを14:30までロック: ロールバックして",
		},
		"the lock has no time": {
			"lock app: until Friday", "lock app: until 5", "lock app: until 25:00", "lock app: 14:00-15:00 DB", "lock app: DB migration until tomorrow", "lock app: DB migration till the end of the day",
			"ロック: 明日までDB移行", "ロック: 25:00までDB移行", "ロック: 18時ごろまでDB移行", "ロック: 午後12時までDB移行",
		},
	} {
		for _, s := range all {
			got := Understand([]markup.Segment{{Kind: markup.Self}, {Kind: markup.Plain, Text: " " + s}}, here, nil)
			if got.Deploys() || got.Kind == deploy.KindLock && got.Doubt == "" {
				t.Errorf("%s: %s, but it locks: %+v", s, why, got)
			}
		}
	}
}
