// Command bench measures psycher: the built binary, a process of its own, on a
// real Redis, between stand-ins of Slack and GitLab on loopback. It prints
// Markdown, as it stands in docs/PERFORMANCE.md, and ends by itself.
//
//	go run ./internal/bench                 the figures
//	go run ./internal/bench -only flood     100,000 mentions at once
//	go run ./internal/bench -only growth    what grows with channels, history, backlog
//	go run ./internal/bench -only following what GitLab is asked while deployments run
//	go run ./internal/bench -only profile   where the processor time goes
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := options{}
	flag.IntVar(&o.runs, "runs", 5, "how often each figure is measured; the median is printed")
	flag.StringVar(&o.only, "only", "figures", "what to measure: figures, flood, growth, following or profile")
	flag.IntVar(&o.mentions, "mentions", 100_000, "of the flood")
	flag.BoolVar(&o.peers, "peers", true, "measure other bots beside it, in turn; takes node and npm")
	flag.StringVar(&o.subject, "subject", "", "measure only those whose names match")
	flag.Parse()
	if err := o.run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	runs     int
	only     string
	mentions int
	peers    bool
	subject  string
}

func (o options) run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir, err := os.MkdirTemp("", "psycher-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	redis, server, err := startRedis(ctx, dir)
	if err != nil {
		return err
	}
	defer func() {
		cancel()
		_ = server.Wait() // it was killed
	}()
	binary, err := build(ctx, dir, "psycher")
	if err != nil {
		return err
	}
	switch o.only {
	case "figures":
		return o.figures(ctx, out, binary, dir, redis)
	case "growth":
		return growth(ctx, out, binary, dir, redis, o.runs)
	case "following":
		return following(ctx, out, binary, dir, redis)
	case "profile":
		return profile(ctx, out, dir, redis)
	case "flood":
		targets, err := writeTargets(dir, floodChannels)
		if err != nil {
			return err
		}
		return flood(ctx, out, psycher(binary, targets), dir, redis, o.mentions)
	}
	return fmt.Errorf("-only %s: figures, flood, growth, following or profile", o.only)
}

func (o options) figures(ctx context.Context, out io.Writer, binary, dir, redis string) error {
	targets, err := writeTargets(dir, channels)
	if err != nil {
		return err
	}
	subjects := []subject{psycher(binary, targets)}
	if o.peers {
		more, err := others(ctx, dir, targets)
		if err != nil {
			return err
		}
		subjects = append(subjects, more...)
	}
	subjects = slices.DeleteFunc(subjects, func(s subject) bool { return !regexp.MustCompile(o.subject).MatchString(s.name) })
	all := make([]figures, len(subjects))
	for run := range o.runs {
		for i, s := range subjects {
			if all[i] == nil {
				all[i] = figures{}
			}
			fmt.Fprintf(os.Stderr, "run %d of %d: %s\n", run+1, o.runs, s.name)
			if err := s.measure(ctx, dir, redis, all[i]); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	fmt.Fprintf(out, "%s\n\nMedians of %d runs, in brackets the least and the most.\n\n", machine(ctx), o.runs)
	table(out, subjects, all)
	return nil
}

func table(out io.Writer, subjects []subject, all []figures) {
	fmt.Fprint(out, "| |")
	for _, s := range subjects {
		fmt.Fprintf(out, " %s |", s.name)
	}
	fmt.Fprintf(out, "\n|---|%s\n", strings.Repeat("---|", len(subjects)))
	for _, r := range figureRows {
		fmt.Fprintf(out, "| %s, %s |", r.name, r.unit)
		for _, f := range all {
			mid, least, most := median(f[r])
			fmt.Fprintf(out, " %s (%s–%s) |", plain(mid), plain(least), plain(most))
		}
		fmt.Fprintln(out)
	}
}

// plain writes a number with three digits that mean something.
func plain(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// machine says where this was measured.
func machine(ctx context.Context) string {
	cpu := "an unknown processor"
	raw, _ := os.ReadFile("/proc/cpuinfo")
	for l := range strings.Lines(string(raw)) {
		if name, rest, _ := strings.Cut(l, ":"); strings.TrimSpace(name) == "model name" {
			cpu = strings.TrimSpace(rest)
			break
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	return fmt.Sprintf("%d cores of %s, %s, %s. Load average at the end: %s.",
		runtime.NumCPU(), cpu, runtime.Version(), redisVersion(ctx), strings.Join(strings.Fields(string(load))[:2], ", "))
}
