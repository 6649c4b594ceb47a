// Package pages tests that the commands in the sh blocks of README.md and
// docs/*.md work: make docs runs them.
//
// README.md is run in the tree itself. Each page of docs is run in a copy of the
// tree of its own, block after block, with a project "app" beside it and
// stand-ins of Slack and GitLab in place of the real ones: their addresses replace
// those that the page shows. A comment on the line before a block is for the test:
//
//	<!-- ci: sees WORDS -->       the block prints WORDS within half a minute
//	<!-- ci: goes on -->          it runs until the page ends: SIGTERM, then exit 0
//	<!-- ci: fills .env -->       (dotenv) its names get the stand-ins' values in .env
//	<!-- ci: is said in Slack --> (text) the mention is made, and deploys
//
// A command that no test can run is not in an sh block. Pages in Japanese are not
// run: they show the same commands.
package pages

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var root = filepath.Join("..", "..")

// block is a fenced block of a page.
type block struct {
	note string // for the test
	tag  string
	text string
}

var (
	fenced     = regexp.MustCompile("(?m)(?:^<!-- ci: (.*) -->\n)?^```(.*)\n((?s:.*?))^```$")
	otherShell = regexp.MustCompile(`^(bash|shell|console|zsh|shell-session|fish)$`)
	joined     = regexp.MustCompile(`\\\n\s*`)
)

func blocksOf(t *testing.T, page string) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	for _, found := range fenced.FindAllStringSubmatch(string(text), -1) {
		all = append(all, block{note: found[1], tag: found[2], text: found[3]})
	}
	return all
}

// commands are a block's, each on a line.
func (b block) commands() []string {
	var all []string
	for line := range strings.Lines(joined.ReplaceAllString(b.text, " ")) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
		if line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return all
}

func commandsOf(t *testing.T, page string) []string {
	t.Helper()
	var all []string
	for _, b := range blocksOf(t, page) {
		if b.tag == "sh" {
			all = append(all, b.commands()...)
		}
	}
	return all
}

// pages are README.md and those of docs, in English.
func pages(t *testing.T) []string {
	t.Helper()
	docs, err := fs.Glob(os.DirFS(root), "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	docs = slices.DeleteFunc(docs, func(page string) bool { return strings.HasSuffix(page, ".ja.md") })
	return append([]string{"README.md"}, docs...)
}

func TestCommandsAreInBlocksTaggedSh(t *testing.T) {
	for _, page := range pages(t) {
		for _, b := range blocksOf(t, page) {
			if otherShell.MatchString(b.tag) {
				t.Errorf("%s: the block of a command is tagged sh, not %s:\n%s", page, b.tag, b.text)
			}
		}
	}
	if len(commandsOf(t, "README.md")) == 0 {
		t.Error("README.md shows no command in an sh block")
	}
}

func TestPagesInJapaneseShowTheSameCommands(t *testing.T) {
	for _, page := range pages(t) {
		japanese := strings.TrimSuffix(page, ".md") + ".ja.md"
		if _, err := os.Stat(filepath.Join(root, japanese)); err != nil {
			continue
		}
		if diff := cmp.Diff(commandsOf(t, page), commandsOf(t, japanese)); diff != "" {
			t.Errorf("%s and %s show different commands (-English +Japanese):\n%s", page, japanese, diff)
		}
	}
}

func TestReadmesTestCommandIsThatOfMake(t *testing.T) {
	makefile := read(t, "Makefile")
	tests := slices.DeleteFunc(commandsOf(t, "README.md"), func(line string) bool {
		return !strings.HasPrefix(line, "go test ") || !strings.HasSuffix(line, " ./...")
	})
	if len(tests) == 0 {
		t.Fatal("README.md shows no go test ./...")
	}
	if !regexp.MustCompile(`(?m)^test:.*\n\t` + regexp.QuoteMeta(tests[0]) + `$`).MatchString(makefile) {
		t.Errorf("make test does not run %q, as README.md does", tests[0])
	}
}

func TestPagesNameTargetsThatMakeHas(t *testing.T) {
	makefile := read(t, "Makefile")
	named := 0
	for _, page := range pages(t) {
		for _, found := range regexp.MustCompile("`make ([a-z]+)`").FindAllStringSubmatch(read(t, page), -1) {
			named++
			if !strings.Contains(makefile, "\n"+found[1]+":") {
				t.Errorf("%s: there is no target %s", page, found[1])
			}
		}
	}
	if named == 0 {
		t.Error("no page names a target")
	}
}

func TestGitLabRunsTheStepsOfCI(t *testing.T) {
	steps := regexp.MustCompile(`(?m)^steps=\((.*)\)$`).FindStringSubmatch(read(t, ".ci/run"))
	jobs := regexp.MustCompile(`(?m)^ *- TARGET: \[(.*)\]$`).FindStringSubmatch(read(t, ".gitlab-ci.yml"))
	if steps == nil || jobs == nil {
		t.Fatal(".ci/run has no steps=(...), or .gitlab-ci.yml no TARGET: [...]")
	}
	if diff := cmp.Diff(strings.Fields(steps[1]), strings.Split(jobs[1], ", ")); diff != "" {
		t.Errorf("-.ci/run +.gitlab-ci.yml:\n%s", diff)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
