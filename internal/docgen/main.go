// Command docgen writes the parts of the documents that the code decides: the
// settings, the phrases, the messages an operator may read, the words that it
// understands, the states and the packages.
//
//	go run ./internal/docgen
//
// Such a part is between "<!-- generated: NAME -->" and "<!-- end -->". What people
// write, such as what to do about a message, stays in its cell of a generated
// table; a new row has TODO there. The tests of this package fail if a page is not
// what docgen would write, has a TODO left, or names what does not exist.
package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	partBegin = "<!-- generated: "
	partEnd   = "<!-- end -->"
	todo      = "TODO"
	keep      = "\x00" // in a cell: what people wrote there is kept
)

// part makes one part of a page: lang is the page's language, now the part's present text.
type part func(lang, now string) (string, error)

func main() {
	fresh, err := generate(".")
	for name, text := range fresh {
		if err == nil {
			err = os.WriteFile(name, []byte(text), 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

// generate returns each page as it should be.
func generate(root string) (map[string]string, error) {
	parts, err := allParts(root)
	if err != nil {
		return nil, err
	}
	pages, used := map[string]string{}, map[string]bool{}
	for _, name := range pagesIn(root) {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, fmt.Errorf("reading a page: %w", err)
		}
		lang := "en"
		if strings.HasSuffix(name, ".ja.md") {
			lang = "ja"
		}
		if pages[name], err = fill(string(text), lang, parts, used); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	for name := range parts {
		if !used[name] {
			return nil, fmt.Errorf("no page has the part %q", name)
		}
	}
	return pages, nil
}

// fill makes the parts of one page.
func fill(text, lang string, parts map[string]part, used map[string]bool) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, partBegin)
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, rest, _ := strings.Cut(rest, " -->\n")
		now, after, closed := strings.Cut(rest, partEnd)
		if !closed || parts[name] == nil {
			return "", fmt.Errorf("the part %q has no end, or nothing generates it", name)
		}
		fresh, err := parts[name](lang, now)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		b.WriteString(partBegin + name + " -->\n" + fresh + partEnd)
		text, used[name] = after, true
	}
}

// pagesIn are all pages, by their path from the repository's root.
func pagesIn(root string) []string {
	var names []string
	for _, folder := range []string{"", "docs/"} {
		found, _ := filepath.Glob(filepath.Join(root, folder, "*.md")) // its only error is a malformed pattern
		for _, name := range found {
			names = append(names, folder+filepath.Base(name))
		}
	}
	return names
}

// merge puts fresh rows into a table. A row is identified by its first cell.
func merge(now string, rows [][]string) string {
	lines := strings.Split(strings.TrimSpace(now), "\n")
	known := map[string][]string{}
	for _, line := range lines[2:] {
		cells := strings.Split(strings.TrimSpace(strings.ReplaceAll(line, `\|`, "\x01")), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(strings.ReplaceAll(cells[i], "\x01", `\|`))
		}
		known[cells[1]] = cells[1:]
	}
	lines = lines[:2]
	for _, row := range rows {
		line := "|"
		for i, cell := range row {
			if cell == keep {
				cell = todo
				if was := known[row[0]]; i < len(was) {
					cell = was[i]
				}
			}
			line += strings.TrimRight(" "+cell, " ") + " |"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n") + "\n"
}

// inPlace sorts the first cells of rows as in the table, new ones last.
func inPlace(now string, keys []string) []string {
	place := func(key string) int {
		if i := strings.Index(now, "\n| "+key+" |"); i >= 0 {
			return i
		}
		return len(now)
	}
	return slices.SortedFunc(slices.Values(keys), func(a, b string) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(a, b))
	})
}

func code(s string) string { return "`" + strings.ReplaceAll(s, "|", `\|`) + "`" }

func codes(words []string) string { return "`" + strings.Join(words, "`, `") + "`" }
