//docgen:messages settings
package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/joho/godotenv"
)

// find returns the setting's text from the first source that has it in either
// form, empty if none has. An empty text counts as not set.
func (r Row) find(sources []map[string]string, read reader) (text string, err error) {
	for _, source := range sources {
		if text, err = r.in(source, read); text != "" || err != nil {
			break
		}
	}
	return text, err
}

func (r Row) in(source map[string]string, read reader) (text string, err error) {
	text = source[r.Name]
	if text == "" && strings.HasSuffix(r.Name, "_PROXY") {
		text = source[strings.ToLower(r.Name)] // as curl and others write them
	}
	path := source[r.Name+"_FILE"]
	switch {
	case path == "" || !r.Secret:
		return text, nil
	case text != "":
		return "", fmt.Errorf("is given twice: unset it or %s_FILE", r.Name)
	}
	text, err = read.secret(path)
	if err != nil {
		err = fmt.Errorf("the file that %s_FILE names %w", r.Name, err)
	}
	return text, err
}

// reader reads a file, as [os.ReadFile] does.
type reader func(path string) ([]byte, error)

// secret reads a file that holds a text and, if need be, a newline.
func (read reader) secret(path string) (string, error) {
	content, err := read(path)
	text := strings.TrimRight(string(content), "\r\n")
	switch {
	case err != nil: // only the cause: the path may be the secret itself, in the wrong place
		return "", fmt.Errorf("cannot be read: %w", errors.Unwrap(err))
	case text == "":
		return "", errors.New("is empty")
	}
	return text, nil
}

// tokenIn finds the trigger token that a target of TARGETS_FILE names.
func (read reader) tokenIn(sources []map[string]string) func(key, name string) (string, error) {
	return func(key, name string) (string, error) {
		if key == "token_file" {
			text, err := read.secret(name)
			if err != nil {
				err = fmt.Errorf("the file that it names %w", err)
			}
			return text, err
		}
		for _, source := range sources {
			if text := source[name]; text != "" {
				return text, nil
			}
		}
		return "", errors.New("the variable that it names is not set: set it in the environment or in .env")
	}
}

// misspelt warns of names that are not psycher's, and nearly are those of
// settings that are not set.
//
//docgen:messages settings
func misspelt(rows, unset []Row, sources []map[string]string) (warnings []string) {
	known := names(rows)
	missing := slices.DeleteFunc(names(unset), func(name string) bool { // other programs have these in many spellings
		return strings.Contains(name, "_PROXY") || strings.HasPrefix(name, "SSL_")
	})
	for _, source := range sources {
		for name, value := range source {
			base, isFile := strings.CutSuffix(name, "_FILE")
			switch meant := nearest(missing, name); {
			case value == "" || slices.Contains(known, name):
			case isFile && slices.Contains(known, base):
				warnings = append(warnings, fmt.Sprintf("%s is not read: %s is no secret and is given as it is", name, base))
			case meant != "":
				warnings = append(warnings, fmt.Sprintf("%s is not a setting: is %s meant?", name, meant))
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

// nearest returns the one of names that is at most two letters away from a name.
func nearest(names []string, name string) string {
	for most := range 3 {
		for _, known := range names {
			if isNear(strings.ToUpper(name), known, most) {
				return known
			}
		}
	}
	return ""
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

// dotenv reads a .env file, which need not exist. The library's errors quote
// the file, so the error only says which line it is: the one after the longest
// beginning that can be read by itself.
func (read reader) dotenv(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	content, err := read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("the .env file cannot be read: %w", err)
	}
	lines := strings.Split(string(content), "\n")
	for good := len(lines); ; good-- {
		values, err := godotenv.Unmarshal(strings.Join(lines[:good], "\n"))
		_, nameless := values[""]
		switch {
		case err != nil || nameless:
		case good == len(lines):
			return values, nil
		default:
			return nil, fmt.Errorf("the .env file: line %d cannot be read: each must be NAME=value; "+
				"put a value of several lines between single quotes", good+1)
		}
	}
}
