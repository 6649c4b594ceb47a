package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// said is what people write in the pictures, and what is said there, by language.
var said = map[string]map[string]string{
	"ja": {
		"release": "app をリリースして", "admin": "管理画面をリリースして", "prod": "本番にリリースして", "lock": "app を2時間ロック: DB 移行中", "unlock": "app のロックを解除", "tomorrow": "app を明日リリースして", "pending": "app の差分は？", "rollback": "app をロールバック", "status": "app の状況は？", "reason": "スクリプトのエラー", "history": "app の履歴",
		"lost": "GitLab の答えが、途中で失われても…", "double": "Slack が同じものを二度届けても…", "killed": "psycher が、途中で強制終了されても…",
		"alive": "…起動すれば続きから。デプロイは一度だけ、結果も一度だけ。",
	},
	"en": {
		"release": "release app", "admin": "release admin", "prod": "release prod", "lock": "lock app 2h: DB migration", "unlock": "unlock app", "tomorrow": "release app tomorrow", "pending": "what's pending for app?", "rollback": "roll back app", "status": "status of app", "reason": "script error", "history": "history of app",
		"lost": "GitLab's answer is lost on its way…", "double": "Slack delivers everything twice…", "killed": "psycher is killed in the middle…",
		"alive": "…and goes on when it is back: one deploy, one result.",
	},
}

// situation is a picture of the guide: what is done for it, and what it shows.
type situation struct {
	name string
	of   string // an element; empty: nothing, it is done for the next ones
	do   []action
}

// situations are those that a user meets, one after the other. The page opens on a
// deploy that runs.
func situations(lang string) []situation {
	say := func(name string) action {
		return steps(until(last+`.dataset.past = true`), write("@psycher "+said[lang][name]), until(`!`+last+`.dataset.past`))
	}
	confirmed := steps(push("dialog button[value=yes]"), until(`!document.querySelector("dialog")`))
	ready := until(`document.querySelector("#bot .ready")`)
	return []situation{
		{"running", last, []action{until(`document.querySelectorAll(".message").length === 2`), stageAt("test"), shows(1)}},
		{"succeeded", last, []action{marked("white_check_mark"), replies(2), buttons(1)}},
		{"release", last, []action{say("release"), marked("thumbsup"), replies(1)}},
		{"cancel", `document.querySelector("dialog")`, []action{buttons(1), pushed(0), until(`document.querySelector("dialog[open]")`)}},
		{"canceled", last, []action{confirmed, marked("no_entry_sign"), replies(2)}},
		{"failed", last, []action{turned("fail-next", true), say("release"), marked("x"), replies(2), buttons(2), until(last + `.textContent.includes("` + said[lang]["reason"] + `")`)}},
		{"asked", last, []action{say("tomorrow"), asked}},
		{"pending", last, []action{pushed(1), say("pending"), asked}},
		{"rollback", last, []action{pushed(1), say("rollback"), asked}},
		{"rolled-back", last, []action{pushed(0), marked("white_check_mark"), replies(2)}},
		{"status", last, []action{say("status"), replies(1)}},
		{"history", last, []action{say("history"), replies(1)}},
		{"refused", last, []action{click(`#faults input[value="protected branch"]`), say("release"), marked("x"), replies(1)}},
		{"waiting", last, []action{turned("unreachable", true), say("admin"), marked("hourglass_flowing_sand"), replies(1)}},
		{"", "", []action{turned("unreachable", false), marked("thumbsup"), buttons(1)}},
		{"killed", `document.querySelector("body")`, []action{turned("kill", true), until(`document.querySelector("#bot .killed")`)}},
		{"survived", last, []action{turned("kill", false), ready, marked("white_check_mark"), replies(2)}},
		{"frozen", last, []action{turned("freeze", true), ready, say("release"), replies(1)}},
		{"override", last, []action{push("#as-sato"), say("release"), asked}},
		{"lock", last, []action{turned("freeze", false), ready, say("lock"), buttons(2)}},
		{"locked", last, []action{push("#as-yamada"), say("release"), buttons(3)}},
		{"", "", []action{pushed(2), push("#as-sato"), say("unlock"), replies(1)}},
		{"approval", last, []action{push("#as-yamada"), say("prod"), asked}},
		{"", "", []action{say("release"), marked("thumbsup")}},
		{"busy", last, []action{push("#as-sato"), say("release"), buttons(1)}},
		{"", "", []action{push("#as-yamada"), say("admin"), marked("thumbsup")}},
		{"along", last, []action{push("#as-sato"), say("admin"), buttons(1)}},
	}
}

// turned turns a switch.
func turned(name string, to bool) action {
	return steps(push("#switch-"+name), until(fmt.Sprintf(`document.getElementById("switch-%s").ariaChecked === "%t"`, name, to)))
}

// replies waits until the thread of the newest mention has n replies.
func replies(n int) action {
	return until(fmt.Sprintf(`%s.querySelectorAll(".thread .one").length === %d`, last, n))
}

const lastButtons = last + `.querySelectorAll(".actions button")`

// buttons waits until the newest mention's thread has so many of them.
func buttons(n int) action { return until(fmt.Sprintf(`%s.length >= %d`, lastButtons, n)) }

// stageAt waits until the newest mention's thread shows that a stage runs.
func stageAt(name string) action {
	return until(fmt.Sprintf(`[...%s?.querySelectorAll(".text strong") ?? []].some((e) => e.textContent.startsWith(%q))`, last, name))
}

// shows waits until what goes out is known.
func shows(n int) action {
	return until(fmt.Sprintf(`%s.querySelectorAll(".text + .text, .context").length >= %d`, last, n))
}

// pushed presses a button of the newest mention by the keyboard, and waits until
// the question is closed or asked to confirm.
func pushed(n int) action {
	return steps(
		until(fmt.Sprintf(`%s[%d]?.focus() === undefined && document.activeElement === %s[%d]`, lastButtons, n, lastButtons, n)), enter,
		until(`document.querySelector("dialog") || `+lastButtons+`.length === 0 || !`+last+`.querySelector("[aria-busy=true]")`),
	)
}

// still keeps what differs from picture to picture out of them, and what nobody
// needs to see there.
const still = `
	Date.prototype.toLocaleString = Date.prototype.toLocaleTimeString = function () { // it is 10:02
		const minute = 602 + Math.max(0, Math.round((this - Date.now()) / 6e4));
		return Math.floor(minute / 60) % 24 + ":" + String(minute % 60).padStart(2, "0");
	};
	addEventListener("load", () => {
		const rules = document.styleSheets[0];
		for (const rule of [".who .buttons, .jump, .choices, .message:not(:last-child) { display: none !important }", ".message.looked { background: none !important }", ".messages { max-height: none !important }", "* { animation: none !important }"])
			rules.insertRule(rule, rules.cssRules.length);
	});`

// openStill opens a tab in which that is so. It is high, so that all is in sight.
func openStill(browser context.Context, d *demo) (*tab, error) {
	t, err := openTab(browser, d, view{width: 680, height: 3000})
	if err != nil {
		return t, err
	}
	return t, t.run(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: still})
		return err
	}), reload, until(`document.documentElement.dataset.ready === "true"`))
}

// shot is a screenshot of an element, at a scale.
func shot(t *tab, of string, scale float64) ([]byte, error) {
	raw, err := chromedp.Run(t.ctx, chromedp.Evaluate[json.RawMessage](fmt.Sprintf(`(() => {
		document.activeElement.blur();
		if (innerHeight > 2000) document.getElementById("composer").hidden = true;
		const box = (%s).getBoundingClientRect();
		return { x: box.x, y: box.y, width: box.width, height: Math.min(box.height, 800), scale: %g };
	})()`, of, scale)))
	if err != nil {
		return nil, err
	}
	var clip cdppage.Viewport
	if err := json.Unmarshal(raw, &clip); err != nil {
		return nil, err
	}
	return chromedp.Run(t.ctx, func(ctx context.Context, target *chromedp.Target) ([]byte, error) {
		r, err := cdp.Call(ctx, target, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{Clip: &clip})
		if err != nil {
			return nil, err
		}
		_, err = chromedp.Evaluate[bool](`!(document.getElementById("composer").hidden = false)`)(ctx, target)
		return r.Data, err
	})
}

// guide takes the pictures of the guide in one language.
func guide(browser context.Context, program, lang, out string) (err error) {
	d, err := startDemo(program, lang, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	t, err := openStill(browser, d)
	defer t.close()
	for _, s := range situations(lang) {
		if err == nil {
			err = t.run(s.do...)
		}
		if err == nil && s.of != "" {
			err = save(t, s.of, 1.5, filepath.Join(out, "guide", s.name+"."+lang+".png"))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func save(t *tab, of string, scale float64, name string) error {
	raw, err := shot(t, of, scale)
	if err != nil {
		return err
	}
	small, err := picture(raw)
	if err != nil {
		return err
	}
	return os.WriteFile(name, small, 0o644)
}
