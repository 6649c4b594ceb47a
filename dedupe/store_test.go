package dedupe

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// onBoth runs a test on the embedded store and, where a redis-server is on the
// machine, on a real one that is started for it on a free port.
func onBoth(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Run("embedded", func(t *testing.T) { test(t, open(t, "")) })
	t.Run("real", func(t *testing.T) { test(t, open(t, realRedis(t))) })
}

const keep = 40 * 24 * time.Hour

func open(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Open(Config{URL: deploy.Secret(url), Prefix: "psycher", Keep: keep, Dial: (&net.Dialer{}).DialContext, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func realRedis(t testing.TB) string {
	t.Helper()
	return "redis://127.0.0.1:" + redisServer(t, "--port", "PORT")
}

// redisServer starts a server, with PORT in its options for a free port, and
// waits until it listens there.
func redisServer(t testing.TB, options ...string) (port string) {
	t.Helper()
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server on this machine: only the embedded store is tested")
	}
	port = freePort(t)
	args := append(slices.Clone(options), "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	for i, a := range args {
		args[i] = strings.ReplaceAll(a, "PORT", port)
	}
	cmd := exec.Command(bin, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for deadline := time.Now().Add(10 * time.Second); ; {
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second)
		if err == nil {
			c.Close()
			return port
		}
		if time.Now().After(deadline) {
			t.Fatal("redis-server does not answer")
		}
	}
}

var nextPort atomic.Int64

// freePort returns a port that nobody listens on, outside of the range that the
// system assigns. It is reserved by its UDP twin until the test ends, so that two
// processes that test side by side do not take each other's port between the check
// and the server's start.
func freePort(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := fmt.Sprint(30_000 + (int64(os.Getpid())*101+nextPort.Add(1))%2_700)
		reserved, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			t.Cleanup(func() { reserved.Close() })
			return port
		}
		reserved.Close()
	}
	t.Fatal("no free port")
	return ""
}

func mention(ts string) deploy.Request {
	return deploy.Request{Key: deploy.Key{Team: "T1", Channel: "C1", TS: ts}, ID: "id-" + ts, By: deploy.Person{User: "U1"}, Intent: deploy.Intent{Kind: deploy.KindDeploy}}
}

func claim(t *testing.T, s *Store, r deploy.Record, lease time.Duration) (engine.Stored, bool) {
	t.Helper()
	r.Layout = cmp.Or(r.Layout, deploy.Layout)
	h, made, err := s.Claim(context.Background(), &r, lease, time.Now(), deploy.TargetID{})
	if err != nil {
		t.Fatal(err)
	}
	return h, made
}

func take(t *testing.T, s *Store, n int) []engine.Stored {
	t.Helper()
	hs, _, err := s.Take(context.Background(), n, engine.Lease)
	if err != nil {
		t.Fatal(err)
	}
	return hs
}

func TestClaim(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		a := deploy.Record{Revision: "a", State: deploy.Accepted, Request: mention("1.000001")}
		b := a
		b.Revision = "b"
		if _, made := claim(t, s, a, time.Minute); !made {
			t.Error("the first claim did not make the record")
		}
		if _, made := claim(t, s, b, time.Minute); made {
			t.Error("a second claim made the record again")
		}
		if _, made := claim(t, s, a, time.Minute); !made {
			t.Error("the first claim, sent again after a lost answer, does not know its own record")
		}
		if got := take(t, s, 10); len(got) != 0 {
			t.Errorf("taken within the claimant's lease: %d", len(got))
		}
	})
}

func TestRecordOfTheEmbeddedStoreExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "")
		r := deploy.Record{Revision: "a", State: deploy.Accepted, Request: mention("1.000001")}
		claim(t, s, r, -1)
		for _, c := range []struct {
			after time.Duration
			there bool
		}{{keep - time.Hour, true}, {2 * time.Hour, false}} {
			time.Sleep(c.after)
			if _, ok, err := s.Load(context.Background(), r.Request.Key); err != nil || ok != c.there {
				t.Errorf("there: %v %v, want %v", ok, err, c.there)
			}
		}
	})
}

func TestTakeReturnsWhatIsDueOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		for i := range 5 {
			claim(t, s, deploy.Record{Revision: "m", State: deploy.Accepted, Request: mention(fmt.Sprintf("%d.000000", i+1))}, 0)
		}
		if got := take(t, s, 3); len(got) != 3 {
			t.Fatalf("took %d, want the 3 asked for", len(got))
		}
		if got := take(t, s, 10); len(got) != 2 {
			t.Fatalf("took %d, want the 2 that were left", len(got))
		}
		if got := take(t, s, 10); len(got) != 0 {
			t.Fatalf("took %d that are on a lease", len(got))
		}
		pending, err := s.Pending(context.Background(), 10)
		if err != nil || len(pending) != 5 {
			t.Errorf("pending: %d, %v; want all 5", len(pending), err)
		}
	})
}

func TestTakeTellsWhenTheNextIsDue(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		for _, c := range []struct {
			claim time.Duration // another record is claimed, due then
			take  int
			least time.Duration
			most  time.Duration
		}{
			{-1, 1, -time.Millisecond, -time.Millisecond},      // nothing is ever due
			{time.Hour, 1, time.Hour - time.Minute, time.Hour}, // that one
			{0, 1, engine.Lease - 5*time.Second, engine.Lease}, // the one just taken, when its lease is over
			{0, 0, 0, 0}, // one that there was no room for
		} {
			claim(t, s, deploy.Record{Revision: "m", State: deploy.Accepted, Request: mention(rand.Text())}, c.claim)
			_, next, err := s.Take(context.Background(), c.take, engine.Lease)
			if err != nil || next < c.least || next > c.most {
				t.Errorf("%+v: due in %v, %v", c, next, err)
			}
		}
	})
}

func TestSaveComparesWhatWasRead(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		h, _ := claim(t, s, deploy.Record{Revision: "a", State: deploy.Accepted, Request: mention("1.0")}, 0)
		mine, theirs := *h.Record, *h.Record
		mine.Revision, theirs.Revision = "mine", "theirs"
		saved, err := s.Save(ctx, h, &mine, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Save(ctx, h, &theirs, 0); !errors.Is(err, engine.ErrChanged) {
			t.Errorf("a save over a changed record: %v, want ErrChanged", err)
		}
		if _, err := s.Save(ctx, h, &mine, time.Minute); err != nil {
			t.Errorf("the same save again, after a lost answer: %v", err)
		}
		if _, err := s.Save(ctx, saved, &theirs, -1); err != nil {
			t.Errorf("the next save: %v", err)
		}
		if got, ok, err := s.Load(ctx, h.Record.Request.Key); err != nil || !ok || got.Record.Revision != "theirs" {
			t.Errorf("stored: %v %v %v", got.Record.Revision, ok, err)
		}
		if got := take(t, s, 10); len(got) != 0 {
			t.Error("a record saved without a due time was due")
		}
	})
}

func TestSaveOfALostRecordWritesItAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		h, _ := claim(t, s, deploy.Record{Revision: "a", State: deploy.Accepted, Request: mention("1.0")}, 0)
		s.client.FlushAll(ctx)
		next := *h.Record
		next.Revision = "b"
		if _, err := s.Save(ctx, h, &next, 0); err != nil {
			t.Fatal(err)
		}
		if got := take(t, s, 10); len(got) != 1 || got[0].Record.Revision != "b" {
			t.Errorf("taken after it was written again: %v", got)
		}
		if ttl := s.client.PTTL(ctx, s.record(h.Record.Request.Key)).Val(); ttl <= keep-time.Hour || ttl > keep {
			t.Errorf("kept for %v, want KEEP", ttl)
		}
	})
}

func TestDelayLeavesAChangedRecordAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		h, _ := claim(t, s, deploy.Record{Revision: "a", State: deploy.Accepted, Request: mention("1.0")}, time.Minute)
		next := *h.Record
		next.Revision = "b"
		if _, err := s.Save(ctx, h, &next, 0); err != nil {
			t.Fatal(err)
		}
		if err := s.Delay(ctx, h, -1); err != nil {
			t.Fatal(err)
		}
		if got := take(t, s, 10); len(got) != 1 {
			t.Error("a delay of what was read before the change removed the due time")
		}
	})
}

func TestBirth(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		slack := time.UnixMilli(1_700_000_000_000)
		first, err := s.Birth(ctx, slack)
		if err != nil || !first.Equal(slack.Add(2*time.Second)) {
			t.Fatalf("birth %v, %v; want Slack's clock and 2 s more", first, err)
		}
		if again, _ := s.Birth(ctx, slack.Add(time.Hour)); !again.Equal(first) {
			t.Errorf("the birth moved to %v", again)
		}
		s.client.FlushAll(ctx)
		h, _, err := s.Claim(ctx, &deploy.Record{Layout: deploy.Layout, Revision: "a", Request: mention("1.0")}, 0, slack.Add(time.Hour), deploy.TargetID{})
		if err != nil || !h.Birth.Equal(slack.Add(time.Hour+2*time.Second)) {
			t.Errorf("a claim in an emptied store: birth %v, %v", h.Birth, err)
		}
		if got := take(t, s, 1); len(got) != 1 || !got[0].Birth.Equal(h.Birth) {
			t.Errorf("what was taken lacks the birth: %v", got)
		}
	})
}

func TestDueTimeWithoutARecordIsRemoved(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		h, _ := claim(t, s, deploy.Record{Revision: "a", Request: mention("1.0")}, 0)
		s.client.Del(ctx, s.record(h.Record.Request.Key))
		take(t, s, 1)
		if n := s.client.ZCard(ctx, s.due()).Val(); n != 0 {
			t.Errorf("%d due times left", n)
		}
	})
}

func TestRecordOfAnotherLayoutIsLeftAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		claim(t, s, deploy.Record{Layout: deploy.Layout + 1, Request: mention("1.0")}, 0)
		claim(t, s, deploy.Record{Layout: deploy.Layout - 2, Request: mention("2.0")}, 0)
		claim(t, s, deploy.Record{Layout: deploy.Layout - 1, Request: mention("3.0")}, 0)
		claim(t, s, deploy.Record{Layout: deploy.Layout, Request: mention("4.0")}, 0)
		if got := take(t, s, 10); len(got) != 2 || got[0].Record.Request.TS != "3.0" || got[1].Record.Request.TS != "4.0" {
			t.Errorf("took %v, want only those of a layout that is read", got)
		}
	})
}

func TestRecordThatCannotBeReadIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const records = 250
		var out bytes.Buffer
		s, err := Open(Config{Prefix: "psycher", Keep: keep, Log: zerolog.New(&out)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		for i := range records {
			r := deploy.Record{Layout: deploy.Layout + 1, Revision: "x", State: deploy.Running, Request: mention(fmt.Sprintf("1.%06d", i))}
			if i%10 == 0 {
				r.Request.Key = deploy.Key{}
				raw := fmt.Sprintf(`{"v": "of %d"}`, i)
				name := fmt.Sprintf("T1:C1:2.%06d", i)
				s.client.Set(t.Context(), s.recordPrefix()+name, raw, 0)
				s.client.ZAdd(t.Context(), s.due(), redis.Z{Score: 1, Member: name})
				continue
			}
			claim(t, s, r, 0)
		}
		for range 5 {
			for range records/32 + 1 {
				take(t, s, 32)
			}
			time.Sleep(time.Minute)
		}
		if n := bytes.Count(out.Bytes(), []byte("\n")); n != unreadableLines {
			t.Errorf("%d lines in a few minutes, want %d", n, unreadableLines)
		}
	})
}

func TestRecordOfANewerLayoutIsDueAgainSoon(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		claim(t, s, deploy.Record{Layout: deploy.Layout + 1, Request: mention("1.0")}, 0)
		due := func() time.Time {
			ms, err := s.client.ZScore(context.Background(), s.due(), mention("1.0").Key.String()).Result()
			if err != nil {
				t.Fatal(err)
			}
			return time.UnixMilli(int64(ms))
		}
		was := due()
		if got := take(t, s, 10); len(got) != 0 {
			t.Fatalf("took %v", got)
		}
		if d := due().Sub(was); d < time.Second/2 || d > engine.Lease/2 {
			t.Errorf("due again %s later, want about a second: not at once, and not after a lease", d)
		}
	})
}

// That a project has proved itself is saved with the record that shows it first,
// or not at all, and never expires.
func TestProofIsSavedWithItsRecord(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		proved := func(want bool, projects ...string) {
			t.Helper()
			if got, err := s.Proved(ctx, projects...); got != want || err != nil {
				t.Errorf("%q: proved %v %v, want %v", projects, got, err, want)
			}
		}
		r := deploy.Record{Layout: deploy.Layout, Revision: "a", State: deploy.Running, Request: mention("1.0")}
		r.Deployment.Project = "group/app"
		h, _ := claim(t, s, r, time.Minute)
		plain := r
		plain.Revision = "b"
		saved, err := s.Save(ctx, h, &plain, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		proved(false, "group/app")

		next := plain
		next.Revision, next.Deployment.TokenShown = "c", true
		if _, err := s.Save(ctx, h, &next, time.Minute); !errors.Is(err, engine.ErrChanged) {
			t.Fatal(err)
		}
		proved(false, "group/app")
		for range 2 { // as after a lost answer
			if _, err := s.Save(ctx, saved, &next, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		proved(true, "group/app")
		proved(true, "group/web", "group/app")
		proved(false, "group/web", "group", "app", "")
		if ttl, err := s.client.TTL(ctx, "{psycher}:proved:group/app").Result(); ttl != -1 || err != nil {
			t.Errorf("it expires in %v, %v", ttl, err)
		}

		for _, want := range []bool{true, false} {
			if had, err := s.Unprove(ctx, "group/app"); had != want || err != nil {
				t.Errorf("unproved: %v %v, want %v", had, err, want)
			}
			proved(false, "group/app")
		}
	})
}

func TestRefusalDiffersFromAnUnknownOutcome(t *testing.T) {
	t.Run("no connection", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		s := open(t, "redis://"+l.Addr().String())
		_, _, err = s.Claim(context.Background(), &deploy.Record{}, 0, time.Now(), deploy.TargetID{})
		if !errors.Is(err, engine.ErrRefused) || !strings.Contains(err.Error(), ": cannot be reached: dial tcp ") {
			t.Errorf("%v, want ErrRefused of a server that is not there", err)
		}
	})
	t.Run("cut after the command", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Read(make([]byte, 10))
				c.Close()
			}
		}()
		t.Cleanup(func() { l.Close(); <-done })
		s := open(t, "redis://"+l.Addr().String())
		_, _, err = s.Claim(context.Background(), &deploy.Record{}, 0, time.Now(), deploy.TargetID{})
		if err == nil || errors.Is(err, engine.ErrRefused) {
			t.Errorf("%v, want an unknown outcome", err)
		}
	})
}

func TestTakeFailsWhileNothingCanBeWritten(t *testing.T) {
	s, ctx := open(t, realRedis(t)), t.Context()
	if _, err := s.Birth(ctx, time.Now()); err != nil {
		t.Fatal(err)
	}
	memory := func(most string) {
		if err := s.client.ConfigSet(ctx, "maxmemory", most).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.Take(ctx, 1, engine.Lease); err != nil {
		t.Fatal(err)
	}
	memory("1")
	if _, _, err := s.Take(ctx, 1, engine.Lease); err != nil {
		t.Errorf("nothing was refused yet: %v", err)
	}
	r := deploy.Record{Revision: "a", State: deploy.Accepted, Request: mention("1.000001")}
	if _, _, err := s.Claim(ctx, &r, engine.Lease, time.Now(), deploy.TargetID{}); !errors.Is(err, engine.ErrRefused) {
		t.Fatalf("a claim without memory: %v", err)
	}
	for range 2 {
		if _, _, err := s.Take(ctx, 1, engine.Lease); !errors.Is(err, engine.ErrRefused) {
			t.Errorf("a take without memory: %v", err)
		}
	}
	memory("0")
	if _, _, err := s.Take(ctx, 1, engine.Lease); err != nil {
		t.Errorf("a take with memory again: %v", err)
	}
}
