package dedupe

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

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
					if _, made, err := s.Claim(context.Background(), &r, engine.Lease, time.Now(), deploy.TargetID{}); err != nil || !made {
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

// BenchmarkHistory reads the last ten deployments of a target that was deployed this
// many times.
func BenchmarkHistory(b *testing.B) {
	for _, n := range []int{100, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, ctx := open(b, realRedis(b)), b.Context()
			yesterday, names := float64(time.Now().Add(-24*time.Hour).UnixMilli()), make([]redis.Z, 0, 1000)
			for i := 10; i < n; i++ { // of the older ones the names are enough
				names = append(names, redis.Z{Score: yesterday + float64(i-n), Member: fmt.Sprintf("T1:C1:%d.000000", i)})
				if len(names) == cap(names) || i == n-1 {
					if err := s.client.ZAdd(ctx, s.history(app.ID()), names...).Err(); err != nil {
						b.Fatal(err)
					}
					names = names[:0]
				}
			}
			for i := range 10 {
				saved(b, s, deployed(fmt.Sprintf("%d.0", i), deploy.Succeeded, time.Hour, time.Minute))
			}
			for b.Loop() {
				if last, err := s.History(ctx, app.ID(), false, 0, 10); err != nil || len(last) != 10 {
					b.Fatal(len(last), err)
				}
			}
		})
	}
}
