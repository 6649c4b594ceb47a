package demo

import (
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// findBrowser returns the program that opens a page in a browser; empty if there
// is none, or no screen.
func findBrowser(environ []string) string {
	screen := slices.ContainsFunc(environ, func(v string) bool {
		name, value, _ := strings.Cut(v, "=")
		return (name == "DISPLAY" || name == "WAYLAND_DISPLAY") && value != ""
	})
	name := "xdg-open"
	switch {
	case runtime.GOOS == "darwin":
		name = "open"
	case !screen:
		return ""
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

// openBrowser opens the address in a browser that outlives the Ctrl-C that ends
// the demo. A failure is not reported: the address was printed.
func openBrowser(browser, address string) {
	c := exec.Command("/bin/sh", "-c", `trap "" INT; exec "$0" "$1"`, browser, address)
	if c.Start() == nil {
		_ = c.Process.Release()
	}
}
