//go:build image

package cmd_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox"
)

// imageUser is whom examples/Dockerfile names: nobody's number.
const imageUser = 65532

// The program as it lies in the image, with that as its whole world: IMAGE_ROOT
// is the image's content (make image unpacks it).
func TestTheImageDeploys(t *testing.T) {
	root := os.Getenv("IMAGE_ROOT")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	box, err := sandbox.Start(ctx, "en")
	if err != nil {
		t.Fatal(err)
	}
	inImage := func(args ...string) *exec.Cmd {
		c := exec.CommandContext(ctx, "/psycher", args...)
		c.Dir, c.Env = "/", box.Environ("en")
		c.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: imageUser, Gid: imageUser}}
		return c
	}
	bot := inImage("run")
	var said strings.Builder
	bot.Stdout, bot.Stderr = &said, &said
	if err := bot.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})

	if err := box.Ready(ctx); err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	if words, err := inImage("ready").CombinedOutput(); err != nil || string(words) != "ready\n" {
		t.Errorf("the health check says %q, %v", words, err)
	}
	ts := box.Slack.Say(sandbox.User, sandbox.Channel, sandbox.Bot+" release app")
	if err := box.Slack.Until(ctx, func() bool {
		return slices.Equal(box.Slack.Reactions(sandbox.Channel, ts), []string{"white_check_mark"})
	}); err != nil {
		t.Errorf("the mention shows %v: %v", box.Slack.Reactions(sandbox.Channel, ts), err)
	}
	if n := len(box.GitLab.Pipelines()); n != 1 {
		t.Errorf("%d pipelines", n)
	}

	if err := bot.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := bot.Wait(); err != nil {
		t.Errorf("the end: %v\n%s", err, &said)
	}
}

func TestTheImageHoldsTheProgramAndNothingElse(t *testing.T) {
	var files []string
	root := os.Getenv("IMAGE_ROOT")
	if err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, strings.TrimPrefix(path, root))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	if want := []string{"/etc/ssl/certs/ca-certificates.crt", "/psycher"}; !slices.Equal(files, want) {
		t.Errorf("it holds %q", files)
	}
}
