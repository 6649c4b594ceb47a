package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// survives makes the film of what psycher survives, in one language: its answer from
// GitLab is lost, all that Slack delivers comes twice, and it is killed.
func survives(browser context.Context, program, lang, out string) (err error) {
	d, err := startDemo(program, lang, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	t, err := openStill(browser, d)
	defer t.close()
	var frames []frame
	seen := func(caption string, long int, when ...action) {
		if err == nil {
			err = t.run(append(when, captioned(said[lang][caption]))...)
		}
		var raw []byte
		if err == nil {
			raw, err = shot(t, `document.getElementById("film")`, 1)
		}
		frames = append(frames, frame{raw, long})
	}
	if err == nil {
		err = t.run(stage, until(`document.querySelectorAll(".message").length === 2`), marked("white_check_mark"), replies(2))
	}
	seen("lost", 200, turned("double", true), click(`#faults input[value="made and cut"]`), until(last+`.dataset.past = true`), write("@psycher "+said[lang]["release"]), until(`!`+last+`.dataset.past`))
	seen("lost", 150, marked("thumbsup"), replies(1))
	seen("double", 150)
	seen("double", 200, stageAt("test"))
	seen("killed", 250, turned("kill", true), until(`document.querySelector("#bot .killed")`))
	seen("alive", 100, turned("kill", false), until(`document.querySelector("#bot .ready")`))
	seen("alive", 400, marked("white_check_mark"), replies(2))
	if err != nil {
		return fmt.Errorf("the film: %w", err)
	}
	made, err := film(frames)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "survives."+lang+".gif"), made, 0o644)
}

// stage shows the newest message alone, and what a film is taken of.
var stage = until(`(() => {
	const rules = document.styleSheets[0];
	for (const rule of ["#channel h2, .tour summary::before, #tour-done, .tour summary > span { display: none !important }",
		"#film { position: absolute; inset: 0 0 auto; height: 30rem; pointer-events: none }",
		"#caption { position: absolute; inset: auto 0 0; padding: .8rem 1.25rem; background: var(--accent); color: var(--on-accent); font-weight: 600; font-size: 1.1rem }"])
		rules.insertRule(rule, rules.cssRules.length);
	document.body.insertAdjacentHTML("beforeend", "<div id=film><p id=caption></p></div>");
	document.getElementById("tour").open = false;
	return true;
})()`)

func captioned(text string) action {
	return until(fmt.Sprintf(`(document.getElementById("caption").textContent = %q) !== ""`, text))
}
