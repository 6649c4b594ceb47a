package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// profileFor is long enough to know each share to about one percent.
const profileFor = 30 * time.Second

// profiled is psycher with a profile of its processor time, from one SIGUSR1
// to the next.
const profiled = `package main

import (
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/getto-systems/psycher/cmd"
)

func main() {
	go func() {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGUSR1)
		<-c
		f, err := os.Create(os.Getenv("CPUPROFILE"))
		if err != nil {
			panic(err)
		}
		_ = pprof.StartCPUProfile(f)
		<-c
		pprof.StopCPUProfile()
		f.Close()
		os.Rename(f.Name(), f.Name()+".done")
	}()
	os.Exit(cmd.Main())
}
`

// shares are the parts of the work for a mention, and their functions, with all
// that these call. Overlaps are counted twice.
var shares = []struct {
	what  string
	calls []string
}{
	{"reading the socket and the mention", []string{"bot/socket.(*conn).read", "bot.readMention"}},
	{"understanding the words", []string{"bot/words.Understand"}},
	{"Redis: a claim and three saves", []string{"dedupe.(*Store).Claim", "dedupe.(*Store).Save"}},
	{"the trigger, its answer read", []string{"gitlab.(*Client).Trigger", "net/http.(*persistConn).readLoop", "net/http.(*persistConn).writeLoop"}},
	{"the status message", []string{"bot/web.(*Client).Post"}},
	{"the log and the counters", []string{"deploy/engine.(*Engine).log"}},
	{"the scheduler", []string{"runtime.schedule"}},
	{"collecting garbage", []string{"runtime.gcBgMarkWorker"}},
	{"all", nil},
}

// profile prints where the processor time of psycher goes at the steady rate,
// and leaves the profile itself for go tool pprof.
func profile(ctx context.Context, out io.Writer, dir, redis string) error {
	binary, err := buildChanged(ctx, dir, "psycher-profiled", "cmd/psycher/main.go", func(string) string { return profiled })
	if err != nil {
		return err
	}
	targets, err := writeTargets(dir, channels)
	if err != nil {
		return err
	}
	w, err := newWorld(dir, redis, channels)
	if err != nil {
		return err
	}
	raw := filepath.Join(os.TempDir(), "psycher-cpu.prof")
	_ = os.Remove(raw + ".done")
	err = psycher(binary, targets, "CPUPROFILE="+raw).in(ctx, w, func(p *process) error {
		if _, err := w.triggered(ctx, w.steady(ctx, rate, warmUp), burstLimit); err != nil {
			return err
		}
		_ = p.cmd.Process.Signal(syscall.SIGUSR1)
		if _, err := w.triggered(ctx, w.steady(ctx, rate, profileFor), burstLimit); err != nil {
			return err
		}
		rest(ctx, warmUp) // what is shown is work too
		_ = p.cmd.Process.Signal(syscall.SIGUSR1)
		return until(ctx, burstLimit, "the profile", func() bool {
			_, err := os.Stat(raw + ".done")
			return err == nil
		})
	})
	if err != nil {
		return err
	}
	return printShares(ctx, out, raw+".done")
}

func printShares(ctx context.Context, out io.Writer, raw string) error {
	top, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-cum", "-unit=us", "-nodecount=100000", "-nodefraction=0", raw).Output()
	if err != nil {
		return fmt.Errorf("read the profile: %w", err)
	}
	us, all := map[string]float64{}, 0.0
	for l := range strings.Lines(string(top)) {
		f := strings.Fields(l)
		if _, total, ok := strings.Cut(l, "Total samples = "); ok {
			total, _, _ = strings.Cut(total, "us")
			all, _ = strconv.ParseFloat(total, 64)
		}
		if len(f) >= 6 && strings.HasSuffix(f[3], "us") {
			name := strings.TrimPrefix(f[5], "github.com/getto-systems/psycher/")
			us[name], _ = strconv.ParseFloat(strings.TrimSuffix(f[3], "us"), 64)
		}
	}
	n := rate * profileFor.Seconds()
	fmt.Fprintf(out, "%s\n\n| | us a mention | share |\n|---|---|---|\n", machine(ctx))
	for _, s := range shares {
		sum := 0.0
		for _, name := range s.calls {
			sum += us[name]
		}
		if s.calls == nil {
			sum = all
		}
		fmt.Fprintf(out, "| %s | %.0f | %.0f %% |\n", s.what, sum/n, 100*sum/all)
	}
	fmt.Fprintf(out, "\nMore: go tool pprof -top -cum %s\n", raw)
	return nil
}
