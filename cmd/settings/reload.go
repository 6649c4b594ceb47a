package settings

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"syscall"
	"time"
)

// Loader reads the settings, again and again. It is not for concurrent use.
type Loader struct {
	Environ func() []string // [os.Environ], or what stands in for it
	Dotenv  string          // the file for what the environment does not set; it need not exist; empty: none is read
	Local   bool            // the secret that PSYCHER_SECRET names is not read

	within  time.Duration       // for that secret; 0: [awsWithin]
	sources []map[string]string // the environment, .env and that secret; an empty text counts as not set
	files   map[string]string   // those that were read, by [stat] just before
	seen    map[string]string   // the same files when they were looked at last
}

// Watches reports whether there is a file to look at.
func (l *Loader) Watches() bool { return len(l.files) > 0 }

// AsRead reports whether the files are still what was read. It takes a system call
// for each, and reads nothing.
func (l *Loader) AsRead() bool { return maps.Equal(l.look(), l.files) }

// Look reports whether the files are at rest since the last look, as half a file may
// look like a whole one, and whether they have changed since they were read.
func (l *Loader) Look() (rest, changed bool) {
	before := l.seen
	l.seen = l.look()
	// mutant: a file that is still being written
	return maps.Equal(l.seen, before), !maps.Equal(l.seen, l.files)
}

func (l *Loader) look() map[string]string {
	now := map[string]string{}
	for path := range l.files {
		now[path] = stat(path)
	}
	return now
}

// stat tells one version of a file from another; empty: there is none. It looks at a
// symlink's target, as Kubernetes swaps those. A pipe changes whenever it is read.
func stat(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	file, _ := info.Sys().(*syscall.Stat_t)
	return fmt.Sprint(file.Dev, file.Ino, info.Size(), info.ModTime().UnixNano())
}

// Changes are the rows whose settings differ, or what is in the map's file.
func Changes(was, is Settings) (changed []Row) {
	now := table(&is)
	for i, row := range table(&was) {
		if !row.value.Equal(now[i].value) || row.Name == "TARGETS_FILE" && is.TargetsFile != "" && !reflect.DeepEqual(was.Targets, is.Targets) {
			changed = append(changed, row)
		}
	}
	return changed
}

// With returns the settings with those of again that take effect at once.
func (s Settings) With(again Settings) Settings {
	from := table(&again)
	for i, row := range table(&s) {
		if row.Live {
			row.value.Set(from[i].value)
		}
	}
	s.Targets = again.Targets
	return s
}
