package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
)

// idle is a program that dials a server, listens, and runs until it is stopped
// or released.
type idle struct {
	conn net.Conn
	door net.Listener
	World
}

func started(t *testing.T, server string) (*Process, chan idle, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	lives := make(chan idle, 8)
	p := NewProcess(t.Context(), &log, func(ctx context.Context, _ string, w World) error {
		var l idle
		var err error
		if l.conn, err = w.Dial(ctx, "tcp", server); err != nil {
			return err
		}
		defer l.conn.Close()
		if l.door, err = w.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
		defer l.door.Close()
		l.World = w
		lives <- l
		<-ctx.Done()
		return nil
	})
	t.Cleanup(func() { p.Kill(); p.Wait() })
	return p, lives, &log
}

// echo is a server that can be reached.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c) }()
		}
	}()
	return l.Addr().String()
}

func TestKilledProcessReachesNothing(t *testing.T) {
	server := echo(t)
	p, lives, log := started(t, server)
	p.Start("en")
	l := <-lives
	fmt.Fprint(l.Log, "alive")
	p.Kill()
	if fmt.Fprint(l.Log, "dead"); log.String() != "alive" {
		t.Errorf("it logs %q", log)
	}
	if _, err := l.conn.Write([]byte("x")); err == nil {
		t.Error("it still writes")
	}
	if c, err := net.Dial("tcp", l.door.Addr().String()); err == nil {
		c.Close()
		t.Error("it still listens")
	}
	if c, err := l.Dial(context.Background(), "tcp", server); err == nil {
		c.Close()
		t.Error("it still dials")
	}
	if lang, runs := p.Runs(); runs || lang != "en" {
		t.Errorf("it runs: %v, in %q", runs, lang)
	}
	p.Start("en")
	if _, err := (<-lives).conn.Write([]byte("x")); err != nil {
		t.Errorf("the next one cannot write: %v", err)
	}
}

func TestUnreachableServerRefusesConnections(t *testing.T) {
	server, other := echo(t), echo(t)
	p, lives, _ := started(t, server)
	p.Start("en")
	l := <-lives
	p.SetUnreachable("http://"+server, true)
	if _, err := l.conn.Write([]byte("x")); err == nil {
		t.Error("the connection is not cut")
	}
	_, err := l.Dial(context.Background(), "tcp", server)
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "dial" || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a dial returns %v", err)
	}
	if raw, err := l.conn.(syscall.Conn).SyscallConn(); err == nil && raw.Read(func(uintptr) bool { return true }) == nil {
		t.Error("a pool cannot see that the connection is cut")
	}
	if c, err := l.Dial(context.Background(), "tcp", other); err != nil {
		t.Errorf("another server is unreachable too: %v", err)
	} else {
		c.Close()
	}
	p.SetUnreachable(server, false)
	if c, err := l.Dial(context.Background(), "tcp", server); err != nil || p.Unreachable(server) {
		t.Errorf("it is still unreachable: %v", err)
	} else {
		c.Close()
	}
}

func TestARestartChangesTheLanguage(t *testing.T) {
	p, lives, _ := started(t, echo(t))
	p.Start("ja")
	first := <-lives
	p.Restart("en")
	<-lives
	if lang, runs := p.Runs(); lang != "en" || !runs {
		t.Errorf("it runs: %v, in %q", runs, lang)
	}
	if _, err := first.conn.Write(nil); err == nil {
		t.Error("the first one is still there")
	}
	p.Kill()
	p.Restart("ja")
	if lang, runs := p.Runs(); lang != "ja" || runs {
		t.Errorf("a dead one runs: %v, in %q", runs, lang)
	}
}
