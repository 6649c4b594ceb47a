package markup

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// withoutStruck takes ~struck-through~ words out of a text, leaving a space. It
// does not span lines, its marks stand at the ends of words, and it is no mark
// within code.
func withoutStruck(s string) string {
	if strings.Count(s, "~") < 2 {
		return s
	}
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		var out strings.Builder
		for at := 0; at < len(line); {
			n := 1
			switch line[at] {
			case '`':
				n = codeAt(line[at:])
			case '~':
				if n = struckAt(line, at); n > 1 {
					out.WriteByte(' ')
					at += n
					continue
				}
			}
			out.WriteString(line[at : at+n])
			at += n
		}
		lines[i] = out.String()
	}
	return strings.Join(lines, "\n")
}

// codeAt is the length of the code that a line begins with; 1 if it is a lone mark.
func codeAt(line string) int {
	if n := strings.IndexByte(line[1:], '`'); n > 0 {
		return n + 2
	}
	return 1
}

// struckAt is the length of what is struck through from a mark on; 1 if nothing is.
func struckAt(line string, from int) int {
	before, _ := utf8.DecodeLastRuneInString(line[:from])
	first, _ := utf8.DecodeRuneInString(line[from+1:])
	if wordRune(before) || from+1 == len(line) || unicode.IsSpace(first) || first == '~' {
		return 1
	}
	for at := from + 1; at < len(line); {
		switch line[at] {
		case '`':
			at += codeAt(line[at:])
			continue
		case '~':
			last, _ := utf8.DecodeLastRuneInString(line[:at])
			after, _ := utf8.DecodeRuneInString(line[at+1:])
			if !unicode.IsSpace(last) && !wordRune(after) {
				return at + 1 - from
			}
		}
		at++
	}
	return 1
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// withoutInlineCode takes `code` out of a text: it does not span lines.
func withoutInlineCode(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = withoutPairs(line, "`")
	}
	return strings.Join(lines, "\n")
}

// withoutPairs takes out what stands between two marks, leaving a space. A mark
// without its second is none.
func withoutPairs(s, mark string) string {
	var out strings.Builder
	for {
		before, rest, opened := strings.Cut(s, mark)
		_, after, closed := strings.Cut(rest, mark)
		if !opened || !closed {
			out.WriteString(s)
			return out.String()
		}
		out.WriteString(before)
		out.WriteByte(' ')
		s = after
	}
}

// withoutQuotes takes the quoted lines out of a message's plain text: those that
// begin with >, and all that follows >>>.
func withoutQuotes(s string) string {
	var kept []string
	for line := range strings.SplitSeq(s, "\n") {
		start := strings.ReplaceAll(strings.TrimSpace(line), "&gt;", ">")
		if strings.HasPrefix(start, ">>>") {
			break
		}
		if !strings.HasPrefix(start, ">") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}
