package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var (
	pageLink    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	pageHeading = regexp.MustCompile(`(?m)^#{1,6} +(.+?)\s*$`)
	pageFence   = regexp.MustCompile("(?ms)^```.*?^```$")
	pageCode    = regexp.MustCompile("`[^`\n]*`")
)

// documents are all pages, by their path from the repository's root.
func documents(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"../*.md", "../docs/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			names = append(names, name[len("../"):])
		}
	}
	return names
}

// Links between pages, to headings in them, and to files. Addresses elsewhere
// are not asked.
func TestLinksOfTheDocumentsLeadSomewhere(t *testing.T) {
	links, toHeadings := 0, 0
	for _, name := range documents(t) {
		text := pageCode.ReplaceAllString(pageFence.ReplaceAllString(page(t, name), ""), "")
		for _, m := range pageLink.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			file, heading, inside := strings.Cut(m[1], "#")
			to := name
			if file != "" {
				to = filepath.Join(filepath.Dir(name), file)
			}
			if _, err := os.Stat(filepath.Join("..", to)); err != nil {
				t.Errorf("%s: %s: %v", name, m[1], err)
				continue
			}
			if inside {
				toHeadings++
				if !anchors(page(t, to))[heading] {
					t.Errorf("%s: %s has no heading %q", name, to, heading)
				}
			}
		}
	}
	if links < 100 || toHeadings < 20 {
		t.Errorf("only %d links were found, %d to headings", links, toHeadings)
	}
}

func TestEachPageHasItsOtherLanguage(t *testing.T) {
	// Those for people who change psycher, and what shows both languages side by side.
	one := map[string]bool{
		"CHANGELOG.md": true, "docs/ARCHITECTURE.md": true, "docs/RELIABILITY.md": true, "docs/PERFORMANCE.md": true, "docs/PHRASES.md": true,
	}
	for _, name := range documents(t) {
		other, japanese := strings.CutSuffix(name, ".ja.md")
		if other += ".md"; !japanese {
			other = strings.TrimSuffix(name, ".md") + ".ja.md"
		}
		if one[name] {
			continue
		}
		if !strings.Contains(page(t, name), "]("+filepath.Base(other)+")") {
			t.Errorf("%s does not link to %s", name, other)
		}
		if a, b := headings(page(t, name)), headings(page(t, other)); len(a) != len(b) {
			t.Errorf("%s has %d headings, %s %d:\n%q\n%q", name, len(a), other, len(b), a, b)
		}
	}
}

func headings(text string) []string {
	var all []string
	for _, m := range pageHeading.FindAllStringSubmatch(pageFence.ReplaceAllString(text, ""), -1) {
		all = append(all, m[1])
	}
	return all
}

// anchors are the names that GitHub and GitLab give the headings of a page.
func anchors(text string) map[string]bool {
	names := map[string]bool{}
	for _, h := range headings(text) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsNumber(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, pageLink.ReplaceAllString(h, "]"))
		unique := name
		for n := 1; names[unique]; n++ {
			unique = fmt.Sprintf("%s-%d", name, n)
		}
		names[unique] = true
	}
	return names
}

// Each test that a page names is there, or one that begins so.
func TestTestsThatTheDocumentsNameExist(t *testing.T) {
	var there []string
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." {
			return filepath.SkipDir // what changes by itself: the tests would run anew each time
		}
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range testFunc.FindAllSubmatch(text, -1) {
			there = append(there, string(m[1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, name := range documents(t) {
		for _, test := range testName.FindAllString(page(t, name), -1) {
			named++
			if !slices.ContainsFunc(there, func(f string) bool { return strings.HasPrefix(f, test) }) {
				t.Errorf("%s: there is no test %s", name, test)
			}
		}
	}
	if named < 50 {
		t.Errorf("only %d names of tests were found", named)
	}
}

var (
	testFunc = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	testName = regexp.MustCompile(`\bTest[A-Z]\w+`)
)
