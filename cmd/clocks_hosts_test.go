//go:build clocks

package cmd_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Hosts whose clocks are apart, as real processes see it: the program is built
// with a standard library whose time.Now is off by what HOST_IS_OFF says, in
// seconds; the monotonic clock goes on as it does. All of the standard library
// is built anew for that, which takes minutes at first.
//
//	go test -tags clocks ./cmd -run TestHostsWhoseClocksAreApart -v
func TestHostsWhoseClocksAreApart(t *testing.T) {
	program := buildWithAnotherClock(t)
	s := openSite(t)
	hosts := map[*replica]string{}
	for _, off := range []string{"0", "31", "-31"} {
		r := s.add(program, "MENTION_MAX_AGE=20s", "HOST_IS_OFF="+off)
		s.start(r)
		hosts[r] = off
	}
	s.ready()
	s.underLoad(func() {
		// Who is ahead takes over from who is behind, and the other way round.
		for _, r := range []*replica{s.replicas[2], s.replicas[1]} {
			s.pause(2 * time.Second)
			s.end(r, syscall.SIGKILL)
			s.pause(2 * time.Second)
			s.start(r)
			s.ready()
		}
	})
	for _, m := range s.mentions {
		if s.settles(m); s.reads(m, "too late", "overslept", "waiting for a while") {
			t.Errorf("%v was taken for too old: %q", m, s.texts(m))
		}
	}
	s.deploysAgain()
	for r, off := range hosts {
		s.end(r, syscall.SIGTERM)
		if says := r.saysItsClockIsOff(); says != (off != "0") {
			t.Errorf("a host that is off by %s s says so: %v", off, says)
		}
	}
	s.figures()
}

func buildWithAnotherClock(t *testing.T) (program string) {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	const now = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(text), now) != 1 || strings.Count(string(text), "import (\n") != 1 {
		t.Fatal("time.Now is not what it was: this test has to be adapted")
	}
	changed := strings.NewReplacer(
		"import (\n", "import (\n\t\"syscall\"\n",
		now, now+"\tsec += hostIsOff\n",
	).Replace(string(text)) + `
var hostIsOff = func() (off int64) {
	s, _ := syscall.Getenv("HOST_IS_OFF")
	n, _ := atoi(s)
	return int64(n)
}()
`
	dir := t.TempDir()
	replacement, overlay := filepath.Join(dir, "time.go"), filepath.Join(dir, "overlay.json")
	program = filepath.Join(dir, "psycher")
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{source: replacement}})
	if err == nil {
		err = os.WriteFile(replacement, []byte(changed), 0o600)
	}
	if err == nil {
		err = os.WriteFile(overlay, list, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", program, "./psycher").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}
