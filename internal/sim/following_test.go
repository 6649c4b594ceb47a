package sim_test

import (
	"testing"
	"time"

	"github.com/getto-systems/psycher/internal/sim"
)

// looked counts what a process has asked GitLab about pipelines, since [sim.Process.Arm].
func looked(p *sim.Process) (n int) {
	for _, op := range p.Ops() {
		if op.Kind == "gitlab:look" || op.Kind == "gitlab:list" {
			n++
		}
	}
	return n
}

func TestRunningDeploymentIsAskedAboutWhenDue(t *testing.T) {
	row(t, "5 s apart at first, and never more than 12", func(t *testing.T) {
		w := sim.New(t)
		a := w.StartReady("a")
		time.Sleep(5 * time.Second) // the token's rights are checked
		a.Arm(nil)
		ts := w.Ask("release")
		w.Mark(sim.Channel, ts, "thumbsup")
		var gaps []time.Duration
		for before, n, end := time.Now(), 0, time.Now().Add(10*time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if now := looked(a); now > n {
				gaps, n, before = append(gaps, time.Since(before)), now, time.Now()
			}
		}
		if len(gaps) == 0 || gaps[0] > 6100*time.Millisecond || gaps[0] < 4*time.Second {
			t.Errorf("want the first look after 5 s: %v", gaps)
		}
		for _, gap := range gaps {
			if gap > 12*time.Second+100*time.Millisecond || gap < 4*time.Second {
				t.Errorf("looks are %v apart", gaps)
				break
			}
		}
	})
}
