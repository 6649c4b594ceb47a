// Command browser takes the pictures of the documents: it runs a demo, and opens
// its page in a real browser. Its tests use the page as a person does.
// It is a module of its own, so that psycher needs no browser's libraries.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("out", filepath.Join("..", "..", "..", "..", "docs", "images"), "the folder of the pictures")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out string) error {
	dir, err := os.MkdirTemp("", "psycher-page-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program, err := build(dir)
	if err != nil {
		return err
	}
	browser, cancel, err := launch()
	if err != nil {
		return err
	}
	defer cancel()
	if err := os.MkdirAll(filepath.Join(out, "guide"), 0o755); err != nil {
		return err
	}
	for _, lang := range []string{"ja", "en"} {
		for _, make := range []func(browser context.Context, program, lang, out string) error{take, guide, survives} {
			if err := make(browser, program, lang, out); err != nil {
				return err
			}
		}
	}
	return nil
}

// take takes the picture of the whole page, as a person sees it who comes to it.
func take(browser context.Context, program, lang, out string) (err error) {
	d, err := startDemo(program, lang, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	t, err := openTab(browser, d, view{width: 1280, height: 800})
	defer t.close()
	if err == nil {
		err = t.run(stageAt("test"), lookedAt)
	}
	if err != nil {
		return err
	}
	name := map[string]string{"ja": "demo.ja.png", "en": "demo.png"}[lang]
	return save(t, "document.documentElement", 1, filepath.Join(out, name))
}

// lookedAt is what a picture is taken of: nothing has the focus, and the newest
// message is in sight.
var lookedAt = until(`document.activeElement.blur() === undefined && (document.getElementById("messages").scrollTop = 1e6)`)

// story is a deploy that fails and is retried, a question that waits for an answer,
// and a deploy that runs.
func story(lang string) []action {
	release, tomorrow := "@psycher app をリリースして", "@psycher app を明日リリースして"
	if lang == "en" {
		release, tomorrow = "@psycher release app", "@psycher release app tomorrow"
	}
	return []action{
		push("#switch-fail-next"), until(`document.getElementById("switch-fail-next").ariaChecked === "true"`),
		write(release), marked("x"), until(`document.querySelectorAll(".thread .one").length === 2`),
		click("#retry-1001"), marked("white_check_mark"), until(`document.querySelectorAll(".thread .one").length === 3`),
		push("#as-sato"), write(tomorrow), asked, push("#as-yamada"),
		write(release), marked("thumbsup"), until(`document.querySelector(".moves .running") !== null`),
		until(`document.querySelectorAll(".thread .one").length === 5`),
	}
}

// asked waits until the newest mention's thread has an ask, and no more.
var asked = until(last + `?.querySelectorAll(".thread .one").length === 1 && ` + last + `.querySelectorAll(".actions button").length > 0`)
