//docgen:messages settings
package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/joho/godotenv"
)

// variables are the texts that were found, and what is wrong with them, by the
// setting's name. An empty text counts as not set. Problems of the .env file
// itself have no name.
type variables struct {
	texts    map[string]string
	problems map[string][]string
	warnings []string
}

// find looks for each setting in the environment, and in .env if the environment
// does not set it in either form.
func find(rows []Row, environ []string, dotenv string) *variables {
	v := &variables{texts: map[string]string{}, problems: map[string][]string{}}
	file, err := readDotenv(dotenv)
	v.report("", err)
	sources := []map[string]string{split(environ), file}
	for _, row := range rows {
		for _, source := range sources {
			text, err := row.find(source)
			if v.report(row.Name, err); err != nil {
				break
			}
			if text != "" {
				v.texts[row.Name] = text
				break
			}
		}
	}
	for _, source := range sources {
		v.warnOfNames(rows, source)
	}
	slices.Sort(v.warnings)
	v.warnings = slices.Compact(v.warnings)
	return v
}

// report adds an error, one problem a line; nil is none.
func (v *variables) report(name string, err error) {
	if err != nil {
		v.problems[name] = append(v.problems[name], strings.Split(err.Error(), "\n")...)
	}
}

// find returns the setting's text from one source, empty if it is not there.
func (r Row) find(source map[string]string) (string, error) {
	text := source[r.Name]
	if text == "" && strings.HasSuffix(r.Name, "_PROXY") {
		text = source[strings.ToLower(r.Name)] // as curl and others write them
	}
	path := source[r.Name+"_FILE"]
	switch {
	case path == "" || !r.secret:
		return text, nil
	case text != "":
		return "", fmt.Errorf("is given twice: unset it or %s_FILE", r.Name)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		// The path is not shown: it may be the secret itself, in the wrong variable.
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return "", fmt.Errorf("the file that %s_FILE names cannot be read: %w", r.Name, err)
	}
	if text = strings.TrimRight(string(content), "\r\n"); text == "" {
		return "", fmt.Errorf("the file that %s_FILE names is empty", r.Name)
	}
	return text, nil
}

// Lookup returns one setting as it was written, or its default, without a check.
func Lookup(name string, environ []string, dotenv string) string {
	rows := slices.DeleteFunc(Table(), func(r Row) bool { return r.Name != name })
	if text := find(rows, environ, dotenv).texts[name]; text != "" {
		return text
	}
	return rows[0].Default
}

// warnOfNames warns of names that are not psycher's, and nearly are.
//
//docgen:messages settings
func (v *variables) warnOfNames(rows []Row, source map[string]string) {
	for name, value := range source {
		base, isFile := strings.CutSuffix(name, "_FILE")
		switch meant := v.nearest(rows, name); {
		case value == "":
		case isFile && slices.ContainsFunc(rows, func(r Row) bool { return r.Name == base && !r.secret }):
			v.warnings = append(v.warnings, fmt.Sprintf("%s is not read: %s is no secret and is given as it is", name, base))
		case meant != "":
			v.warnings = append(v.warnings, fmt.Sprintf("%s is not a setting: is %s meant?", name, meant))
		}
	}
}

// nearest returns the setting, not set so far, that is at most two letters away
// from a name. Proxies and certificates are left out: other programs have such
// variables in many spellings.
func (v *variables) nearest(rows []Row, name string) string {
	best, distance := "", 3
	for _, row := range rows {
		names := []string{row.Name}
		if row.secret {
			names = append(names, row.Name+"_FILE")
		}
		if slices.Contains(names, name) {
			return ""
		}
		shared := strings.HasSuffix(row.Name, "_PROXY") || strings.HasPrefix(row.Name, "SSL_")
		if shared || v.texts[row.Name] != "" || len(v.problems[row.Name]) > 0 {
			continue
		}
		for _, known := range names {
			if d := editDistance(strings.ToUpper(name), known, 2); d < distance {
				best, distance = known, d
			}
		}
	}
	return best
}

// editDistance counts the letters to insert, drop or change between two names,
// up to most; beyond that it returns more than most.
func editDistance(a, b string, most int) int {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	if a == "" || b == "" {
		return len(a) + len(b)
	}
	if most == 0 {
		return 1
	}
	return 1 + min(editDistance(a[1:], b, most-1), editDistance(a, b[1:], most-1), editDistance(a[1:], b[1:], most-1))
}

func split(environ []string) map[string]string {
	m := make(map[string]string, len(environ))
	for _, line := range environ {
		if name, value, ok := strings.Cut(line, "="); ok {
			m[name] = value
		}
	}
	return m
}

// readDotenv reads a .env file, which need not exist. The library's errors quote
// the file, so the error only says which line it is.
func readDotenv(path string) (map[string]string, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the .env file cannot be read: %w", err)
	}
	values, ok := parseDotenv(string(content))
	if ok {
		return values, nil
	}
	// What comes before the bad statement can be read by itself.
	lines, good := strings.Split(string(content), "\n"), 0
	for n := range lines {
		if _, ok := parseDotenv(strings.Join(lines[:n], "\n")); ok {
			good = n
		}
	}
	return nil, fmt.Errorf("the .env file: line %d cannot be read: each must be NAME=value; "+
		"put a value of several lines between single quotes", good+1)
}

func parseDotenv(text string) (values map[string]string, ok bool) {
	values, err := godotenv.Unmarshal(text)
	_, nameless := values[""]
	return values, err == nil && !nameless
}
