package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"time"
)

const growthFor = 5 * time.Second

// grown is something that grows: how the store is filled with n of it, and how
// many channels are then configured.
type grown struct {
	name     string
	fill     string // a Redis script; ARGV[1] is n
	channels func(n int) int
}

func fixed(int) int    { return channels }
func itself(n int) int { return n }

var grows = []grown{
	{"configured channels", "", itself},
	{"records kept", `for i = 1, ARGV[1] do redis.call('SET', '{psycher}:record:T0OLD:C0OLD:' .. i, string.rep('x', 700), 'PX', 2592000000) end`, fixed},
	{"records with a due time", `
local t = redis.call('TIME')
for i = 1, ARGV[1] do
  redis.call('SET', '{psycher}:record:T0OLD:C0OLD:' .. i, string.rep('x', 700), 'PX', 2592000000)
  redis.call('ZADD', '{psycher}:due', t[1] * 1000 + 3600000 + i, 'T0OLD:C0OLD:' .. i)
end`, fixed},
	{"deployments of each target", `
local t = redis.call('TIME')
for project = 0, 19 do
  for i = 1, ARGV[1] do
    redis.call('ZADD', '{psycher}:history:T0TEAM:group/app' .. project .. ':master:RELEASE', t[1] * 1000 - i, 'T0OLD:C0OLD:' .. i)
  end
end`, fixed},
}

// growth measures a mention while something grows a thousandfold, and fits the
// exponent: 0 is no growth, 1 is proportional growth.
func growth(ctx context.Context, out io.Writer, binary, dir, redis string, runs int) error {
	fmt.Fprint(out, "| | 10² | 10³ | 10⁴ | 10⁵ | exponent |\n|---|---|---|---|---|---|\n")
	for _, g := range grows {
		var ns, waits, costs []float64
		for n := 100; n <= 100_000; n *= 10 {
			fmt.Fprintf(os.Stderr, "%d %s\n", n, g.name)
			f := figures{}
			for range runs {
				if err := g.measure(ctx, binary, dir, redis, n, f); err != nil {
					return fmt.Errorf("%d %s: %w", n, g.name, err)
				}
			}
			wait, _, _ := median(f[trigHalf])
			cost, _, _ := median(f[cpuEach])
			ns, waits, costs = append(ns, float64(n)), append(waits, wait), append(costs, cost)
		}
		for _, r := range []struct {
			name   string
			values []float64
		}{{trigHalf.name, waits}, {cpuEach.name, costs}} {
			fmt.Fprintf(out, "| %s: %s, ms |", g.name, r.name)
			for _, v := range r.values {
				fmt.Fprintf(out, " %s |", plain(v))
			}
			fmt.Fprintf(out, " %.2f |\n", exponent(ns, r.values))
		}
	}
	return nil
}

func (g grown) measure(ctx context.Context, binary, dir, redis string, n int, f figures) error {
	targets, err := writeTargets(dir, g.channels(n))
	if err != nil {
		return err
	}
	w, err := newWorld(dir, redis, min(g.channels(n), channels))
	if err != nil {
		return err
	}
	if g.fill != "" {
		w.fill = func() error { return askRedis(redis, "EVAL", g.fill, "0", fmt.Sprint(n)) }
	}
	return psycher(binary, targets).in(ctx, w, func(p *process) error {
		if _, err := w.triggered(ctx, w.steady(ctx, rate, warmUp), burstLimit); err != nil {
			return err
		}
		since := p.cpu()
		said := w.steady(ctx, rate, growthFor)
		t, err := w.triggered(ctx, said, burstLimit)
		if err != nil {
			return err
		}
		f.add(cpuEach, ms(p.cpu()-since)/float64(len(said)))
		f.add(trigHalf, percentile(t.trigger, 50))
		return nil
	})
}

// exponent is the slope of log y over log x: the best fit of y = c·x^e.
func exponent(xs, ys []float64) float64 {
	var n, sx, sy, sxx, sxy float64
	for i := range xs {
		x, y := math.Log(xs[i]), math.Log(ys[i])
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}
