package targets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// unwrapJSON returns the map's JSON, well-formed, whether it came plain or inside
// a JSON string.
//
//docgen:messages settings
func unwrapJSON(data []byte) (plain []byte, problem string) {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, "is empty"
	}
	if problem := syntaxProblem(data); problem != "" {
		return nil, problem
	}
	c := cursor{data: data}
	if c.peek() != '"' {
		return data, ""
	}
	inner := []byte(c.text())
	if problem := syntaxProblem(inner); problem != "" {
		return nil, problem + " of the JSON inside the string"
	}
	return inner, ""
}

// syntaxProblem says where JSON breaks off. encoding/json's own words quote the
// character, which may be a token's.
//
//docgen:messages settings
func syntaxProblem(data []byte) string {
	var syntax *json.SyntaxError
	if err := json.Unmarshal(data, new(json.RawMessage)); !errors.As(err, &syntax) {
		return ""
	}
	before := data[:min(max(int(syntax.Offset)-1, 0), len(data))]
	line := bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("is not JSON: look at line %d, column %d", line+1, column)
}

// cursor walks JSON that is known to be well-formed. encoding/json keeps
// neither the place of a key nor that it is there twice, and its Decoder,
// which does, takes four times as long for a large map.
type cursor struct {
	data []byte
	at   int
}

// peek returns the first byte of what comes next.
func (c *cursor) peek() byte {
	for c.at < len(c.data) {
		switch b := c.data[c.at]; b {
		case ' ', '\t', '\r', '\n', ',', ':':
			c.at++
		default:
			return b
		}
	}
	return 0
}

// text reads a string: a key or a value.
func (c *cursor) text() string {
	raw := c.raw()
	if plain := raw[1 : len(raw)-1]; bytes.IndexByte(plain, '\\') < 0 {
		return string(plain)
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "\uFFFD" // which is no part of any name or value
	}
	return s
}

// value reads any value: a string, a json.Number, or what encoding/json makes of it.
func (c *cursor) value() any {
	switch b := c.peek(); {
	case b == '"':
		return c.text()
	case b == '-' || '0' <= b && b <= '9':
		return json.Number(c.raw())
	}
	var v any
	if err := json.Unmarshal(c.raw(), &v); err != nil {
		return nil
	}
	return v
}

// raw reads the next value and returns its bytes.
func (c *cursor) raw() []byte {
	first := c.peek()
	start, depth := c.at, 0
	for c.at < len(c.data) {
		switch b := c.data[c.at]; b {
		case '"':
			c.at++
			for c.data[c.at] != '"' {
				if c.data[c.at] == '\\' {
					c.at++
				}
				c.at++
			}
			if first == '"' {
				c.at++
				return c.data[start:c.at]
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth < 0 {
				return c.data[start:c.at]
			}
			if depth == 0 {
				c.at++
				return c.data[start:c.at]
			}
		case ' ', '\t', '\r', '\n', ',':
			if depth == 0 {
				return c.data[start:c.at]
			}
		}
		c.at++
	}
	return c.data[start:c.at]
}
