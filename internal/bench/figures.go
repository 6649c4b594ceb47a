package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	rate       = 200 // mentions a second
	warmUp     = time.Second
	steadyFor  = 10 * time.Second
	idleFor    = 5 * time.Second
	burstSize  = 3000
	channels   = 1000
	burstLimit = 2 * time.Minute
)

// row is one line of figures.
type row struct{ name, unit string }

var (
	hello      = row{"start to first hello", "ms"}
	ackHalf    = row{"ack, p50", "ms"}
	ackMost    = row{"ack, p99", "ms"}
	trigHalf   = row{"mention to trigger, p50", "ms"}
	trigMost   = row{"mention to trigger, p99", "ms"}
	burstRate  = row{"burst of 3,000", "triggers/s"}
	cpuEach    = row{"processor time a mention", "ms"}
	memIdle    = row{"resident memory, idle", "MB"}
	memLoad    = row{"resident memory, under load", "MB"}
	memPeak    = row{"resident memory, peak", "MB"}
	cpuIdle    = row{"idle processor use", "% of a core"}
	doubled    = row{"triggered twice in the burst", "mentions"}
	figureRows = []row{hello, ackHalf, ackMost, trigHalf, trigMost, burstRate, cpuEach, memIdle, memLoad, memPeak, cpuIdle, doubled}
)

// figures are the values of each row, one per run.
type figures map[row][]float64

func (f figures) add(r row, v float64) { f[r] = append(f[r], v) }

// median returns the median, the least and the greatest value.
func median(vs []float64) (mid, least, most float64) {
	if len(vs) == 0 {
		return 0, 0, 0
	}
	vs = slices.Sorted(slices.Values(vs))
	return vs[len(vs)/2], vs[0], vs[len(vs)-1]
}

// percentile of durations, in ms.
func percentile(ds []time.Duration, p int) float64 {
	if len(ds) == 0 {
		return 0
	}
	ds = slices.Sorted(slices.Values(ds))
	return ms(ds[min(len(ds)*p/100, len(ds)-1)])
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// measure runs a subject once, from its start to its end.
func (s subject) measure(ctx context.Context, dir, redis string, f figures) error {
	w, err := newWorld(dir, redis, channels)
	if err != nil {
		return err
	}
	return s.in(ctx, w, func(p *process) error { return s.measureRunning(ctx, w, p, f) })
}

func (s subject) measureRunning(ctx context.Context, w *world, p *process, f figures) error {
	f.add(hello, ms(p.hello))

	rest(ctx, 2*time.Second)
	since := p.cpu()
	rest(ctx, idleFor)
	f.add(cpuIdle, 100*(p.cpu()-since).Seconds()/idleFor.Seconds())
	f.add(memIdle, p.memory("VmRSS"))

	if _, err := w.triggered(ctx, w.steady(ctx, rate, warmUp), burstLimit); err != nil {
		return err
	}
	if err := s.measureSteady(ctx, w, p, f); err != nil {
		return err
	}
	said, began := w.burst(burstSize)
	t, err := w.triggered(ctx, said, burstLimit)
	if err != nil {
		return err
	}
	f.add(burstRate, float64(len(said))/t.last.Sub(began).Seconds())
	rest(ctx, time.Second)
	f.add(memPeak, p.memory("VmHWM"))
	f.add(doubled, float64(t.doubled))
	if s.stores && t.doubled > 0 {
		return fmt.Errorf("%d mentions were triggered twice", t.doubled)
	}
	return ctx.Err()
}

func (s subject) measureSteady(ctx context.Context, w *world, p *process, f figures) error {
	since := p.cpu()
	sampling, stop := context.WithCancel(ctx)
	defer stop()
	samples := make(chan []float64)
	go func() {
		var all []float64
		for sampling.Err() == nil {
			all = append(all, p.memory("VmRSS"))
			rest(sampling, 100*time.Millisecond)
		}
		samples <- all
	}()
	said := w.steady(ctx, rate, steadyFor)
	t, err := w.triggered(ctx, said, burstLimit)
	if err != nil {
		return err
	}
	rest(ctx, time.Second) // what is shown costs time too
	stop()
	load, _, _ := median(<-samples)
	f.add(memLoad, load)
	f.add(cpuEach, ms(p.cpu()-since)/float64(len(said)))
	f.add(ackHalf, percentile(t.ack, 50))
	f.add(ackMost, percentile(t.ack, 99))
	f.add(trigHalf, percentile(t.trigger, 50))
	f.add(trigMost, percentile(t.trigger, 99))
	return nil
}

func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
