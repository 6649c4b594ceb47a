// Package demo tells the story of "psycher demo": one deploy that works and one
// that fails, in a sandbox around the real bot. In a terminal it then goes on, and
// takes what is typed as further mentions. Package page shows it in a browser.
package demo

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/getto-systems/psycher/internal/sandbox"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sandbox/page"
)

// sceneTimeout bounds one scene of the story.
const sceneTimeout = time.Minute

// openWithin is how long a browser waits for a deploy to be seen.
const openWithin = 10 * time.Second

// How long each job takes: in the story, and with Quick. The page has its own.
const (
	terminalPace = 2 * time.Second
	quickPace    = 1500 * time.Millisecond
)

// Demo is how the demo runs.
type Demo struct {
	Lang   string // the bot's language: ja or en; empty: the machine's
	Page   bool   // serve the page without a terminal too
	NoOpen bool   // open no browser
	Quick  bool   // a page without the deploy that it opens on, and with quick ones

	Environ []string // to find the language, a screen and a browser
	Program func(box *sandbox.Sandbox) sandbox.Program
	In      io.Reader
	Out     io.Writer
	Errs    io.Writer
}

// Run tells the story, and fails unless Slack shows that both deploys ended as
// expected. Without a terminal the page has no story, only what people do on it.
func (d Demo) Run(ctx context.Context) error {
	d.Lang = cmp.Or(d.Lang, language(d.Environ))
	story, ok := stories[d.Lang]
	if !ok {
		return errors.New("--lang must be ja or en")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	box, err := sandbox.Start(ctx, d.Lang)
	if err != nil {
		return err
	}
	defer box.Close()
	process := sandbox.NewProcess(ctx, d.Errs, d.Program(box))
	var running sync.WaitGroup
	defer running.Wait()
	defer process.Wait()
	defer stop()
	ended := process.Start(d.Lang)

	terminal := &sandbox.Terminal{Out: d.Out, Slack: box.Slack, Bot: "psycher", Only: story.only, InPlace: isTerminal(d.Out)}
	say := terminal.Narrate
	say(story.hello)
	starting, cancel := context.WithTimeout(ctx, sceneTimeout)
	defer cancel()
	starting, fail := context.WithCancelCause(starting)
	running.Go(func() {
		select {
		case err := <-ended: // there is nobody to wait for
			fail(err)
		case <-starting.Done():
		}
	})
	err = box.Ready(starting)
	if cancel(); err != nil && ctx.Err() == nil {
		return err
	}
	stays, browser := isTerminal(d.In), ""
	if stays && !d.NoOpen {
		browser = findBrowser(d.Environ)
	}
	told := browser == "" && (stays || !d.Page) // the story is told here
	if d.Quick {
		box.Linger(quickPace)
	}
	if told {
		scene, cancel := context.WithTimeout(ctx, sceneTimeout)
		defer cancel()
		if err := box.DeployFirst(scene, story.release); err != nil && ctx.Err() == nil {
			return err
		}
		terminal.Skip()
	}
	var shown *page.Page
	if stays || d.Page {
		l, err := page.Listen()
		if err != nil {
			return err
		}
		shown = page.New(box, process)
		switch {
		case d.Quick:
			shown.Begin()
		case !told:
			shown.Opening = story.release
		}
		running.Go(func() {
			if err := shown.Serve(ctx, l); err != nil {
				fmt.Fprintln(d.Errs, "demo:", err)
			}
		})
		address := "http://" + l.Addr().String() + "/"
		say(story.page + address)
		if browser != "" {
			running.Go(func() {
				select {
				case <-shown.Opened():
				case <-time.After(openWithin):
				case <-ctx.Done():
					return
				}
				openBrowser(browser, address)
			})
		}
	}
	running.Go(func() { terminal.Watch(ctx) })
	if told {
		if err := tell(ctx, box, story, stays, say); err != nil {
			return err
		}
		if shown != nil {
			box.Linger(page.Pace)
			shown.Begin()
		}
	}
	switch {
	case ctx.Err() != nil:
	case stays:
		say(story.stays)
		if err := typed(ctx, box, d.In, terminal.Typed, func(n int) {
			if !terminal.Press(n) {
				say(fmt.Sprintf(story.gone, n))
			}
		}); err != nil {
			return err
		}
	case d.Page:
		<-ctx.Done()
	}
	say(story.bye)
	return nil
}

// tell runs a deploy that works, one that fails, and one that is asked about. Where
// nobody watches, only the first takes long enough for its stages to be seen.
func tell(ctx context.Context, box *sandbox.Sandbox, story story, watched bool, say func(string)) error {
	box.Linger(terminalPace)
	for i, scene := range []struct{ title, words, mark string }{
		{story.works, story.release, "white_check_mark"},
		{story.fails, story.release, "x"},
		{story.doubts, story.tomorrow, "white_check_mark"},
	} {
		say(scene.title)
		if i > 0 && !watched {
			box.Linger(terminalPace / 4)
		}
		box.FailNext(scene.mark == "x")
		ts := box.Slack.Say(sandbox.User, sandbox.Channel, sandbox.Bot+" "+scene.words)
		if scene.words == story.tomorrow {
			if err := press(ctx, box, ts); err != nil {
				return err
			}
			say(story.presses)
		}
		if err := shown(ctx, box, ts, scene.mark); err != nil {
			return err
		}
	}
	return nil
}

// press has another person press the first button that a mention gets.
func press(ctx context.Context, box *sandbox.Sandbox, ts string) error {
	scene, cancel := context.WithTimeout(ctx, sceneTimeout)
	defer cancel()
	var asked fakeslack.Message
	if err := box.Slack.Until(scene, func() bool {
		thread := box.Slack.Thread(sandbox.Channel, ts)
		if len(thread) == 1 && len(box.Slack.Reactions(sandbox.Channel, ts)) == 1 {
			asked = thread[0]
		}
		return len(asked.Controls()) > 0
	}); err != nil {
		return err
	}
	box.Slack.Press(sandbox.Second, sandbox.Channel, asked.TS, asked.Controls()[0].Action)
	return nil
}

// shown waits until a mention has just this reaction, and its thread the status
// message and the line about the end.
func shown(ctx context.Context, box *sandbox.Sandbox, ts, mark string) error {
	scene, cancel := context.WithTimeout(ctx, sceneTimeout)
	defer cancel()
	return box.Slack.Until(scene, func() bool {
		return slices.Equal(box.Slack.Reactions(sandbox.Channel, ts), []string{mark}) && len(box.Slack.Thread(sandbox.Channel, ts)) == 2
	})
}

// typed makes a mention of each line, and a press of each number, until the input or
// ctx ends.
func typed(ctx context.Context, box *sandbox.Sandbox, in io.Reader, noted func(line string), press func(n int)) error {
	lines := make(chan string)
	go func() { // a read of a terminal cannot be canceled: it ends with the process
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			select {
			case lines <- s.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-lines:
			noted(line)
			line = strings.TrimSpace(line)
			n, notNumber := strconv.Atoi(fullWidth.Replace(line))
			switch {
			case !ok:
				return nil
			case line == "":
			case notNumber == nil:
				press(n)
			case line == "/fail":
				box.FailNext(true)
			default:
				box.Slack.Say(sandbox.User, sandbox.Channel, sandbox.Bot+" "+line)
			}
		}
	}
}

// language is the machine's: Japanese, or else English.
func language(environ []string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		for _, v := range environ {
			if value, ok := strings.CutPrefix(v, name+"="); ok && value != "" {
				if strings.HasPrefix(value, "ja") {
					return "ja"
				}
				return "en"
			}
		}
	}
	return "en"
}

// fullWidth turns the digits that a Japanese keyboard may type into plain ones.
var fullWidth = strings.NewReplacer("０", "0", "１", "1", "２", "2", "３", "3", "４", "4", "５", "5", "６", "6", "７", "7", "８", "8", "９", "9")

// isTerminal reports whether an input or output is a terminal.
func isTerminal(of any) bool {
	f, ok := of.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// story is what the demo says about what happens.
type story struct {
	hello, page, works, fails, doubts, presses, stays, only, gone, bye string
	release, tomorrow                                                  string // what is said to the bot
}

var stories = map[string]story{
	"ja": {
		hello:   "psycher のデモです。Slack と GitLab の代役と、本物のボットがこのマシンの中だけで動きます。",
		page:    "ブラウザで見るページ: ",
		works:   "── うまくいくデプロイ  (#app)",
		fails:   "── 失敗するデプロイ  (#app)",
		doubts:  "── 迷ったら聞く  (#app)",
		presses: "  sato が [app (master) をリリース] を押しました",
		stays:   "ここからは自由にどうぞ。書いた行がそのまま @psycher へのメンションになります（たとえば「app を明日リリースして」）。[1] のようなボタンは番号で押せます。/fail で次のデプロイが失敗します。Ctrl-C で終わります。",
		only:    "(あなただけに)",
		gone:    "[%d] のボタンはいまありません。",
		bye:     "おしまい。本物の Slack と GitLab につなぐには docs/INSTALL.ja.md をどうぞ。",
		release: "app をリリースして", tomorrow: "app を明日リリースして",
	},
	"en": {
		hello:   "This is psycher's demo: stand-ins of Slack and GitLab, and the real bot, all on this machine.",
		page:    "The page to watch it on: ",
		works:   "── A deploy that works  (#app)",
		fails:   "── A deploy that fails  (#app)",
		doubts:  "── When in doubt, it asks  (#app)",
		presses: "  sato presses [Deploy app (master)]",
		stays:   "Now it is yours: each line you type is a mention of @psycher (try “release app tomorrow”), and a number presses the button that has it. /fail makes the next deploy fail. Ctrl-C ends it.",
		only:    "(only to you)",
		gone:    "There is no button [%d] now.",
		bye:     "That's all. docs/INSTALL.md explains how to connect it to a real Slack and GitLab.",
		release: "release app", tomorrow: "release app tomorrow",
	},
}
