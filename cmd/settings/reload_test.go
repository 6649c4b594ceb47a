package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestChangedFilesAreSeen(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	put := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(in(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := func(name, to string) {
		t.Helper()
		if err := os.Symlink(in(to), in("new")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(in("new"), in(name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, version := range []string{"1", "2"} {
		if err := os.Mkdir(in(version), 0o700); err != nil {
			t.Fatal(err)
		}
		put(version+"/map", `{"T1": {"C1": {"app": {"project_id": 1, "token_file": "`+in("token")+`"}}}}`)
	}
	link("data", "1")
	put("token", "glptt-file")
	put("bot", "xoxb-test")
	l := Loader{Dotenv: in(".env"), Environ: func() []string {
		return environ("GITLAB_TRIGGER_TOKENS=", "TARGETS_FILE="+in("data/map"), "SLACK_BOT_TOKEN=", "SLACK_BOT_TOKEN_FILE="+in("bot"))
	}}
	changes := []struct {
		name string
		make func()
	}{
		{"a .env that was not there", func() { put(".env", "GITLAB_REF=main") }},
		{"a token of the map, as long as before", func() { put("token", "glptt-with") }},
		{"a secret", func() { put("bot", "xoxb-test2") }},
		{"a folder that takes the place of another", func() { link("data", "2") }},
		{"a file with an older time", func() {
			if err := os.Chtimes(in("token"), time.Time{}, time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
		}},
		{"a .env that is gone", func() { os.Remove(in(".env")) }},
	}
	for _, change := range changes {
		if _, _, err := l.Load(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if changed(&l) || !l.AsRead() {
				t.Errorf("%s: seen before it is there", change.name)
			}
		}
		change.make()
		if changed(&l) || l.AsRead() {
			t.Errorf("%s: taken although it may still be written", change.name)
		}
		if !changed(&l) {
			t.Errorf("%s: not seen", change.name)
		}
	}
}

// changed reports whether the files have changed and may be read.
func changed(l *Loader) bool {
	rest, changed := l.Look()
	return rest && changed
}

func TestAFileIsLeftAloneWhileItIsWritten(t *testing.T) {
	dotenv := write(t, "GITLAB_REF=main")
	l := Loader{Dotenv: dotenv, Environ: func() []string { return environ() }}
	if _, _, err := l.Load(); err != nil {
		t.Fatal(err)
	}
	for _, half := range []string{"", "GITLAB_REF=pro", "GITLAB_REF=production-2"} {
		if err := os.WriteFile(dotenv, []byte(half), 0o600); err != nil {
			t.Fatal(err)
		}
		if changed(&l) {
			t.Errorf("read as %q", half)
		}
	}
	if !changed(&l) {
		t.Error("not seen when it is whole")
	}
}

func TestAChangeTakesEffectAtOnceOrAtTheNextStart(t *testing.T) {
	was, _, err := Load(environ(), "")
	if err != nil {
		t.Fatal(err)
	}
	is, _, err := Load(environ("GITLAB_TRIGGER_TOKENS="+fakeMap[:len(fakeMap)-1]+`, "T2": {"C2": {"web": {"project_id": 2, "token": "glptt-test"}}}}`,
		"GITLAB_REF=main", "PSYCHER_LANG=en", "REDIS_PREFIX=other", "SLACK_BOT_TOKEN=xoxb-other"), "")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, row := range Changes(was, is) {
		got[row.Name] = row.Live
	}
	want := map[string]bool{"SLACK_BOT_TOKEN": false, "GITLAB_TRIGGER_TOKENS": true, "GITLAB_REF": true, "REDIS_PREFIX": false, "PSYCHER_LANG": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	file := write(t, `{"T1": {"C1": {"app": {"project_id": 1, "token_env": "TOKEN"}}}}`)
	l := Loader{Environ: func() []string { return environ("GITLAB_TRIGGER_TOKENS=", "TOKEN=glptt-test", "TARGETS_FILE="+file) }}
	before, _, err := l.Load()
	if err == nil {
		err = os.WriteFile(file, []byte(`{"T1": {"C1": {"app": {"project_id": 2, "token_env": "TOKEN"}}}}`), 0o600)
	}
	after, _, unread := l.Load()
	if changed := Changes(before, after); err != nil || unread != nil || len(changed) != 1 || changed[0].Name != "TARGETS_FILE" {
		t.Errorf("another map in the same file: %v %v %v", changed, err, unread)
	}
	now := was.With(is)
	if _, known := now.Targets.Find("T2", "C2", "web"); !known || now.GitLabRef != "main" || now.Lang != "en" || now.RedisPrefix != "psycher" || now.SlackBotToken.Reveal() != "xoxb-test" {
		t.Errorf("%+v", now)
	}
	if was.GitLabRef != "master" || len(Changes(was, was)) != 0 {
		t.Error("the settings from before were changed")
	}
}

// A pipe that nobody writes to, and a file without end, are told like any other fault:
// the bot that reads them again has deploys in work.
func TestAFileThatDoesNotEndIsNotWaitedFor(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	large := write(t, "x")
	if err := os.Truncate(large, 1<<30); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ setting, path, want string }{
		{"TARGETS_FILE", pipe, "nobody writes to the pipe"},
		{"TARGETS_FILE", large, "it is too large"},
		{"SLACK_BOT_TOKEN_FILE", "/dev/zero", "it is too large"},
		{"SSL_CERT_FILE", "/dev/zero", "the file cannot be read"},
	} {
		problems := problemsOf(t, environ("GITLAB_TRIGGER_TOKENS=", "SLACK_BOT_TOKEN=", c.setting+"="+c.path), "")
		if said := fmt.Sprint(problems); !strings.Contains(said, c.want) {
			t.Errorf("%+v: it says %s", c, said)
		}
	}
}

// As in TARGETS_FILE=<(sops --decrypt map.json), and where another program gives .env
// out through a pipe, to each who opens it.
func TestSettingsMayComeFromAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, setting, dotenv string }{
		{"xoxb-piped\n", "SLACK_BOT_TOKEN_FILE=" + pipe, ""},
		{"SLACK_BOT_TOKEN=xoxb-piped\n", "GITLAB_REF=main", pipe},
	} {
		wrote := make(chan error)
		go func() { wrote <- os.WriteFile(pipe, []byte(c.text), 0) }() // waits for a reader
		l := Loader{Environ: func() []string { return environ("SLACK_BOT_TOKEN=", c.setting) }, Dotenv: c.dotenv}
		if s, _, err := l.Load(); err != nil || s.SlackBotToken.Reveal() != "xoxb-piped" {
			t.Error(c, err)
		}
		if err := <-wrote; err != nil {
			t.Error(err)
		}
		if _ = changed(&l); changed(&l) || !l.AsRead() {
			t.Error(c, "it is to be read again for having been read")
		}
	}
}
