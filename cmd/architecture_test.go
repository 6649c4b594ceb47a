package cmd

import (
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const architecture = "docs/ARCHITECTURE.md"

var codePlace = regexp.MustCompile("`([a-z_0-9]+/[a-z/_0-9]+\\.(?:go|sh))(?::(?:(\\w+)\\.)?(\\w+))?`")

func TestArchitectureNamesPlacesThatAreThere(t *testing.T) {
	named := 0
	for _, m := range codePlace.FindAllStringSubmatch(page(t, architecture), -1) {
		file, of, name := m[1], m[2], m[3]
		text, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Errorf("%s: %v", m[0], err)
			continue
		}
		if name == "" {
			continue
		}
		named++
		receiver := ""
		if of != "" {
			receiver = `\((?:\w+ )?\*?` + of + `\) `
		}
		if !regexp.MustCompile(`(?m)^func ` + receiver + name + `\(`).Match(text) {
			t.Errorf("%s is not there", m[0])
		}
	}
	if named < 30 {
		t.Errorf("only %d places are named by function", named)
	}
}

func TestArchitectureDrawsEveryImport(t *testing.T) {
	folders := []string{"cmd", "bot", "gitlab", "dedupe", "deploy", "internal/sandbox"}
	var want []string
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join("..", folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range file.Imports {
				imported, err := strconv.Unquote(i.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				imported, ours := strings.CutPrefix(imported, "github.com/getto-systems/psycher/")
				if ours && (imported == "examples" || slices.Contains(folders, imported)) {
					want = append(want, path.Base(folder)+" --> "+path.Base(imported))
				}
			}
		}
	}
	slices.Sort(want)
	_, diagram, _ := strings.Cut(page(t, architecture), "\nflowchart TD\n")
	diagram, _, _ = strings.Cut(diagram, "```")
	got := regexp.MustCompile(`\w+ --> \w+`).FindAllString(diagram, -1)
	slices.Sort(got)
	if diff := cmp.Diff(slices.Compact(want), got); diff != "" {
		t.Error("imports (-) and arrows (+):", diff)
	}
}

func TestArchitectureHasAReasonForEachDependency(t *testing.T) {
	direct, _, _ := strings.Cut(after(t, page(t, "go.mod"), "require (", "\nrequire ("), "\n)")
	var want []string
	for line := range strings.Lines(direct) {
		want = append(want, strings.Fields(line)[0])
	}
	_, table, _ := strings.Cut(page(t, architecture), "\n## Dependencies\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var got []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^|]+ \\|").FindAllStringSubmatch(table, -1) {
		got = append(got, m[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("go.mod (-) and the table (+):", diff)
	}
}
