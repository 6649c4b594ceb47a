package cmd

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/cmd/settings"
)

// What psycher ready prints is what /readyz of the bot says.
func TestReadinessIsJSONForProgramsAndWordsForPeople(t *testing.T) {
	const warning = `slack: "member" C1: not a member`
	logged(t, zerolog.InfoLevel, settings.Settings{}, func(a *app) {
		port := httptest.NewServer(a.admin())
		defer port.Close()
		t.Setenv("ADMIN_ADDR", strings.TrimPrefix(port.URL, "http://"))
		for _, c := range []struct {
			warnings   []string
			json, said string
		}{
			{nil, `{"ready":false,"reasons":["starting","the store was not asked yet"],"warnings":[]}`, ""},
			{[]string{warning}, `{"ready":false,"reasons":["starting","the store was not asked yet"],"warnings":["slack: \"member\" C1: not a member"]}`, "warning: " + warning + "\n"},
		} {
			a.checkWarnings.Store(&c.warnings)
			if got := ask(a, "/readyz"); got.Code != http.StatusServiceUnavailable || got.Body.String() != c.json+"\n" || got.Header().Get("Content-Type") != "application/json" {
				t.Errorf("/readyz answers %d %s", got.Code, got.Body)
			}
			said, err := sayReady(t)
			if err == nil || err.Error() != "not ready: starting\nnot ready: the store was not asked yet" || said != c.said {
				t.Errorf("psycher ready says %q, %v", said, err)
			}
		}
		// What the start waits for says more.
		down := errors.New("no route")
		a.storeError.Store(&down)
		if _, err := sayReady(t); err == nil || !strings.HasSuffix(err.Error(), "\nnot ready: the store is down: no route") {
			t.Errorf("while the store is waited for, psycher ready says %v", err)
		}
		if got := ask(a, "/healthz"); got.Code != http.StatusOK || got.Body.String() != `{"alive":true}`+"\n" {
			t.Errorf("/healthz answers %d %s", got.Code, got.Body)
		}
	})

	// A bot that is ready takes a Slack: the page INSTALL shows it.
	for answer, want := range map[string]string{
		`{"ready":true,"reasons":[],"warnings":[]}`:            "ready\n",
		`{"ready":true,"reasons":[],"warnings":["one","two"]}`: "ready\nwarning: one\nwarning: two\n",
		"<html>": "",
	} {
		port := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		t.Setenv("ADMIN_ADDR", strings.TrimPrefix(port.URL, "http://"))
		if said, err := sayReady(t); said != want || (err == nil) != (want != "") {
			t.Errorf("of %s psycher ready says %q, %v", answer, said, err)
		}
		port.Close()
	}
}

func ask(a *app, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	a.admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func sayReady(t *testing.T) (string, error) {
	var out bytes.Buffer
	c := rootCommand()
	c.SetArgs([]string{"ready"})
	c.SetOut(&out)
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}
