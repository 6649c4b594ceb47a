package dedupe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// A Cluster's client sends a command again by itself. If the first try was
// done and only its answer lost, a refusal of the second says nothing about the
// first: a person who is told that nothing was started may then see a deploy.
func TestRefusalIsNotCertainIfTheRecordExists(t *testing.T) {
	for name, query := range map[string]string{"one server": "", "Cluster": "?addr=redis.test:6379"} {
		t.Run(name, func(t *testing.T) {
			m := miniredis.RunT(t)
			var armed atomic.Bool
			s, err := Open(Config{
				URL: deploy.Secret("redis://redis.test:6379" + query), Prefix: "psycher", Keep: keep, Log: zerolog.Nop(),
				Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
					c, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.Addr())
					return &lossy{Conn: c, armed: &armed, lost: func() { m.SetError("CLUSTERDOWN The cluster is down") }}, err
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			claim(t, s, deploy.Record{Revision: "a", State: deploy.Accepted, Request: mention("1.0")}, time.Minute) // the script is known from here on
			armed.Store(true)
			_, _, err = s.Claim(context.Background(), &deploy.Record{Revision: "b", State: deploy.Accepted, Request: mention("2.0")}, time.Minute, time.Now(), deploy.TargetID{})
			if err == nil {
				t.Fatal("no answer was lost")
			}
			m.SetError("")
			if !m.Exists(s.record(mention("2.0").Key)) {
				t.Fatal("the first try was not carried out")
			}
			if errors.Is(err, engine.ErrRefused) {
				t.Errorf("certainly refused, and the record exists: %v", err)
			}
		})
	}
}

// No error of a Cluster is certain.
func TestRefusalOfAClusterIsNeverCertain(t *testing.T) {
	m := miniredis.RunT(t)
	s := open(t, "redis://"+m.Addr()+"?addr="+m.Addr())
	claim(t, s, deploy.Record{Revision: "a", State: deploy.Accepted, Request: mention("1.0")}, time.Minute)
	for _, says := range []string{"READONLY ", "LOADING ", "OOM ", "CLUSTERDOWN ", "TRYAGAIN ", "NOAUTH "} {
		m.SetError(says + "for a test")
		_, _, err := s.Claim(context.Background(), &deploy.Record{Revision: "b", Request: mention("2.0")}, 0, time.Now(), deploy.TargetID{})
		if err == nil || errors.Is(err, engine.ErrRefused) {
			t.Errorf("%s: %v, want an unknown outcome", says, err)
		}
	}
	m.Close()
	if _, _, err := s.Claim(context.Background(), &deploy.Record{Revision: "b", Request: mention("2.0")}, 0, time.Now(), deploy.TargetID{}); err == nil || errors.Is(err, engine.ErrRefused) {
		t.Errorf("no connection: %v, want an unknown outcome", err)
	}
}

// lossy carries one script to the server, and cuts the connection in place of
// its answer.
type lossy struct {
	net.Conn
	armed *atomic.Bool
	mine  atomic.Bool
	lost  func()
}

func (l *lossy) Write(b []byte) (int, error) {
	n, err := l.Conn.Write(b)
	if bytes.Contains(bytes.ToLower(b), []byte("evalsha")) && l.armed.CompareAndSwap(true, false) {
		l.mine.Store(true)
	}
	return n, err
}

func (l *lossy) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if !l.mine.Load() {
		return n, err
	}
	l.lost()
	l.Conn.Close()
	return 0, io.EOF
}

func TestCallWithoutAConnectionWasCertainlyNotDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deaf := func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, there) }() // ends with here
			return here, nil
		}
		s, err := Open(Config{URL: "redis://deaf.test:6379", Prefix: "psycher", Keep: keep, Dial: deaf, Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		defer time.Sleep(5 * time.Second) // what the client still does when it is closed
		defer s.Close()
		ask := func(within time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			_, _, err := s.Load(ctx, mention("1.000001").Key)
			return err
		}
		var sent sync.WaitGroup
		for range connections {
			sent.Go(func() {
				if err := ask(800 * time.Millisecond); err == nil || errors.Is(err, engine.ErrRefused) {
					t.Errorf("sent, and not answered: %v", err)
				}
			})
		}
		synctest.Wait()
		if err := ask(100 * time.Millisecond); !errors.Is(err, engine.ErrRefused) {
			t.Errorf("never sent: %v", err)
		}
		sent.Wait()
	})
}
