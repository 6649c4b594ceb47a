package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/bot/words"
	"github.com/getto-systems/psycher/deploy"
)

const root = "../.."

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPagesAreUpToDate(t *testing.T) {
	fresh, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range fresh {
		if diff := gocmp.Diff(want, page(t, name)); diff != "" {
			t.Errorf("%s: update it with: go run ./internal/docgen (-code +page): %s", name, diff)
		}
		if strings.Contains(want, "| "+todo+" |") {
			t.Errorf("%s: %s is to be filled in", name, todo)
		}
	}
	if n := strings.Count(fresh["docs/TROUBLESHOOTING.md"], "\n| `"); n < 250 {
		t.Errorf("only %d messages were found in the code", n)
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?)\s*$`)
	fence   = regexp.MustCompile("(?ms)^```.*?^```$")
	inline  = regexp.MustCompile("`[^`\n]*`")
)

// Links between pages, to headings in them, and to files. Other addresses are
// not requested.
func TestLinksResolve(t *testing.T) {
	links, toHeadings := 0, 0
	for _, name := range pagesIn(root) {
		text := inline.ReplaceAllString(fence.ReplaceAllString(page(t, name), ""), "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			file, heading, inside := strings.Cut(m[1], "#")
			to := name
			if file != "" {
				to = filepath.Join(filepath.Dir(name), file)
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
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

// Each picture is shown in a page, and none makes a page slow to load.
func TestPicturesAreShownAndSmall(t *testing.T) {
	var shown strings.Builder
	for _, name := range pagesIn(root) {
		shown.WriteString(page(t, name))
	}
	all := 0
	for pattern, limit := range map[string]int64{"*.png": 100 << 10, "*.gif": 1 << 20, "guide/*.png": 60 << 10} {
		found, err := filepath.Glob(filepath.Join(root, "docs/images", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			all++
			if file, err := os.Stat(name); err != nil || file.Size() > limit {
				t.Errorf("%s is too large: %v, %v", name, file, err)
			}
			if _, in, _ := strings.Cut(name, "docs/"); !strings.Contains(shown.String(), in+")") {
				t.Errorf("no page shows %s", name)
			}
		}
	}
	if all < 30 {
		t.Errorf("there are only %d pictures", all)
	}
}

// inOneLanguage are the pages for people who change psycher, and the one that
// shows both languages side by side.
var inOneLanguage = []string{"CHANGELOG.md", "docs/ARCHITECTURE.md", "docs/RELIABILITY.md", "docs/PERFORMANCE.md", "docs/PHRASES.md"}

func TestEachPageHasItsOtherLanguage(t *testing.T) {
	for _, name := range pagesIn(root) {
		if slices.Contains(inOneLanguage, name) {
			continue
		}
		other, japanese := strings.CutSuffix(name, ".ja.md")
		if other += ".md"; !japanese {
			other = strings.TrimSuffix(name, ".md") + ".ja.md"
		}
		if !strings.Contains(page(t, name), "]("+filepath.Base(other)+")") {
			t.Errorf("%s does not link to %s", name, other)
		}
		if a, b := headingsOf(page(t, name)), headingsOf(page(t, other)); len(a) != len(b) {
			t.Errorf("%s has %d headings, %s %d:\n%q\n%q", name, len(a), other, len(b), a, b)
		}
	}
}

func headingsOf(text string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		all = append(all, m[1])
	}
	return all
}

// anchors are the names that GitHub and GitLab give the headings of a page.
func anchors(text string) map[string]bool {
	names := map[string]bool{}
	for _, h := range headingsOf(text) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsNumber(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, link.ReplaceAllString(h, "]"))
		unique := name
		for n := 1; names[unique]; n++ {
			unique = fmt.Sprintf("%s-%d", name, n)
		}
		names[unique] = true
	}
	return names
}

// Each test that a page names exists, by its name or the beginning of it, in the
// package that the page names. So does each file and function that a page for
// developers names.
func TestNamesInPagesExist(t *testing.T) {
	tests := map[string]string{} // their folders, by name
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return filepath.SkipDir // its files change by themselves, and this test would never be cached
		}
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(text, -1) {
			tests[string(m[1])] += " " + strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), root+"/")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	there := func(folder, test string) bool {
		for name, folders := range tests {
			if strings.HasPrefix(name, test) && strings.Contains(folders, " "+folder) {
				return true
			}
		}
		return false
	}
	place := regexp.MustCompile("`([a-z_0-9]+/[a-z/_0-9]+\\.(?:go|sh|lua))(?::(?:(\\w+)\\.)?(\\w+))?`")
	aTest := regexp.MustCompile(`\bTest[A-Z]\w+`)
	namedTests, inPackages, functions := 0, 0, 0
	for _, name := range pagesIn(root) {
		for _, test := range aTest.FindAllString(page(t, name), -1) {
			namedTests++
			if !there("", test) {
				t.Errorf("%s: there is no test %s", name, test)
			}
		}
		for _, m := range regexp.MustCompile("`([a-z/]+)`: (`Test\\w+`(?:, `Test\\w+`)*)").FindAllStringSubmatch(page(t, name), -1) {
			for _, test := range aTest.FindAllString(m[2], -1) {
				inPackages++
				if !there(m[1], test) {
					t.Errorf("%s: %s has no test %s", name, m[1], test)
				}
			}
		}
		if !slices.Contains(inOneLanguage, name) || name == "CHANGELOG.md" {
			continue // it is about other repositories, or about the past
		}
		for _, m := range place.FindAllStringSubmatch(page(t, name), -1) {
			text, err := os.ReadFile(filepath.Join(root, m[1]))
			receiver := ""
			if m[2] != "" {
				receiver = `\((?:\w+ )?\*?` + m[2] + `\) `
			}
			if err != nil || m[3] != "" && !regexp.MustCompile(`(?m)^func `+receiver+m[3]+`\(`).Match(text) {
				t.Errorf("%s: %s is not there", name, m[0])
			}
			if m[3] != "" {
				functions++
			}
		}
	}
	if namedTests < 50 || inPackages < 30 || functions < 30 {
		t.Errorf("only %d tests, %d of them with their package, and %d functions were found", namedTests, inPackages, functions)
	}
}

// The page explains all placeholders of the wordings, and no others.
func TestPhrasesPageExplainsEveryPlaceholder(t *testing.T) {
	find := func(pattern, text string) []string {
		var all []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			all = append(all, m[1])
		}
		return slices.Compact(slices.Sorted(slices.Values(all)))
	}
	used := ""
	for _, lang := range []string{"ja", "en"} {
		used += page(t, "bot/phrases/"+lang+".txt")
	}
	used = regexp.MustCompile(`(?m)^#.*$`).ReplaceAllString(used, "")
	if diff := gocmp.Diff(find(`\{([a-z]+)[}:]`, used), find("(?m)^\\| `\\{([a-z]+)[}:]", page(t, "docs/PHRASES.md"))); diff != "" {
		t.Errorf("the wordings use (-), the page explains (+): %s", diff)
	}
}

func TestReadmeExamplesAreUnderstoodAsDescribed(t *testing.T) {
	quoted := regexp.MustCompile(`「([^」]*)」|"([^"]*)"`)
	kinds := []string{"deploy", "unclear", "other", "status", "cancel", "lock", "help"}
	for name, begin := range map[string]string{"README.md": "## What it deploys on", "README.ja.md": "## デプロイするとき"} {
		_, text, _ := strings.Cut(page(t, name), begin)
		_, text, _ = strings.Cut(text, "\n|---|---|\n")
		table, _, _ := strings.Cut(text, "\n\n")
		lines := strings.Split(table, "\n")
		if len(lines) != len(kinds) {
			t.Fatalf("%s has %d rows of what is understood", name, len(lines))
		}
		for i, line := range lines {
			examples := quoted.FindAllStringSubmatch(line, -1)
			if len(examples) == 0 {
				t.Errorf("%s: no example: %s", name, line)
			}
			for _, m := range examples {
				in := words.Understand(markup.Parse(m[1]+m[2]), []deploy.Target{{Name: "app", Ref: "master"}}, nil)
				if got := cmp.Or(string(in.Doubt), string(in.Kind)); got != kinds[i] {
					t.Errorf("%s: %s is read as %q, not %q", name, m[0], got, kinds[i])
				}
			}
		}
	}
}

// A README begins with what psycher is, a picture, and the two commands. Its demo
// and its exit codes are those of the program.
func TestReadmesMatchTheProgram(t *testing.T) {
	opening := regexp.MustCompile("^# psycher\n\n(?:\\S.*\n){3}\n!\\[.+\\]\\(docs/images/survives\\.(?:en|ja)\\.gif\\)\n")
	demo := page(t, "internal/sandbox/demo/demo.go")
	for name, exits := range map[string]string{
		"README.md":    "78 if a setting is wrong or Slack refuses a token at start, where starting again does not help; 1 for everything else",
		"README.ja.md": "起動時に Slack がトークンを断ったら 78（起動し直しても 直りません）、それ以外は 1 です",
	} {
		readme := page(t, name)
		shown := regexp.MustCompile("(?m)^```sh\n((?:.+\n)+)```$").FindAllStringSubmatch(readme, -1)
		if !opening.MatchString(readme) || len(shown) != 2 || shown[0][1] != "go run ./cmd/psycher demo\n" || shown[1][1] != "go test ./...\n" {
			t.Errorf("%s begins otherwise, and shows the commands %q", name, shown)
		}
		if !strings.Contains(strings.Join(strings.Fields(readme), " "), exits) {
			t.Errorf("%s does not say %q", name, exits)
		}
		titles := regexp.MustCompile(`(?m)^── .+$`).FindAllString(readme, -1)
		if len(titles) != 3 || slices.ContainsFunc(titles, func(title string) bool { return !strings.Contains(demo, title) }) {
			t.Errorf("%s shows the scenes %q, the demo shows others", name, titles)
		}
	}
}
