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
