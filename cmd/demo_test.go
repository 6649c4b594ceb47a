package cmd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox/demo"
)

// The page's server with the real bot behind it: what a browser would be told.
func TestTheDemosPageShowsADeploy(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	lines, out := io.Pipe()
	var errs bytes.Buffer
	ended := make(chan error, 1)
	go func() {
		ended <- demo.Demo{Lang: "en", Page: true, Quick: true, Program: sandboxed, In: strings.NewReader(""), Out: out, Errs: &errs}.Run(ctx)
		out.Close()
	}()
	printed := bufio.NewScanner(lines)
	address := ""
	for address == "" && printed.Scan() {
		address, _ = strings.CutPrefix(printed.Text(), "The page to watch it on: ")
		if !regexp.MustCompile(`^http://127\.0\.0\.1:\d+/$`).MatchString(address) {
			address = ""
		}
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		for printed.Scan() { // the demo waits for its reader
		}
	}()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	ask, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"do", strings.NewReader(`{"do":"say","text":"@psycher release app"}`))
	if err != nil {
		t.Fatal(err)
	}
	ask.Header.Set("Content-Type", "application/json")
	ask.Header.Set("Origin", strings.TrimSuffix(address, "/"))
	said, err := http.DefaultClient.Do(ask)
	if err != nil || said.StatusCode != http.StatusNoContent {
		t.Fatal(said, err)
	}
	said.Body.Close()

	var shown struct {
		Slack []struct {
			Reactions []string
			Replies   []struct{ Text string }
		}
		GitLab []struct {
			Status string
			Jobs   []struct{ Log string }
		}
		Records map[string]struct{ Moves []struct{ State string } }
	}
	done := func() bool {
		return len(shown.Slack) == 1 && slices.Equal(shown.Slack[0].Reactions, []string{"white_check_mark"}) && len(shown.Slack[0].Replies) == 2 &&
			len(shown.GitLab) == 1 && shown.GitLab[0].Status == "success"
	}
	for s := bufio.NewScanner(resp.Body); !done(); {
		if !s.Scan() {
			t.Fatalf("the events end with %+v: %v", shown, s.Err())
		}
		if data, ok := strings.CutPrefix(s.Text(), "data: "); ok {
			if err := json.Unmarshal([]byte(data), &shown); err != nil {
				t.Fatal(err)
			}
		}
	}
	for ts, r := range shown.Records {
		var states []string
		for _, m := range r.Moves {
			states = append(states, m.State)
		}
		if got := strings.Join(states, " "); got != "accepted triggering running succeeded" {
			t.Errorf("the record of %s went %s", ts, got)
		}
	}
	if log := shown.GitLab[0].Jobs[2].Log; !strings.Contains(log, "psycher was told: start") || !strings.Contains(log, "deploy.sh: done") {
		t.Errorf("the job's log is %q", log)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	<-copied
	if errs.Len() > 0 {
		t.Errorf("it complained: %s", &errs)
	}
}
