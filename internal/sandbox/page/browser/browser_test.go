package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

var (
	psycher string
	chrome  context.Context
)

func TestMain(m *testing.M) { os.Exit(prepared(m)) }

func prepared(m *testing.M) int {
	dir, err := os.MkdirTemp("", "psycher-page-")
	if err == nil {
		defer os.RemoveAll(dir)
		psycher, err = build(dir)
	}
	if err == nil {
		var cancel func()
		if chrome, cancel, err = launch(); err == nil {
			defer cancel()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// wide is the view of most tests.
var wide = view{width: 1280, height: 800}

// page is a demo of the test's own, opened in a browser. At the end nothing may have
// gone wrong in the browser, and the demo must end without an error.
type page struct {
	*testing.T
	*tab
}

func open(t *testing.T, lang string, v view) page {
	t.Helper()
	return openOn(t, lang, v, true)
}

// openOn opens a quick demo, or one as people see it.
func openOn(t *testing.T, lang string, v view, quick bool) page {
	t.Helper()
	t.Parallel()
	d, err := startDemo(psycher, lang, quick)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.stop(); err != nil {
			t.Error(err)
		}
	})
	tab, err := openTab(chrome, d, v)
	t.Cleanup(tab.close)
	t.Cleanup(func() {
		for _, problem := range tab.noticed() {
			t.Error(problem)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p := page{t, tab}
	p.does(until(`document.querySelector("#bot .ready")`))
	return p
}

func (p page) does(actions ...action) {
	p.Helper()
	for _, a := range actions {
		if err := p.run(a); err != nil {
			shows, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string](`["messages", "record-body", "gone"].map((id) => document.getElementById(id).innerText.replace(/\s+/g, " ").slice(-3000)).join("\n") + "\n" + JSON.stringify([document.getElementById("say").value, document.activeElement.id, document.hasFocus(), document.hidden])`))
			p.Fatalf("%v\nThe page shows:\n%s", err, shows)
		}
	}
}

func eval[T any](p page, expression string) T {
	p.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	return v
}

// says waits until the thread of the newest mention holds a text.
func says(text string) action {
	return until(fmt.Sprintf(`(%s?.querySelector(".thread")?.textContent ?? "").includes(%q)`, last, text))
}

func (p page) states() string {
	return strings.Join(eval[[]string](p, `[...document.querySelectorAll(".moves code")].map((e) => e.textContent)`), " ")
}

func (p page) pipelines() []string {
	return eval[[]string](p, `[...document.querySelectorAll(".pipeline .head .status")].map((e) => e.textContent)`)
}

func TestAMentionDeploys(t *testing.T) {
	p := open(t, "en", wide)
	if offered := eval[string](p, `document.getElementById("say").value`); offered != "@psycher release app" {
		t.Errorf("the box offers %q", offered)
	}
	p.does(
		push("#say"),
		marked("thumbsup"), says("pipeline"),
		until(`document.querySelector(".job:last-child .log")?.textContent.includes("psycher was told: start")`),
		until(`document.querySelector(".pipeline .status.running") !== null`),
		marked("white_check_mark"), says("(edited)"),
		until(`document.querySelector(".job:last-child .log")?.textContent.includes("psycher was told: success")`),
		until(`document.querySelectorAll(".thread .one").length === 2`),
	)
	if got := p.states(); got != "accepted triggering running succeeded" {
		t.Errorf("the record went %s", got)
	}
	if got := p.pipelines(); !slices.Equal(got, []string{"passed"}) {
		t.Errorf("the pipelines are %q", got)
	}
	p.does(
		until(`document.getElementById("record-of").textContent.endsWith("@psycher release app")`),
		until(`document.querySelector(".facts").textContent.includes(":white_check_mark:")`),
		until(`document.querySelector(".facts").textContent.includes("1 / 1")`),
	)
	if announced := eval[string](p, `document.getElementById("live").textContent`); !strings.Contains(announced, "psycher: ") {
		t.Errorf("a screen reader announces %q", announced)
	}
}

func TestADeployFailsAndIsRetried(t *testing.T) {
	p := open(t, "en", wide)
	p.does(
		push("#switch-fail-next"), until(`document.getElementById("switch-fail-next").ariaChecked === "true"`),
		write("@psycher release app"),
		until(`document.getElementById("switch-fail-next").ariaChecked === "false"`),
		marked("x"), says("@yamada"),
		until(`document.querySelector(".job:last-child .log")?.textContent.includes("failed, as DEMO_FAIL asks")`),
		click("#retry-1001"), marked("white_check_mark"),
	)
	if got := p.states(); got != "accepted triggering running failed succeeded" {
		t.Errorf("the record went %s", got)
	}
}

func TestACanceledPipelineIsFoundOut(t *testing.T) {
	p := open(t, "en", wide)
	p.does(
		write("@psycher release app"), marked("thumbsup"),
		push("#cancel-1001"), until(`document.querySelector(".pipeline .head .status.canceled") !== null`),
		// The button that was pressed is gone: the keyboard's focus is still at its pipeline.
		until(`document.activeElement.id === "pipeline-1001"`),
		marked("no_entry_sign"), says("@yamada"),
	)
	if got := p.states(); got != "accepted triggering running canceled" {
		t.Errorf("the record went %s", got)
	}
}
