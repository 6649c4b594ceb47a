package demo

import (
	"os"
	"strings"
	"testing"
)

func TestABrowserIsOpenedWhereThereIsAScreen(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"xdg-open", "open"} {
		if err := os.WriteFile(dir+"/"+name, []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	if got := findBrowser([]string{"DISPLAY=:0"}); !strings.HasPrefix(got, dir) {
		t.Errorf("with a screen it is %q", got)
	}
	if got := findBrowser([]string{"WAYLAND_DISPLAY=wayland-0"}); !strings.HasPrefix(got, dir) {
		t.Errorf("with Wayland it is %q", got)
	}
	t.Setenv("PATH", t.TempDir())
	if got := findBrowser([]string{"DISPLAY=:0"}); got != "" {
		t.Errorf("where there is none it is %q", got)
	}
}
