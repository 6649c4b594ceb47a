package cmd

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/getto-systems/psycher/cmd/settings"
	"github.com/getto-systems/psycher/internal/sandbox"
	"github.com/getto-systems/psycher/internal/sandbox/demo"
)

func demoCommand() *cobra.Command {
	d := demo.Demo{Environ: os.Environ(), Program: sandboxed, In: os.Stdin, Out: os.Stdout, Errs: os.Stderr}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show a whole deploy on this machine, with nothing to set up",
		Long: `Starts stand-ins of Slack and GitLab on this machine and the real bot between
them, and plays a deploy that works and one that fails. In a terminal it then
stays: what you type is a further mention, and a page on this machine shows the
channel, the pipelines, and what can go wrong. No setting of a real bot is read.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGHUP) // its terminal has closed
			defer stop()
			return d.Run(ctx)
		},
	}
	c.Flags().StringVar(&d.Lang, "lang", "", "what the bot speaks: ja or en (default: this machine's language)")
	c.Flags().BoolVar(&d.Page, "page", false, "serve the page without a terminal too, until Ctrl-C or SIGTERM")
	c.Flags().BoolVar(&d.Quick, "quick", false, "begin the page with an empty channel, and let deploys take a few seconds")
	c.Flags().BoolVar(&d.NoOpen, "no-open", false, "open no browser")
	return c
}

// sandboxed is the bot with the settings of a sandbox.
func sandboxed(box *sandbox.Sandbox) sandbox.Program {
	return func(ctx context.Context, lang string, w sandbox.World) error {
		s, _, err := settings.Load(box.Environ(lang), "")
		if err != nil {
			return err
		}
		return Run(ctx, s, Net{Dial: w.Dial, Listen: w.Listen}, newLog(s, w.Log), nil)
	}
}
