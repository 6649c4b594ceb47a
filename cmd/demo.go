package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/getto-systems/psycher/internal/sandbox"
	demopage "github.com/getto-systems/psycher/internal/sandbox/page"
)

// demoWithin bounds one scene of the story.
const demoWithin = time.Minute

// demoOptions are the flags.
type demoOptions struct {
	lang   string
	page   bool // serve the page without a terminal too
	noOpen bool
}

func demoCommand(environ []string) *cobra.Command {
	var o demoOptions
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show a whole deploy on this machine, with nothing to set up",
		Long: `Starts stand-ins of Slack and GitLab on this machine and the real bot between
them, and plays a deploy that works and one that fails. In a terminal it then
stays: what you type is a further mention, and a page on this machine shows the
channel, the pipelines, and what can go wrong. No setting of a real bot is read.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			open := func(address string) {
				if browser := browserOf(environ); browser != "" && !o.noOpen && isTerminal(cmd.InOrStdin()) {
					openBrowser(browser, address)
				}
			}
			return demo(cmd.Context(), o, open, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&o.lang, "lang", "ja", "what the bot speaks: ja or en")
	c.Flags().BoolVar(&o.page, "page", false, "serve the page without a terminal too, until Ctrl-C or SIGTERM")
	c.Flags().BoolVar(&o.noOpen, "no-open", false, "open no browser")
	return c
}

// demo plays the story, and fails unless Slack shows that both deploys ended as
// they should. Without a terminal the page has no story: only what is done on it.
func demo(ctx context.Context, o demoOptions, open func(address string), in io.Reader, out, errs io.Writer) error {
	story, ok := stories[o.lang]
	if !ok {
		return errors.New("--lang must be ja or en")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	box, err := sandbox.Start(ctx)
	if err != nil {
		return err
	}
	defer box.Close()
	process := sandbox.NewProcess(ctx, errs, demoProgram(box))
	var running sync.WaitGroup
	defer running.Wait()
	defer process.Wait()
	defer stop()
	ended := process.Start(o.lang)

	terminal := &sandbox.Terminal{Out: out, Slack: box.Slack, Bot: "psycher", User: "yamada"}
	say := terminal.Narrate
	say(story.hello)
	starting, cancel := context.WithTimeout(ctx, demoWithin)
	defer cancel()
	if err := box.Ready(starting); err != nil && ctx.Err() == nil {
		select {
		case err := <-ended:
			return fmt.Errorf("the bot did not start: %w", err)
		default:
			return err
		}
	}
	stays := isTerminal(in)
	if stays || o.page {
		l, err := demopage.Listen()
		if err != nil {
			return err
		}
		running.Go(func() {
			if err := demopage.New(box, process).Serve(ctx, l); err != nil {
				fmt.Fprintln(errs, "demo:", err)
			}
		})
		address := "http://" + l.Addr().String() + "/"
		say(story.page + address)
		open(address)
	}
	running.Go(func() { terminal.Watch(ctx) })
	if stays || !o.page {
		if err := play(ctx, box, story, say); err != nil {
			return err
		}
	}
	switch {
	case ctx.Err() != nil:
	case stays:
		say(story.stays)
		if err := typed(ctx, box, in); err != nil {
			return err
		}
	case o.page:
		<-ctx.Done()
	}
	say(story.bye)
	return nil
}

// demoProgram is the bot, by its ordinary settings.
func demoProgram(box *sandbox.Sandbox) sandbox.Program {
	return func(ctx context.Context, lang string, w sandbox.World) error {
		settings, _, err := LoadSettings(box.Environ(lang), "")
		if err != nil {
			return err
		}
		return Run(ctx, settings, Net{Dial: w.Dial, Listen: w.Listen}, newLog(settings, w.Log))
	}
}

// play plays a deploy that works and one that fails.
func play(ctx context.Context, box *sandbox.Sandbox, story story, say func(string)) error {
	for _, scene := range []struct{ title, mark string }{{story.works, "white_check_mark"}, {story.fails, "x"}} {
		say(scene.title)
		box.FailNext(scene.mark == "x")
		ts := box.Slack.Say(sandbox.User, sandbox.Channel, sandbox.Bot+" "+story.release)
		if err := shown(ctx, box, ts, scene.mark); err != nil {
			return err
		}
	}
	return nil
}

// shown waits until a mention carries just this reaction, and its thread the
// status message and the line that says the end.
func shown(ctx context.Context, box *sandbox.Sandbox, ts, mark string) error {
	scene, cancel := context.WithTimeout(ctx, demoWithin)
	defer cancel()
	return box.Slack.Until(scene, func() bool {
		return slices.Equal(box.Slack.Reactions(sandbox.Channel, ts), []string{mark}) && len(box.Slack.Thread(sandbox.Channel, ts)) == 2
	})
}

// typed makes a mention of each line, until the input or ctx ends.
func typed(ctx context.Context, box *sandbox.Sandbox, in io.Reader) error {
	lines := make(chan string)
	go func() { // a read of a terminal cannot be ended: it goes with the process
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
			switch line = strings.TrimSpace(line); {
			case !ok:
				return nil
			case line == "":
			case line == "/fail":
				box.FailNext(true)
			default:
				box.Slack.Say(sandbox.User, sandbox.Channel, sandbox.Bot+" "+line)
			}
		}
	}
}

func isTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// browserOf is what opens a page where there is a screen; empty: there is none.
func browserOf(environ []string) string {
	screen := slices.ContainsFunc(environ, func(v string) bool {
		name, value, _ := strings.Cut(v, "=")
		return (name == "DISPLAY" || name == "WAYLAND_DISPLAY") && value != ""
	})
	name := "xdg-open"
	switch {
	case runtime.GOOS == "darwin":
		name = "open"
	case !screen:
		return ""
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

// openBrowser opens it in a browser that the Ctrl-C that ends the demo does not
// end. Whether that works nobody is told: the address was printed.
func openBrowser(browser, address string) {
	c := exec.Command("/bin/sh", "-c", `trap "" INT; exec "$0" "$1"`, browser, address)
	if c.Start() == nil {
		_ = c.Process.Release()
	}
}

// story is what the demo says around what is seen.
type story struct{ hello, page, works, fails, stays, bye, release string }

var stories = map[string]story{
	"ja": {
		hello:   "psycher のデモです。Slack と GitLab の代役と、本物のボットがこのマシンの中だけで動きます。",
		page:    "ブラウザで見るページ: ",
		works:   "── うまくいくデプロイ  (#app)",
		fails:   "── 失敗するデプロイ  (#app)",
		stays:   "ここからは自由にどうぞ。書いた行がそのまま @psycher へのメンションになります。/fail で次のデプロイが失敗します。Ctrl-C で終わります。",
		bye:     "おしまい。本物の Slack と GitLab につなぐには docs/INSTALL.ja.md をどうぞ。",
		release: "リリース",
	},
	"en": {
		hello:   "This is psycher's demo: stand-ins of Slack and GitLab, and the real bot, all on this machine.",
		page:    "The page to watch it on: ",
		works:   "── A deploy that works  (#app)",
		fails:   "── A deploy that fails  (#app)",
		stays:   "Now it is yours: each line you type is a mention of @psycher. /fail has the next deploy fail. Ctrl-C ends it.",
		bye:     "That's all. docs/INSTALL.md tells how to join it to a real Slack and GitLab.",
		release: "release",
	},
}
