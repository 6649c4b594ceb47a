package web

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Lenient is a string of Slack's JSON that may also come as a number; anything
// else is the empty string.
type Lenient string

// UnmarshalJSON never fails.
func (l *Lenient) UnmarshalJSON(b []byte) error {
	*l = ""
	switch {
	case len(b) == 0:
	case b[0] == '"':
		if plain := b[1 : len(b)-1]; bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
			*l = Lenient(plain) // most are ids, which need no decoding
			break
		}
		var s string
		if json.Unmarshal(b, &s) == nil {
			*l = Lenient(s)
		}
	case b[0] == '-' || b[0] >= '0' && b[0] <= '9':
		*l = Lenient(b)
	}
	return nil
}

// IsID tells whether s is an id of Slack's: C..., U..., T....
func IsID(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// IsTimestamp tells whether s is a message's timestamp.
func IsTimestamp(s string) bool {
	sec, frac, _ := strings.Cut(s, ".")
	return isDigits(sec, 12) && isDigits(frac, 9)
}

func isDigits(s string, most int) bool {
	return s != "" && len(s) <= most && strings.Trim(s, "0123456789") == ""
}

// Shorten cuts a text to at most so many characters.
func Shorten(s string, most int) string {
	n := 0
	for i := range s {
		if n == most {
			return s[:i]
		}
		n++
	}
	return s
}
