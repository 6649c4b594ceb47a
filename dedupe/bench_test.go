package dedupe

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// BenchmarkClaim is the one round trip before an ack, with this many
// records in the store.
func BenchmarkClaim(b *testing.B) {
	for _, kind := range []string{"embedded", "real"} {
		for _, history := range []int{0, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", kind, history), func(b *testing.B) {
				url := ""
				if kind == "real" {
					url = realRedis(b)
				}
				s, n := open(b, url), 0
				next := func() {
					n++
					r := deploy.Record{Layout: deploy.Layout, Revision: "m", State: deploy.Accepted, Request: mention(fmt.Sprintf("%d.000000", n))}
					if _, made, err := s.Claim(context.Background(), r, engine.Lease, time.Now()); err != nil || !made {
						b.Fatal(made, err)
					}
				}
				for range history {
					next()
				}
				b.ReportAllocs()
				for b.Loop() {
					next()
				}
			})
		}
	}
}
