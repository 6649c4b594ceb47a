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

	"github.com/chromedp/chromedp"
)

func main() {
	out := flag.String("out", filepath.Join("..", "..", "..", "..", "docs", "images"), "the folder of the pictures")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// pictures are the pictures, by name.
var pictures = []struct {
	name, lang string
	view       view
}{
	{"demo.ja", "ja", view{width: 1280, height: 800}},
	{"demo", "en", view{width: 1280, height: 800}},
	{"demo-dark", "en", view{width: 1280, height: 800, dark: true}},
	{"demo-dark-narrow.ja", "ja", view{width: 400, height: 860, dark: true}},
	{"demo-narrow", "en", view{width: 400, height: 860}},
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
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, lang := range []string{"ja", "en"} {
		if err := take(browser, program, lang, out); err != nil {
			return err
		}
	}
	return nil
}

// take runs a demo in one language, and takes its pictures.
func take(browser context.Context, program, lang, out string) (err error) {
	d, err := startDemo(program, lang)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	for i, picture := range pictures {
		if picture.lang != lang {
			continue
		}
		t, err := openTab(browser, d, picture.view)
		if err == nil && i < 2 {
			err = t.run(story(lang)...)
		}
		var png []byte
		if err == nil {
			err = t.run(until(`document.querySelector("#bot .ready")`), lookedAt)
		}
		if err == nil {
			png, err = chromedp.Run(t.ctx, chromedp.CaptureScreenshot())
		}
		t.close()
		if err == nil {
			err = os.WriteFile(filepath.Join(out, picture.name+".png"), png, 0o644)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", picture.name, err)
		}
	}
	return nil
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
