// Command mutants breaks the code on purpose, one way at a time, and sees
// whether the tests notice. It changes no file: go test builds each mutant
// through an overlay.
//
//	go run ./internal/mutants          all of them
//	go run ./internal/mutants claim    those whose name contains a word
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

// mutant is one way to break a promise, and the tests that should see it.
type mutant struct {
	name     string
	file     string
	old, new string   // old stands in the file exactly once
	tests    []string // arguments of go test
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	caught, missed := 0, 0
	for _, m := range mutants() {
		if len(os.Args) > 1 && !strings.Contains(m.name, os.Args[1]) {
			continue
		}
		began := time.Now()
		seen, err := m.run(ctx)
		switch {
		case err != nil:
			fmt.Fprintf(os.Stderr, "%s: %v\n", m.name, err)
			os.Exit(2)
		case seen:
			caught++
		default:
			missed++
		}
		fmt.Fprintf(os.Stdout, "%-7s %5.1fs  %s\n", map[bool]string{true: "caught", false: "MISSED"}[seen], time.Since(began).Seconds(), m.name)
	}
	fmt.Fprintf(os.Stdout, "%d caught, %d missed\n", caught, missed)
	if missed > 0 {
		os.Exit(1)
	}
}

// run tells whether the tests fail on the mutant. A mutant that does not build
// is an error: it shows nothing.
func (m mutant) run(ctx context.Context) (caught bool, err error) {
	text, err := os.ReadFile(m.file)
	if err != nil {
		return false, err
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		return false, fmt.Errorf("%q stands %d times in %s, not once: write the mutant anew", m.old, n, m.file)
	}
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	mutated, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	from, err := filepath.Abs(m.file)
	if err != nil {
		return false, err
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {from: mutated}})
	if err != nil {
		return false, err
	}
	if err := os.WriteFile(mutated, []byte(strings.Replace(string(text), m.old, m.new, 1)), 0o600); err != nil {
		return false, err
	}
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
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
