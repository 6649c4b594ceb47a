package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/getto-systems/psycher/internal/sandbox"
)

// demoWithin bounds one scene of the story.
const demoWithin = time.Minute

func demoCommand() *cobra.Command {
	var lang string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show a whole deploy on this machine, with nothing to set up",
		Long: `Starts stand-ins of Slack and GitLab on this machine and the real bot between
them, and plays a deploy that works and one that fails. In a terminal it then
stays: what you type is a further mention. No setting of a real bot is read.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), lang, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&lang, "lang", "ja", "what the bot speaks: ja or en")
	return c
}

// demo plays the story, and fails unless Slack shows that both deploys ended as
// they should.
func demo(ctx context.Context, lang string, in io.Reader, out, errs io.Writer) error {
	story, ok := stories[lang]
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
	settings, _, err := LoadSettings(box.Environ(lang), "")
	if err != nil {
		return err
	}
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	ended := make(chan error, 1)
	running.Go(func() { ended <- Run(ctx, settings, RealNet(), newLog(settings, errs)) })

	terminal := &sandbox.Terminal{Out: out, Slack: box.Slack, Bot: "psycher", User: "yamada"}
	say := terminal.Narrate
	say(story.hello)
	starting, cancel := context.WithTimeout(ctx, demoWithin)
	defer cancel()
	if err := box.Ready(starting); err != nil {
		select {
		case err := <-ended:
			return fmt.Errorf("the bot did not start: %w", err)
		default:
			return err
		}
	}
	running.Go(func() { terminal.Watch(ctx) })
	for _, scene := range []struct{ title, mark string }{{story.works, "white_check_mark"}, {story.fails, "x"}} {
		say(scene.title)
		if scene.mark == "x" {
			box.FailNext()
		}
		ts := box.Slack.Say(sandbox.User, sandbox.Channel, sandbox.Bot+" "+story.release)
		if err := shown(ctx, box, ts, scene.mark); err != nil {
			return err
		}
	}
	if isTerminal(in) && ctx.Err() == nil {
		say(story.stays)
		if err := typed(ctx, box, in); err != nil {
			return err
		}
	}
	say(story.bye)
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
				box.FailNext()
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

// story is what the demo says around what is seen.
type story struct{ hello, works, fails, stays, bye, release string }

var stories = map[string]story{
	"ja": {
		hello:   "psycher のデモです。Slack と GitLab の代役と、本物のボットがこのマシンの中だけで動きます。",
		works:   "── うまくいくデプロイ  (#app)",
		fails:   "── 失敗するデプロイ  (#app)",
		stays:   "ここからは自由にどうぞ。書いた行がそのまま @psycher へのメンションになります。/fail で次のデプロイが失敗します。Ctrl-C で終わります。",
		bye:     "おしまい。本物の Slack と GitLab につなぐには README.md をどうぞ。",
		release: "リリース",
	},
	"en": {
		hello:   "This is psycher's demo: stand-ins of Slack and GitLab, and the real bot, all on this machine.",
		works:   "── A deploy that works  (#app)",
		fails:   "── A deploy that fails  (#app)",
		stays:   "Now it is yours: each line you type is a mention of @psycher. /fail has the next deploy fail. Ctrl-C ends it.",
		bye:     "That's all. README.md tells how to join it to a real Slack and GitLab.",
		release: "release",
	},
}
