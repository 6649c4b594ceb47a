package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// drawnBlocks is how the page draws a message with blocks, for a person: the text of
// each element that matters, and what it is.
func (p page) drawnBlocks(message string) []string {
	p.Helper()
	return eval[[]string](p, `import("/blocks.js").then(({ block, isKnown }) => {
		const box = document.createElement("div"), m = `+message+`;
		box.append(...m.blocks.filter(isKnown).map((b) => block(b, m, { me: "U1", people: { U1: "yamada" }, lang: "en", t: (key) => key })));
		return [...box.querySelectorAll(".text, .context, [role=group], button, summary, hr, .noack")].map((e) => [
			e.matches("button") ? (e.className + " button").trim() : e.matches("[role=group]") ? "group" : e.className || e.localName,
			e.ariaBusy === "true" ? "busy" : "", e.ariaLabel ?? "", e.matches("[role=group]") ? "" : e.textContent].filter(Boolean).join(" | "));
	})`)
}

func TestBlocksAreShownAsSlackShowsThem(t *testing.T) {
	p := open(t, "en", wide)
	const yes = `{"type":"button","action_id":"yes","style":"primary","text":{"type":"plain_text","text":"Deploy *app*"},"value":"1"}`
	const no = `{"type":"button","action_id":"no","text":{"type":"plain_text","text":"No"},"value":"2","accessibility_label":"Do not deploy"}`
	const menu = `{"type":"static_select","action_id":"which","placeholder":{"type":"plain_text","text":"Which?"},"options":[
		{"text":{"type":"plain_text","text":"app"},"value":"a"},{"text":{"type":"plain_text","text":"admin"},"value":"b"}]}`
	message := func(blocks, press string) string {
		return fmt.Sprintf(`{"ts":"1.0","blocks":[%s],"press":%s}`, blocks, press)
	}
	actions := func(elements string) string { return `{"type":"actions","elements":[` + elements + `]}` }
	for _, tt := range []struct {
		name, message string
		want          []string
	}{
		{"a section in mrkdwn", message(`{"type":"section","text":{"type":"mrkdwn","text":"*Deploy* <@U1>?"}}`, "null"), []string{"text | Deploy @yamada?"}},
		{"a plain section", message(`{"type":"section","text":{"type":"plain_text","text":"*no* <b>"}}`, "null"), []string{"text | *no* <b>"}},
		{"a context", message(`{"type":"context","elements":[{"type":"mrkdwn","text":"_last_ week"}]}`, "null"), []string{"context | last week"}},
		{"a divider", message(`{"type":"divider"}`, "null"), []string{"hr"}},
		{"an unknown block", message(`{"type":"video"}`, "null"), nil},
		{"buttons", message(actions(yes+","+no), "null"), []string{"group | actions", "primary button | Deploy *app*", "button | Do not deploy | No"}},
		{"a menu", message(actions(menu), "null"), []string{"group | actions", "summary | Which?", "choice button | app", "choice button | admin"}},
		{"a press on its way", message(actions(yes+","+no), `{"by":"U1","action":"yes","state":"sent"}`), []string{"group | actions", "primary button | busy | Deploy *app*", "button | Do not deploy | No"}},
		{"a choice on its way", message(actions(menu), `{"by":"U1","action":"which","state":"sent"}`), []string{"group | actions", "summary | busy | Which?", "choice button | busy | app", "choice button | busy | admin"}},
		{"a press that was acked", message(actions(yes), `{"by":"U1","action":"yes","state":"acked"}`), []string{"group | actions", "primary button | Deploy *app*"}},
		{"a press without an ack", message(actions(yes), `{"by":"U1","action":"yes","state":"warned"}`), []string{"group | actions", "primary button | Deploy *app*", "noack | noAck"}},
		{"another's press", message(actions(yes), `{"by":"U2","action":"yes","state":"warned"}`), []string{"group | actions", "primary button | Deploy *app*"}},
	} {
		if got := p.drawnBlocks(tt.message); !slices.Equal(got, tt.want) {
			t.Errorf("%s is %q, not %q", tt.name, got, tt.want)
		}
	}
}

// The marks that the bot uses are drawn, whatever fonts there are.
func TestEveryMarkIsDrawn(t *testing.T) {
	p := open(t, "en", wide)
	empty := eval[[]string](p, `import("/marks.js").then(({ drawn }) => drawn("👍 ✅ ❌ ⏳ ❓ 💤 🚫 👀 🤔 ⛔ 🎉 🍵 🚀 ✋ 🔒 🔓 ⚠️ 🛑 🤝").map((n) => {
		if (typeof n === "string") return n.trim() && "not drawn: " + n;
		document.body.append(n);
		const drawing = n.querySelector("svg").getBoundingClientRect(), paths = n.querySelectorAll("path").length;
		n.remove();
		return drawing.width >= 12 && paths > 0 ? "" : "empty: " + n.ariaLabel;
	}).filter(Boolean))`)
	for _, problem := range empty {
		t.Error(problem)
	}
}

// button is the button of the newest ask with a label.
func button(label string) string {
	return fmt.Sprintf(`[...%s.querySelectorAll(".actions button")].find((b) => b.textContent === %q)`, last, label)
}

// pressed presses a button by the keyboard.
func pressed(label string) action {
	return steps(until(button(label)+`?.focus() === undefined && document.activeElement.textContent === `+fmt.Sprintf("%q", label)), enter)
}

// facts waits until the record shows this time, and no line, as none was posted.
func facts(time string) action {
	return until(fmt.Sprintf(`[...document.querySelectorAll(".facts dt")].map((e) => e.textContent).filter((name) => ["Closes at", "Next check", "Lines posted"].includes(name)).join() === %q`, time))
}

func (p page) announced() string {
	p.Helper()
	return eval[string](p, `document.getElementById("live").textContent`)
}

func TestAnAskIsPressedAndBecomesTheStatus(t *testing.T) {
	p := open(t, "en", wide)
	p.does(write("@psycher release"), asked, facts("Closes at"))
	if got := p.announced(); !strings.Contains(got, "Buttons: Deploy admin (master), Deploy app (master), Deploy prod (master), No") {
		t.Errorf("a screen reader announces %q", got)
	}
	p.does(
		pressed("Deploy app (master)"), until(last+`.querySelectorAll(".actions").length === 0`),
		// The button is gone: the keyboard's focus is still at its message.
		until(`document.activeElement === `+last+`.querySelector(".thread .one")`),
		marked("thumbsup"), says("pipeline"), facts("Next check"), until(`document.querySelector(".pipeline .muted").textContent.startsWith("app ")`),
	)
	p.once()
	if got := p.states(); got != "accepted asking triggering running succeeded" {
		t.Errorf("the record went %s", got)
	}
}

func TestAnotherPersonSaysNo(t *testing.T) {
	p := open(t, "en", wide)
	p.does(
		write("@psycher release app tomorrow"), asked,
		push("#as-sato"), pressed("No"), until(last+`.querySelectorAll(".actions").length === 0`),
		says("sato"),
	)
	if got := p.pipelines(); len(got) != 0 {
		t.Errorf("the pipelines are %q", got)
	}
}

func TestAGuestIsRefusedAndOnlyTheySeeIt(t *testing.T) {
	p := open(t, "en", wide)
	p.does(
		write("@psycher release app tomorrow"), asked,
		push("#as-emma"), pressed("Deploy app (master)"),
		until(last+`.querySelector(".only")?.textContent.includes("Only visible to you")`),
		// The focus stays on what was pressed.
		until(`document.activeElement.textContent === "Deploy app (master)"`),
		push("#as-yamada"), until(last+`.querySelector(".only") === null`),
		pressed("Deploy app (master)"),
	)
	p.once()
}

func TestAPressWithoutTheBotIsWarnedOfAndCanBeRepeated(t *testing.T) {
	p := open(t, "en", wide)
	p.does(
		write("@psycher release app tomorrow"), asked,
		on("kill"), pressed("Deploy app (master)"), until(button("Deploy app (master)")+`.ariaBusy === "true"`),
		until(last+`.querySelector(".noack")`), until(button("Deploy app (master)")+`.ariaBusy !== "true"`),
	)
	if got := p.announced(); !strings.Contains(got, "did not answer") {
		t.Errorf("a screen reader announces %q", got)
	}
	p.does(
		off("kill"), until(`document.querySelector("#bot .ready")`),
		pressed("Deploy app (master)"),
	)
	p.once()
}
