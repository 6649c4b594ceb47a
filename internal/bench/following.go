package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	apiToken   = "glpat-bench-00000000000000000"
	followSoon = 15 * time.Second // until all are followed
	followFor  = 30 * time.Second
)

// following counts what GitLab is asked while n deployments of one project run.
func following(ctx context.Context, out io.Writer, binary, dir, redis string) error {
	targets, err := writeTargets(dir, 1)
	if err != nil {
		return err
	}
	fmt.Fprint(out, "| deployments followed in one project | reads a second at GitLab |\n|---|---|\n")
	for n := 10; n <= 1000; n *= 10 {
		fmt.Fprintf(os.Stderr, "%d followed\n", n)
		w, err := newWorld(dir, redis, 1)
		if err != nil {
			return err
		}
		err = psycher(binary, targets, "GITLAB_API_TOKEN="+apiToken).in(ctx, w, func(*process) error {
			said, _ := w.burst(n)
			if _, err := w.triggered(ctx, said, burstLimit); err != nil {
				return err
			}
			rest(ctx, followSoon)
			before := w.reads.Load()
			rest(ctx, followFor)
			fmt.Fprintf(out, "| %d | %.1f |\n", n, float64(w.reads.Load()-before)/followFor.Seconds())
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
