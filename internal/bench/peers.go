package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// others are the programs that psycher is compared with, on the same stand-ins:
// psycher itself without Slack's limits, a minimal bot on slack-go and one on
// Bolt, both without a store.
func others(ctx context.Context, dir, targets string) ([]subject, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	unheld, err := buildUnlimited(ctx, dir)
	if err != nil {
		return nil, err
	}
	bare := filepath.Join(dir, "bare")
	peers := filepath.Join(root, "internal", "bench", "peers")
	if err := run(ctx, peers, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", bare, "."); err != nil {
		return nil, err
	}
	bolt, err := installBolt(ctx, peers)
	if err != nil {
		return nil, err
	}
	env := func(w *world) []string {
		return []string{
			"SLACK_APP_TOKEN=xapp-test", "SLACK_BOT_TOKEN=xoxb-test", "SLACK_API_URL=" + w.slackURL + "/api/",
			"GITLAB_URL=" + w.gitlabURL, "PROJECT=" + projectPath(0), "TRIGGER_TOKEN=" + triggerToken,
		}
	}
	same := psycher(unheld, targets)
	same.name = "psycher, limits off"
	return []subject{
		same,
		{name: "bare slack-go", command: []string{bare}, env: env},
		{name: "Bolt for JavaScript", command: []string{"node", bolt}, env: env},
	}, nil
}

// buildUnlimited builds psycher without its own rate limits. The shipped psycher
// keeps to Slack's 50 reactions a minute, where the others would be refused, and
// so does that part of the work later.
func buildUnlimited(ctx context.Context, dir string) (string, error) {
	return buildChanged(ctx, dir, "psycher-unheld", "bot/web/limits.go", func(text string) string {
		return strings.Replace(text, "switch method {", `switch "" {`, 1)
	})
}

// installBolt installs Bolt outside the tree, once, and returns the path of the
// bot that uses it.
func installBolt(ctx context.Context, peers string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "psycher-tools", "bench-bolt")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, name := range []string{"package.json", "bolt.mjs"} {
		raw, err := os.ReadFile(filepath.Join(peers, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "bolt.mjs"), run(ctx, dir, "npm", "install", "--silent", "--no-audit", "--no-fund")
}

func run(ctx context.Context, dir string, command ...string) error {
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Dir, c.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
	}
	return nil
}
