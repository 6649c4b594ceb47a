package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// ticked waits until just these steps of the tour are done.
func ticked(names ...string) action {
	return until(fmt.Sprintf(`[...document.querySelectorAll("#steps .done button")].map((b) => b.id).join(" ") === %q`, strings.TrimSuffix("step-"+strings.Join(names, " step-"), "step-")))
}

// scored waits until the score is this.
func scored(want string) action {
	return until(fmt.Sprintf(`[...document.querySelectorAll("#score div")].map((d) => d.textContent).join(" ") === %q`, want))
}

// A step is ticked when what it leads to has happened, and not when it is pressed.
func TestTheTourTicksItself(t *testing.T) {
	p := open(t, "en", wide)
	p.does(
		scored("mentions0 pipelines0 doubled0 unanswered0 kills0"),
		push("#step-release"), until(`document.activeElement.id === "say" && document.getElementById("say").value === "@psycher release app"`),
		enter, ticked("release"), marked("thumbsup"),
		push("#step-kill"), until(`document.activeElement.id === "switch-kill"`), enter, until(`document.querySelector("#bot .killed")`),
		scored("mentions1 pipelines1 doubled0 unanswered0 kills1"), ticked("release"),
		off("kill"), ticked("release", "kill"), marked("white_check_mark"),
		push("#step-ask"), until(`document.activeElement.id === "say"`), enter, asked, ticked("release", "kill"),
		pressed("No"), ticked("release", "kill", "ask"),
		scored("mentions2 pipelines1 doubled0 unanswered0 kills1"),
		push("#step-approve"), until(`document.activeElement.id === "say"`), enter, asked, pushed(0), until(last+`.querySelector(".only")`), ticked("release", "kill", "ask"),
		push("#as-sato"), pushed(0), ticked("release", "kill", "ask", "approve"), marked("white_check_mark"), push("#as-yamada"),
		write("@psycher release app"), marked("white_check_mark"), replies(2),
		push("#step-rollback"), until(`document.activeElement.id === "say"`), enter, asked, ticked("release", "kill", "ask", "approve"),
		pushed(0), marked("white_check_mark"), ticked("release", "kill", "ask", "approve", "rollback"),
		scored("mentions5 pipelines3 doubled0 unanswered0 kills1"),
	)
	if got := eval[string](p, `document.getElementById("tour-done").textContent`); got != "5 / 5" {
		t.Errorf("the tour says %q", got)
	}
}

// Who comes to the page sees a deploy that runs: what goes out, how far it is, for
// how long. Nothing of it is the visitor's.
func TestThePageOpensOnALiveDeploy(t *testing.T) {
	p := openOn(t, "en", wide, false)
	p.does(stageAt("build"), says("1 commit: "), says("so far"), says("compare"), ticked(), scored("mentions2 pipelines2 doubled0 unanswered0 kills0"))
	p.does(marked("white_check_mark"), until(last+`.querySelector(".actions a")?.textContent === "Open"`))
}

// What Slack asks to confirm is asked here, and pressed only after a yes.
func TestAConfirmationIsAskedAsInSlack(t *testing.T) {
	p := open(t, "en", wide)
	text := func(s string) string { return fmt.Sprintf(`{"type":"plain_text","text":%q}`, s) }
	button := fmt.Sprintf(`{"type":"button","action_id":"cancel","style":"danger","value":"1","text":%s,"confirm":{"title":%s,"text":%s,"confirm":%s,"deny":%s,"style":"danger"}}`,
		text("Cancel…"), text("Cancel it?"), text("Pipeline #1001 of app."), text("Cancel it"), text("Let it run"))
	eval[bool](p, `(window.sent = [], window.fetch = async (to, { body }) => { window.sent.push(JSON.parse(body)); return { ok: true }; }, import("/blocks.js").then(({ block }) => {
		document.querySelector("main").append(block({ type: "actions", elements: [`+button+`, { type: "button", action_id: "open", url: "https://app.test/", text: { text: "Open" } }] }, { ts: "1.0" }, { me: "U1", t: (key) => key }));
		return true;
	}))`)
	open := steps(push("#press-1\\.0-cancel"), until(`document.querySelector("dialog[open]")?.textContent === "Cancel it?Pipeline #1001 of app.Let it runCancel it"`))
	closed := until(`!document.querySelector("dialog")`)
	p.does(open, press(kb.Escape), closed, open, push(`dialog button[value=""]`), closed)
	if sent := eval[int](p, `window.sent.length`); sent != 0 {
		t.Errorf("%d presses were sent without a yes", sent)
	}
	p.does(open)
	p.accessible(axe(t))
	p.does(push("dialog .danger"), closed, until(`window.sent.length === 1 && window.sent[0].action === "cancel" && window.sent[0].as === "U1"`))
	if link := eval[string](p, `document.querySelector("main > .actions a").outerHTML`); !strings.Contains(link, `href="https://app.test/"`) || !strings.Contains(link, ">Open</a>") {
		t.Errorf("a button with an address is %s", link)
	}
}
