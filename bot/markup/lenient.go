package markup

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// Lenient is a string of Slack's JSON that may also come as a number; anything
// else is the empty string.
type Lenient string

// UnmarshalJSON never fails.
func (l *Lenient) UnmarshalJSON(b []byte) error {
	*l = ""
	switch {
	case b[0] == '"':
		if plain := b[1 : len(b)-1]; bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
			*l = Lenient(plain) // most are ids, which need no decoding
			break
		}
		return json.Unmarshal(b, (*string)(l))
	case b[0] == '-' || b[0] >= '0' && b[0] <= '9':
		*l = Lenient(b)
	}
	return nil
}

// Closed is a Lenient that tells an unreadable value from an absent one: the
// unreadable one is "?", which is on no list.
type Closed string

// UnmarshalJSON never fails.
func (c *Closed) UnmarshalJSON(b []byte) error {
	err := (*Lenient)(c).UnmarshalJSON(b)
	if *c == "" && string(b) != "null" && string(b) != `""` {
		*c = "?"
	}
	return err
}

// Present reports whether a field has a value other than null and false.
func Present(raw json.RawMessage) bool {
	return len(raw) > 0 && string(raw) != "null" && string(raw) != "false"
}

// Shorten keeps the first characters of s.
func Shorten(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}
