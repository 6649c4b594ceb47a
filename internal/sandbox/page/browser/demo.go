package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// build builds psycher into a folder, and returns its path.
func build(dir string) (string, error) {
	program := filepath.Join(dir, "psycher")
	c := exec.Command("go", "build", "-o", program, "./cmd/psycher")
	c.Dir = filepath.Join("..", "..", "..", "..")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building psycher: %w: %s", err, out)
	}
	return program, nil
}

// demo is a running "psycher demo --page".
type demo struct {
	url string
	cmd *exec.Cmd
	eof chan struct{} // closed at the end of its output
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+/$`)

// startDemo starts one: quick, with an empty channel, or as people see it.
func startDemo(program, lang string, quick bool) (*demo, error) {
	d := &demo{cmd: exec.Command(program, "demo", "--page", fmt.Sprint("--quick=", quick), "--lang", lang), eof: make(chan struct{})}
	d.cmd.Stderr = os.Stderr
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the demo: %w", err)
	}
	told := make(chan string, 1)
	go func() {
		defer close(d.eof)
		for s := bufio.NewScanner(out); s.Scan(); {
			if found := address.FindString(s.Text()); found != "" {
				told <- found
			}
		}
	}()
	select {
	case d.url = <-told:
		return d, nil
	case <-d.eof:
	case <-time.After(20 * time.Second):
	}
	return nil, errors.Join(errors.New("the demo printed no address"), d.stop())
}

// stop ends it as Ctrl-C does.
func (d *demo) stop() error {
	if err := d.cmd.Process.Signal(syscall.SIGINT); err != nil {
		return fmt.Errorf("ending the demo: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			_ = d.cmd.Process.Kill()
		}
	})()
	<-d.eof
	if err := d.cmd.Wait(); err != nil {
		return fmt.Errorf("the demo's end: %w", err)
	}
	return nil
}

// origin is the page's address: requests to the demo begin with it.
func (d *demo) origin() string { return strings.TrimSuffix(d.url, "/") + "/" }
