package sandbox

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/width"
)

// A line of a screen is this wide at most, and only so many of the newest lines are
// rewritten: what is further up may be out of sight.
const (
	columns = 78
	reach   = 20
)

// screen is a terminal on which a message that changes is rewritten where it is.
type screen struct {
	out    io.Writer
	last   map[string][]string // the rows of each block, by its name
	blocks []string            // the names of those that can be rewritten, in their order
}

// has reports whether a block was written.
func (s *screen) has(name string) bool { return s.last[name] != nil }

// write writes the lines of a block, in place of those that it had.
func (s *screen) write(name string, lines []string) {
	var rows []string
	for _, line := range lines {
		rows = append(rows, wrap(line)...)
	}
	if was, known := s.last[name]; known && slices.Equal(was, rows) {
		return
	}
	i, up := slices.Index(s.blocks, name), 0
	for _, other := range s.blocks[max(i, 0):] {
		up += len(s.last[other])
	}
	if i >= 0 && up <= reach {
		fmt.Fprintf(s.out, "\x1b[%dA\r\x1b[J", up)
	} else {
		s.blocks = append(slices.DeleteFunc(s.blocks, func(other string) bool { return other == name }), name)
		i = len(s.blocks) - 1
	}
	s.last[name] = rows
	for _, other := range s.blocks[i:] {
		fmt.Fprintln(s.out, strings.Join(s.last[other], "\n"))
	}
}

// typed notes a line that a person has typed below everything else.
func (s *screen) typed(line string) {
	name := fmt.Sprint("typed ", len(s.last))
	s.blocks = append(s.blocks, name)
	s.last[name] = wrap(line)
}

// wrap breaks a line where the screen ends, but no word. What closes a sentence may
// hang over.
func wrap(line string) (rows []string) {
	margin := ""
	if strings.HasPrefix(line, " ") {
		margin = inMessage
	}
	row, column, escape := "", 0, byte(0)
	cut, at, before := 0, 0, rune(0) // where the row can be broken, in bytes and in columns
	for i, r := range line {
		switch {
		case r == '\x1b':
			escape = line[i+1]
		case escape == ']' && r == '\a', escape == '[' && r == 'm': // the end of a link's address, of a style
			escape = 0
		case escape == 0:
			if (before == ' ' || columnsOf(before)+columnsOf(r) > 2) && !strings.ContainsRune("（「", before) &&
				!strings.ContainsRune(closing, r) && strings.TrimSpace(row) != "" {
				cut, at = len(row), column
			}
			if over := column + columnsOf(r) - columns; over > 2 || over > 0 && !strings.ContainsRune(closing, r) {
				if cut == 0 { // a word longer than a row
					cut, at = len(row), column
				}
				rows = append(rows, row[:cut])
				row, column, cut = margin+row[cut:], len(margin)+column-at, 0
			}
			column += columnsOf(r)
			before = r
		}
		row += string(r)
	}
	return append(rows, row)
}

// closing is what no row begins with.
const closing = "。、）」！？ "

// columnsOf is how wide a character is.
func columnsOf(r rune) int {
	if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
		return 2
	}
	return 1
}
