package cmd_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hardship is something that replicas and their Redis, all real processes, are
// put through. It gives the site as it is in the end, for its figures.
type hardship struct {
	name string
	test func(t *testing.T) *site
}

func hardships() []hardship {
	return []hardship{
		{"SIGKILL of one replica after the other", underLoad(func(s *site) {
			for _, r := range s.replicas {
				s.end(r, syscall.SIGKILL)
				s.pause(500 * time.Millisecond)
				s.start(r)
				s.ready()
			}
		})},
		{"SIGKILL of every replica in a rush", inARush(syscall.SIGKILL)},
		{"SIGTERM of every replica in a rush", inARush(syscall.SIGTERM)},
		{"a rolling restart", underLoad(func(s *site) {
			for _, r := range s.replicas {
				s.end(r, syscall.SIGTERM)
				s.start(r)
				s.ready()
			}
		})},
		{"a replica stopped for longer than its leases", underLoad(func(s *site) {
			s.signal(s.replicas[0].cmd, syscall.SIGSTOP)
			s.pause(11 * time.Second)
			s.signal(s.replicas[0].cmd, syscall.SIGCONT)
		})},
		{"Redis killed and started again", underLoad(func(s *site) {
			s.signal(s.redis, syscall.SIGKILL)
			_ = s.redis.Wait() // it was killed
			s.pause(2 * time.Second)
			s.startRedis()
		})},
		{"Redis stopped for a while", underLoad(func(s *site) {
			s.signal(s.redis, syscall.SIGSTOP)
			s.pause(4 * time.Second)
			s.signal(s.redis, syscall.SIGCONT)
		})},
		{"Redis out of memory", underLoad(func(s *site) { refusing(s, "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0") })},
		{"Redis read-only", underLoad(func(s *site) { refusing(s, "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE") })},
		{"Redis emptied", emptied},
		{"two target maps at once", twoMaps},
		{"two target maps, one after the other", otherMap},
		{"Slack's clock 31 s behind the hosts'", slackBehind},
	}
}

// underLoad has three replicas put through something while several people a
// second ask for deploys. Afterwards all is well, or becomes so by itself.
func underLoad(harm func(s *site)) func(t *testing.T) *site {
	return func(t *testing.T) *site {
		s := newSite(t, 3)
		s.underLoad(func() { harm(s) })
		s.ready()
		s.settles(s.mentions...)
		s.deploysAgain()
		return s
	}
}

// inARush has every replica end by a signal when more is asked for than GitLab
// is asked at once: triggers are in flight, and other mentions wait their turn.
func inARush(by syscall.Signal) func(t *testing.T) *site {
	return func(t *testing.T) *site {
		s := newSite(t, 3)
		for range 3 {
			for _, channel := range siteChannels() {
				s.say(channel)
			}
		}
		if err := s.gitlab.Until(s.ctx, func() bool { return s.gitlab.Posts() > 8 }); err != nil {
			t.Error(err)
		}
		for _, r := range s.replicas {
			s.signal(r.cmd, by)
		}
		for _, r := range s.replicas {
			s.hasEnded(r, by)
			s.start(r)
		}
		s.settles(s.mentions...)
		s.deploysAgain()
		return s
	}
}

// refusing: while Redis refuses every write, a person is told that nothing was
// started, and only then it is acked.
func refusing(s *site, harm, heal string) {
	s.command(harm, "+OK")
	m := s.say("C0APP0")
	if err := s.slack.Until(s.ctx, func() bool { acked, lost := s.acked(m); return acked || lost }); err != nil {
		s.t.Error(err)
	}
	if lacks := s.lacks(m); lacks != "" {
		s.t.Errorf("Slack is done with it: %s: %q", lacks, s.texts(m))
	}
	var who *replica // could not record it
	s.poll("a replica is not ready", func() error {
		for _, who = range s.replicas {
			if !s.isReady(who) {
				return nil
			}
		}
		return errors.New("all are ready")
	})
	for range 20 {
		if s.pause(100 * time.Millisecond); s.isReady(who) {
			s.t.Fatal("a replica that can record nothing says that it is ready")
		}
	}
	s.command(heal, "+OK")
	if s.reads(m, "othing was started.") { // then who told so sees to it that it stays so
		s.command(fmt.Sprintf("EXISTS {psycher}:record:%s:%s:%s", siteTeam, m.channel, m.ts), ":1")
	}
	s.slack.Redeliver(m.channel, m.ts)
}

func (s *site) isReady(r *replica) bool {
	resp, err := s.get("http://" + r.admin + "/readyz")
	return err == nil && resp.StatusCode == http.StatusOK
}

// Every mention makes one pipeline whose end is shown, or none and its person is
// told; and when all is well again the next one deploys. KILLS repeats it all so
// many times.
func TestProcessesThatDieLoseNothingAndDoubleNothing(t *testing.T) {
	t.Parallel()
	rounds := 1
	if v := os.Getenv("KILLS"); v != "" {
		var err error
		if rounds, err = strconv.Atoi(v); err != nil {
			t.Fatal(err)
		}
	}
	var sum figures
	var mu sync.Mutex
	for range rounds {
		// They mostly wait, so that all of them go at once, whatever -parallel says.
		var all sync.WaitGroup
		for _, h := range hardships() {
			all.Go(func() {
				t.Run(h.name, func(t *testing.T) {
					f := h.test(t).figures()
					mu.Lock()
					defer mu.Unlock()
					sum = sum.and(f)
				})
			})
		}
		all.Wait()
	}
	t.Logf("in all %v", sum)
}
