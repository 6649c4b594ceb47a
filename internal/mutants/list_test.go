package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a mutant replaces stands once in its file: else it would break nothing.
func TestEachMutantBreaksWhatIsThere(t *testing.T) {
	for _, m := range mutants() {
		text, err := os.ReadFile(filepath.Join("..", "..", m.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), m.old); n != 1 {
			t.Errorf("%s: %q stands %d times in %s", m.name, m.old, n, m.file)
		}
	}
}
