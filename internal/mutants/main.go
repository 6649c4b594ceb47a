// Command mutants breaks the code on purpose, one way at a time, and checks that
// a test fails. It changes no file: go test builds each mutant through an overlay.
//
//	go run ./internal/mutants          all of them
//	go run ./internal/mutants claim    those whose name contains the words
//
// A comment "mutant: NAME" stands on the line above the code that a mutant
// breaks, and the list says how: so the list need not change when code is moved
// or renamed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// mutant is one way to break a promise, and the tests that should fail.
type mutant struct {
	name   string
	change change
	tests  []string // arguments of go test
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	code, err := run(ctx, strings.Join(os.Args[1:], " "))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

func run(ctx context.Context, words string) (code int, err error) {
	marked, err := findMarkers(".")
	if err != nil {
		return 2, err
	}
	caught, missed := 0, 0
	for _, m := range mutants() {
		if !strings.Contains(m.name, words) {
			continue
		}
		began := time.Now()
		seen, err := m.try(ctx, marked)
		switch {
		case err != nil:
			return 2, fmt.Errorf("%s: %w", m.name, err)
		case seen:
			caught++
		default:
			missed++
		}
		fmt.Fprintf(os.Stdout, "%-7s %5.1fs  %s\n", map[bool]string{true: "caught", false: "MISSED"}[seen], time.Since(began).Seconds(), m.name)
	}
	fmt.Fprintf(os.Stdout, "%d caught, %d missed\n", caught, missed)
	if missed > 0 {
		return 1, nil
	}
	return 0, nil
}

// edits returns what the mutant changes, and in which text.
func (m mutant) edits(marked map[string][]marker) (path, text string, edits []edit, err error) {
	at := marked[m.name]
	if len(at) != 1 {
		return "", "", nil, fmt.Errorf("the code has its comment %d times, not once", len(at))
	}
	p, err := at[0].place()
	if err != nil {
		return "", "", nil, err
	}
	edits, err = m.change(p)
	if err != nil {
		return "", "", nil, fmt.Errorf("%s:%d: %w", at[0].path, at[0].line, err)
	}
	return at[0].path, p.text, edits, nil
}

// try reports whether the tests fail on the mutant. A mutant that does not build
// is an error, since it shows nothing.
func (m mutant) try(ctx context.Context, marked map[string][]marker) (caught bool, err error) {
	path, text, edits, err := m.edits(marked)
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	overlay, err := writeOverlay(dir, map[string]string{path: apply(text, edits)})
	if err != nil {
		return false, err
	}
	c := exec.CommandContext(ctx, "go", append([]string{"test", "-overlay", overlay, "-failfast"}, m.tests...)...)
	c.Env = append(os.Environ(), "CRASH_POINTS=kinds")
	out, err := c.CombinedOutput()
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if strings.Contains(string(out), "[build failed]") || strings.Contains(string(out), "[setup failed]") {
		return false, fmt.Errorf("it does not build:\n%s", out)
	}
	return err != nil, nil
}

// writeOverlay writes what the go command's -overlay takes: files by path, with
// their other text.
func writeOverlay(dir string, texts map[string]string) (overlay string, err error) {
	replace := map[string]string{}
	for path, text := range texts {
		from, err := filepath.Abs(path)
		if err != nil {
			return "", err
		}
		to := filepath.Join(dir, fmt.Sprintf("%d%s", len(replace), filepath.Ext(path)))
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[from] = to
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, list, 0o600)
}
