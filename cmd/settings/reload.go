package settings

import (
	"os"
	"reflect"
	"time"
)

// Loader reads the settings, again and again. It is not for concurrent use.
type Loader struct {
	Environ func() []string // [os.Environ], or what stands in for it
	Dotenv  string          // the file for what the environment does not set; it need not exist; empty: none is read
	Local   bool            // the secret that PSYCHER_SECRET names is not read

	within time.Duration          // for that secret; 0: [awsWithin]
	files  map[string]os.FileInfo // those that were read, as they were just before; nil: not there
	seen   map[string]os.FileInfo // the same files when they were looked at last
}

func (l *Loader) read(path string) ([]byte, error) {
	l.files[path] = stat(path)
	return readFile(path)
}

// Watches reports whether there is a file to look at.
func (l *Loader) Watches() bool { return len(l.files) > 0 }

// AsRead reports whether the files are still what was read. It takes a system call
// for each, and reads nothing.
func (l *Loader) AsRead() bool { return same(l.look(), l.files) }

// Look reports whether the files are at rest since the last look, as half a file may
// look like a whole one, and whether they have changed since they were read.
func (l *Loader) Look() (rest, changed bool) {
	before := l.seen
	l.seen = l.look()
	// mutant: a file that is still being written
	return same(l.seen, before), !same(l.seen, l.files)
}

func (l *Loader) look() map[string]os.FileInfo {
	now := make(map[string]os.FileInfo, len(l.files))
	for path := range l.files {
		now[path] = stat(path)
	}
	return now
}

// stat tells of a symlink's target, as Kubernetes swaps those; nil: there is no file.
// A pipe is none: it changes whenever it is read.
func stat(path string) os.FileInfo {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		return info
	}
	return nil
}

func same(a, b map[string]os.FileInfo) bool {
	for path, x := range a {
		y, known := b[path]
		switch {
		case !known, (x == nil) != (y == nil):
			return false
		case x != nil && (!os.SameFile(x, y) || x.Size() != y.Size() || !x.ModTime().Equal(y.ModTime())):
			return false
		}
	}
	return true
}

// Changes are the rows whose settings differ, or what is in the map's file.
func Changes(was, is Settings) (changed []Row) {
	now := table(&is)
	for i, row := range table(&was) {
		if row.value() != now[i].value() || row.Name == "TARGETS_FILE" && is.TargetsFile != "" && !reflect.DeepEqual(was.Targets, is.Targets) {
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
			row.take(from[i].value())
		}
	}
	s.Targets = again.Targets
	return s
}
