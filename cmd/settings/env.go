//docgen:messages settings
package settings

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/joho/godotenv"
)

// find returns a setting's text from the first source that has it in either form, empty
// if none has.
func (l *Loader) find(r Row) (string, error) {
	for _, source := range l.sources {
		text, path := source[r.Name], source[r.Name+"_FILE"]
		if strings.HasSuffix(r.Name, "_PROXY") {
			text = cmp.Or(text, source[strings.ToLower(r.Name)]) // as curl and others write them
		}
		switch isFile := path != "" && r.Secret; {
		case isFile && text != "":
			return "", fmt.Errorf("is given twice: unset it or %s_FILE", r.Name)
		case isFile:
			return l.secret(r.Name+"_FILE", path)
		case text != "":
			return text, nil
		}
	}
	return "", nil
}

// secret reads the file that a setting names: it holds a text and, if need be, a newline.
func (l *Loader) secret(setting, path string) (string, error) {
	content, err := l.read(path)
	text := strings.TrimRight(string(content), "\r\n")
	switch {
	case err != nil: // only the cause: the path may be the secret itself, in the wrong place
		return "", fmt.Errorf("the file that %s names cannot be read: %w", setting, errors.Unwrap(err))
	case text == "":
		return "", fmt.Errorf("the file that %s names is empty", setting)
	}
	return text, nil
}

// token finds the trigger token that a target of TARGETS_FILE names.
func (l *Loader) token(key, name string) (string, error) {
	switch {
	case key == "token_file":
		return l.secret("it", name)
	case slices.Contains(names(Table()), name): // who writes the map may not see it
		return "", errors.New("the variable that it names is a setting of psycher's own, which GitLab must not be sent")
	}
	for _, source := range l.sources {
		if text := source[name]; text != "" {
			return text, nil
		}
	}
	return "", errors.New("the variable that it names is not set: set it in the environment or in .env")
}

func (l *Loader) read(path string) ([]byte, error) {
	l.files[path] = stat(path)
	return readFile(path)
}

const (
	fileLimit  = 64 << 20        // bytes, five times a map of 100,000 channels
	pipeOpened = 2 * time.Second // by a writer
	pipeRead   = 5 * time.Second
)

// readFile is [os.ReadFile], but for a pipe that nobody writes to and a file that has no
// end: the bot reads its files again while it has deploys in work.
func readFile(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	began, isPipe := time.Now(), info.Mode()&fs.ModeNamedPipe != 0
	_ = file.SetReadDeadline(began.Add(pipeRead)) // a file on a disk has none
	for {
		content, err := io.ReadAll(io.LimitReader(file, fileLimit+1))
		switch {
		case err != nil || len(content) > 0 && len(content) <= fileLimit:
			return content, err
		case len(content) > 0:
			return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("it is too large")}
		case !isPipe:
			return nil, nil
		case time.Since(began) > pipeOpened: // until then a pipe is at its end
			return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("nobody writes to the pipe")}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// misspelt warns of names that are not psycher's, and nearly are those of
// settings that are not set. Other programs have those of the network in many spellings.
//
//docgen:messages settings
func misspelt(rows, unset []Row, sources []map[string]string) (warnings []string) {
	known, missing := names(rows), names(slices.DeleteFunc(unset, Row.forNetwork))
	for _, source := range sources {
		for name, value := range source {
			base, isFile := strings.CutSuffix(name, "_FILE")
			meant := slices.IndexFunc(missing, func(known string) bool { return isNear(strings.ToUpper(name), known, 2) })
			switch {
			case value == "" || slices.Contains(known, name):
			case isFile && slices.Contains(known, base):
				warnings = append(warnings, fmt.Sprintf("%s is not read: %s is no secret and is given as it is", name, base))
			case meant >= 0:
				warnings = append(warnings, fmt.Sprintf("%s is not a setting: is %s meant?", name, missing[meant]))
			}
		}
	}
	slices.Sort(warnings)
	return slices.Compact(warnings)
}

// names are those of the variables that settings can be given in.
func names(rows []Row) (all []string) {
	for _, row := range rows {
		all = append(all, row.Name)
		if row.Secret {
			all = append(all, row.Name+"_FILE")
		}
	}
	return all
}

// isNear reports whether two names are at most so many letters apart that are
// inserted, dropped or changed.
func isNear(a, b string, most int) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	if a == "" || b == "" || most == 0 {
		return len(a)+len(b) <= most
	}
	return isNear(a[1:], b, most-1) || isNear(a, b[1:], most-1) || isNear(a[1:], b[1:], most-1)
}

func split(environ []string) map[string]string {
	m := make(map[string]string, len(environ))
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		m[name] = value
	}
	return m
}

// statementLines are the most lines of a value in .env that a fault is looked for in.
const statementLines = 1000

// dotenv reads a .env file, which need not exist. The library's errors quote
// the file, so the error only says which line it is: the first that begins nothing
// that can be read by itself.
func (l *Loader) dotenv() (map[string]string, error) {
	if l.Dotenv == "" {
		return nil, nil
	}
	content, err := l.read(l.Dotenv)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("the .env file cannot be read: %w", err)
	}
	if values, ok := statements(string(content)); ok {
		return values, nil
	}
	lines, good := strings.Split(string(content), "\n"), 0
	for end := 1; end <= min(len(lines), good+statementLines); end++ {
		if _, ok := statements(strings.Join(lines[good:end], "\n")); ok {
			good = end
		}
	}
	return nil, fmt.Errorf("the .env file: line %d cannot be read: each must be NAME=value; "+
		"put a value of several lines between single quotes", good+1)
}

func statements(text string) (values map[string]string, ok bool) {
	values, err := godotenv.Unmarshal(text)
	_, nameless := values[""]
	return values, err == nil && !nameless
}
