package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/joho/godotenv"
)

// vars are the variables as they were found, before anything is known of them
// but their names. Those that are empty are left out: empty counts as unset.
type vars struct {
	values   map[string]string   // by the setting's name; from a file, where X_FILE names one
	problems map[string][]string // by the setting's name; "" for the .env file itself
	warnings []string
}

func readVars(environ []string, dotenv string) vars {
	v := vars{values: make(map[string]string), problems: make(map[string][]string)}
	sources := []map[string]string{environMap(environ)}
	if dotenv != "" {
		file, problem := readDotenv(dotenv)
		if problem != "" {
			v.problems[""] = append(v.problems[""], problem)
		}
		sources = append(sources, file)
	}
	for _, f := range settingFields() {
		for _, source := range sources {
			if v.take(f, source) {
				break
			}
		}
	}
	for _, source := range sources {
		v.warnOfNames(source)
	}
	slices.Sort(v.warnings)
	v.warnings = slices.Compact(v.warnings)
	return v
}

// take reads a setting from one source: what the environment says in either
// form hides what .env says in either form.
func (v *vars) take(f field, source map[string]string) (found bool) {
	value, path := source[f.name], ""
	if value == "" && strings.HasSuffix(f.name, "_PROXY") {
		value = source[strings.ToLower(f.name)] // as curl and others write them
	}
	if f.secret {
		path = source[f.name+"_FILE"]
	}
	switch {
	case value != "" && path != "":
		v.bad(f.name, "is given twice: unset it or "+f.name+"_FILE")
	case path != "":
		content, err := os.ReadFile(path)
		if err != nil {
			// The path is not shown: it may be the secret itself, in the wrong variable.
			var at *fs.PathError
			if errors.As(err, &at) {
				err = at.Err
			}
			v.bad(f.name, fmt.Sprintf("the file that %s_FILE names cannot be read: %v", f.name, err))
			return true
		}
		value = strings.TrimRight(string(content), "\r\n")
		if value == "" {
			v.bad(f.name, "the file that "+f.name+"_FILE names is empty")
			return true
		}
	case value == "":
		return false
	}
	v.values[f.name] = value
	return true
}

//docgen:passed settings
func (v *vars) bad(name, problem string) {
	v.problems[name] = append(v.problems[name], problem)
}

// warnOfNames warns of names that are none of psycher's, and nearly are.
//
//docgen:messages settings
func (v *vars) warnOfNames(source map[string]string) {
	for name, value := range source {
		if value == "" {
			continue
		}
		if f := fieldOf(strings.TrimSuffix(name, "_FILE")); strings.HasSuffix(name, "_FILE") && f.name != "" && !f.secret {
			v.warnings = append(v.warnings, fmt.Sprintf("%s is not read: %s is no secret and is given as it is", name, f.name))
		} else if meant := v.nearest(name); meant != "" {
			v.warnings = append(v.warnings, fmt.Sprintf("%s is not a setting: is %s meant?", name, meant))
		}
	}
}

// nearest gives the setting, unset as yet, that a name is at most two letters
// away from. Proxies and certificates are left out: other programs have such
// variables in many spellings.
func (v *vars) nearest(name string) string {
	best, distance := "", 3
	for _, f := range settingFields() {
		if strings.HasSuffix(f.name, "_PROXY") || strings.HasPrefix(f.name, "SSL_") {
			continue
		}
		known := []string{f.name}
		if f.secret {
			known = append(known, f.name+"_FILE")
		}
		if slices.Contains(known, name) {
			return ""
		}
		if _, set := v.values[f.name]; set || len(v.problems[f.name]) > 0 {
			continue
		}
		for _, k := range known {
			if d := editDistance(strings.ToUpper(name), k); d < distance {
				best, distance = k, d
			}
		}
	}
	return best
}

func environMap(environ []string) map[string]string {
	m := make(map[string]string, len(environ))
	for _, line := range environ {
		if name, value, ok := strings.Cut(line, "="); ok && name != "" {
			m[name] = value
		}
	}
	return m
}

// readDotenv reads a .env file. The library's errors quote the file, so the
// problem only says which line it is.
//
//docgen:messages settings
func readDotenv(path string) (map[string]string, string) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ""
	}
	if err != nil {
		return nil, fmt.Sprintf("the .env file cannot be read: %v", err)
	}
	values, err := godotenv.UnmarshalBytes(content)
	if _, nameless := values[""]; err == nil && !nameless {
		return values, ""
	}
	// What comes before the bad statement can be read for itself.
	lines, good := strings.Split(string(content), "\n"), 0
	for n := range lines {
		values, err := godotenv.Unmarshal(strings.Join(lines[:n], "\n"))
		if _, nameless := values[""]; err == nil && !nameless {
			good = n
		}
	}
	return nil, fmt.Sprintf("the .env file: line %d cannot be read: each must be NAME=value; "+
		"put a value of several lines between single quotes", good+1)
}

// editDistance counts the letters to insert, drop or change between two names.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j+1]+1, row[j]+1, change)
		}
	}
	return row[len(b)]
}
