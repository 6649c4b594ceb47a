// Command standins is the sandbox without the bot: stand-ins of Slack and
// GitLab for a psycher that is installed by hand, as the pages tell to.
//
// It prints the settings that join a psycher to it, one a line. Each line that
// it then reads is a mention, and is answered with the mark that it ends with.
// It ends with its input.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox"
)

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "standins:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	box, err := sandbox.Start(ctx)
	if err != nil {
		return err
	}
	defer box.Close()
	for _, setting := range box.Environ("ja") {
		fmt.Fprintln(out, setting)
	}
	fmt.Fprintln(out)
	for lines := bufio.NewScanner(in); lines.Scan(); {
		mark, err := ends(ctx, box, lines.Text())
		if err != nil {
			return err
		}
		fmt.Fprintln(out, mark)
	}
	return nil
}

// ends makes a mention and waits for the mark of its end.
func ends(ctx context.Context, box *sandbox.Sandbox, text string) (mark string, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ts := box.Slack.Say(sandbox.User, sandbox.Channel, sandbox.Bot+" "+text)
	err = box.Slack.Until(ctx, func() bool {
		marks := box.Slack.Reactions(sandbox.Channel, ts)
		last := slices.IndexFunc(marks, func(m string) bool { return m == "white_check_mark" || m == "x" })
		if last < 0 || len(marks) > 1 {
			return false
		}
		mark = marks[last]
		return true
	})
	if err != nil {
		return "", fmt.Errorf("%q shows %v: %w", text, box.Slack.Reactions(sandbox.Channel, ts), err)
	}
	return mark, nil
}
