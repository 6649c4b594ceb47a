package main

import (
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

var root = filepath.Join("..", "..")

func TestMarkersAndMutantsMatch(t *testing.T) {
	marked, err := findMarkers(root)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for _, m := range mutants() {
		rows[m.name]++
		if len(marked[m.name]) != 1 {
			t.Errorf("the code has the comment “mutant: %s” %d times, not once", m.name, len(marked[m.name]))
		}
	}
	for name, at := range marked {
		if rows[name] != 1 {
			t.Errorf("%s:%d marks %q, which %d rows of the list name, not one", at[0].path, at[0].line, name, rows[name])
		}
	}
}

func TestEachMutantParses(t *testing.T) {
	marked, err := findMarkers(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants() {
		path, text, edits, err := m.edits(marked)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		changed := apply(text, edits)
		if changed == text {
			t.Errorf("%s: it changes nothing in %s", m.name, path)
		}
		if filepath.Ext(path) != ".go" {
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), path, changed, parser.SkipObjectResolution); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}

// Mutants that change different code are built together.
func TestEachMutantBuilds(t *testing.T) {
	marked, err := findMarkers(root)
	if err != nil {
		t.Fatal(err)
	}
	for left := mutants(); len(left) > 0; {
		texts, all := map[string]string{}, map[string][]edit{}
		busy := map[marker]bool{}
		var later []mutant
		for _, m := range left {
			path, text, edits, err := m.edits(marked)
			if err != nil {
				t.Fatalf("%s: %v", m.name, err)
			}
			at := marked[m.name][0]
			if busy[at] || overlap(all[path], edits) {
				later = append(later, m)
				continue
			}
			busy[at] = true
			texts[path] = text
			all[path] = append(all[path], edits...)
		}
		left = later
		for path, edits := range all {
			slices.SortStableFunc(edits, func(a, b edit) int { return a.from - b.from })
			texts[path] = apply(texts[path], edits)
		}
		overlay, err := writeOverlay(t.TempDir(), texts)
		if err != nil {
			t.Fatal(err)
		}
		c := exec.Command("go", "build", "-gcflags=-e", "-overlay", overlay, "./bot/...", "./cmd/...", "./dedupe/...", "./deploy/...", "./gitlab/...")
		c.Dir = root
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

func overlap(some, others []edit) bool {
	for _, a := range some {
		for _, b := range others {
			if a.from < b.to && b.from < a.to {
				return true
			}
		}
	}
	return false
}
