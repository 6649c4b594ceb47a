package gitlab

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getto-systems/psycher/deploy/engine"
)

// A storm of reported ends in one project must neither delay that project's other
// reads long after it is over, nor another project's ends.
func TestAStormOfEndsDelaysNoOtherProject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{URL: "https://gitlab.test", APIToken: "glpat-x"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		wait := func(project, what string, urgent bool) time.Duration {
			began := time.Now()
			for {
				var later *engine.LaterError
				if !errors.As(c.reserve(project, what, 1, urgent), &later) {
					return time.Since(began)
				}
				time.Sleep(later.After)
			}
		}
		var storm sync.WaitGroup
		for i := range 300 {
			storm.Go(func() { wait("group/app", fmt.Sprint("end ", i), true) })
		}
		time.Sleep(time.Second)
		if d := wait("group/web", "its end", true); d > time.Second {
			t.Errorf("another project's end waits for %s", d)
		}
		storm.Wait()
		if d := wait("group/app", "another", false); d > 10*time.Second {
			t.Errorf("another read of the project waits for %s after the storm", d)
		}
	})
}
