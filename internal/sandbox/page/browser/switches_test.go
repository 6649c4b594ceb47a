package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

func on(name string) action  { return turned(name, true) }
func off(name string) action { return turned(name, false) }

// once checks that everything led to one deploy, one status message and one line.
// A pipeline ends a moment after its last job has reported its end.
func (p page) once() {
	p.Helper()
	p.does(marked("white_check_mark"), replies(2), until(`document.querySelector(".pipeline .head .status.success") !== null`))
	if got := p.pipelines(); !slices.Equal(got, []string{"passed"}) {
		p.Errorf("the pipelines are %q", got)
	}
}

func TestSocketsAreDropped(t *testing.T) {
	p := open(t, "en", wide)
	p.does(push("#switch-drop"), write("@psycher release app"))
	p.once()
	p.does(until(`document.getElementById("bot").textContent.includes("sockets: 2")`))
}

func TestTheBotIsKilledAndRestarted(t *testing.T) {
	p := open(t, "en", wide)
	p.does(
		write("@psycher release app"), marked("thumbsup"),
		on("kill"), until(`document.querySelector("#bot .killed")`),
		off("kill"), until(`document.querySelector("#bot .ready")`),
	)
	p.once()
}

func TestRequestToADeadBotIsAnsweredWhenItIsBack(t *testing.T) {
	p := open(t, "en", wide)
	p.does(on("kill"), write("@psycher release app"), until(last+`?.textContent.includes("release")`), off("kill"))
	p.once()
}

func TestSlackDeliversEverythingTwice(t *testing.T) {
	p := open(t, "en", wide)
	p.does(on("double"), write("@psycher release app"))
	p.once()
}

func TestSlackAnswers429(t *testing.T) {
	p := open(t, "en", wide)
	p.does(
		on("limit"), write("@psycher release app"),
		until(`document.querySelector(".pipeline .head .status.success")`),
	)
	if shown := eval[int](p, `document.querySelectorAll(".thread .one, .reactions").length`); shown != 0 {
		t.Error("Slack shows something although it answers 429")
	}
	p.does(off("limit"))
	p.once()
}

func TestGitLabCannotBeReached(t *testing.T) {
	p := open(t, "en", wide)
	p.does(on("unreachable"), write("@psycher release app"), marked("hourglass_flowing_sand"), replies(1))
	if got := p.pipelines(); len(got) != 0 {
		t.Errorf("the pipelines are %q", got)
	}
	p.does(off("unreachable"))
	p.once()
}

func TestRedisIsDown(t *testing.T) {
	p := open(t, "en", wide)
	p.does(
		on("redis"), write("@psycher release app"),
		until(`/nothing was started/i.test(document.querySelector(".thread:not([hidden])")?.textContent)`),
		off("redis"), write("@psycher release app"),
	)
	p.once()
}

// options are the names of one kind of answers, as the page offers them.
func (p page) options(kinds ...string) []string {
	return eval[[]string](p, fmt.Sprintf(`[...document.querySelectorAll("#switch-fault optgroup")].filter((g) => %q.split().includes(g.label)).flatMap((g) => [...g.children].map((o) => o.value))`, strings.Join(kinds, "")))
}

// answered has GitLab answer with a fault, and asks for a deploy.
func answered(name string) action {
	choose := fmt.Sprintf(`(() => { const s = document.getElementById("switch-fault"); s.value = %q; s.dispatchEvent(new Event("change")); return s.value === %q; })()`, name, name)
	return steps(
		until(choose), until(fmt.Sprintf(`document.getElementById("look-fault").dataset.of === %q`, name)),
		write("@psycher release app"), until(`document.getElementById("switch-fault").value === ""`),
	)
}

// looked waits until the bot has looked for a pipeline for a while, or has found none.
var looked = until(`[...document.querySelectorAll(".facts div")].some((d) => /^Polls of GitLab([3-9]|\d\d)$|^Lines posted1/.test(d.textContent))`)

// Eight answers are offered in plain words, and apply once; all others are folded.
func TestGitLabsAnswersInPlainWords(t *testing.T) {
	p := open(t, "en", wide)
	unknown := eval[[]string](p, `[...document.querySelectorAll("#faults input")].map((r) => r.value).filter((v) => v && ![...document.getElementById("switch-fault").options].some((o) => o.value === v))`)
	if offered := eval[int](p, `document.querySelectorAll("#faults input").length`); offered != 9 || len(unknown) > 0 {
		t.Errorf("%d are offered, and of %q there is no such answer", offered, unknown)
	}
	if eval[bool](p, `document.querySelector("#faults details").open`) {
		t.Error("all answers are unfolded")
	}
	p.does(
		push("#all-faults"), until(`document.querySelector("#faults details").open`),
		focus(`#faults input[value=""]`), press(kb.ArrowDown), until(`document.getElementById("switch-fault").value === "protected branch"`),
		until(`document.querySelector("#faults input:checked").value === "protected branch" && document.getElementById("look-fault").textContent.startsWith("Look for")`),
		write("@psycher release app"), marked("x"), says("protected"),
		until(`document.querySelector("#faults input:checked").value === ""`),
	)
}

func TestEveryRefusalOfGitLabs(t *testing.T) {
	p := open(t, "en", wide)
	names := p.options("It refuses")
	for _, name := range names {
		p.does(answered(name), marked("x"), replies(1))
		if said := eval[string](p, last+`.querySelector(".thread .text").textContent`); !strings.Contains(strings.ToLower(said), "nothing was started") && !strings.Contains(said, "Nothing") {
			t.Errorf("%s: the bot says %q", name, said)
		}
	}
	if len(names) < 20 {
		t.Errorf("there are only %q", names)
	}
	if got := p.pipelines(); len(got) != 0 {
		t.Errorf("the pipelines are %q", got)
	}
}

// What each other kind of answer leads to. A wait may take a minute.
func TestEveryOtherAnswerOfGitLabs(t *testing.T) {
	t.Parallel()
	for kind, ends := range map[string]string{
		"It makes psycher wait":                 "hourglass_flowing_sand white_check_mark",
		"Its answer is lost, the pipeline runs": "white_check_mark",
		"Its answer is lost, nothing runs":      "question",
		"It is slow":                            "white_check_mark",
		"It creates two":                        "white_check_mark",
		"It creates a failed pipeline":          "x",
	} {
		t.Run(kind, func(t *testing.T) {
			p := open(t, "en", wide)
			names := p.options(kind)
			if len(names) == 0 {
				t.Fatal("there is none")
			}
			// Old reactions are removed at Slack's slow rate: the newest one counts.
			marks := fmt.Sprintf(`[...document.querySelectorAll(".message")].every((m) => %q.split(" ").includes([...(m.querySelector(".one .reactions")?.children ?? [])].at(-1)?.firstChild.dataset.mark))`, ends)
			switch kind { // the next one would wait for it, or take its place
			case "It makes psycher wait":
				for _, name := range names {
					t.Run(name, func(t *testing.T) {
						p := open(t, "en", wide)
						p.does(answered(name), until(marks))
						if name != "rate limit without a header" && name != "too many pipelines" { // they take a minute
							p.does(marked("white_check_mark"))
						}
					})
				}
				return
			case "Its answer is lost, nothing runs":
				for i, name := range names {
					t.Run(name, func(t *testing.T) {
						p := open(t, "en", wide)
						p.does(answered(name), until(marks))
						if i == 0 { // each is told half a minute later that there is none
							p.does(looked, replies(2))
						}
						if got := p.pipelines(); len(got) != 0 {
							t.Errorf("the pipelines are %q", got)
						}
					})
				}
				return
			}
			for _, name := range names {
				p.does(answered(name))
			}
			p.does(until(marks))
			switch kind {
			case "Its answer is lost, the pipeline runs":
				if got := len(p.pipelines()); got != len(names) {
					t.Errorf("%d pipelines of %d mentions", got, len(names))
				}
			case "It creates two":
				for _, one := range []string{"passed", "failed"} {
					p.does(until(fmt.Sprintf(`[...document.querySelectorAll(".pipeline .head .status")].filter((e) => e.textContent === %q).length === %d`, one, len(names))))
				}
			}
		})
	}
}
