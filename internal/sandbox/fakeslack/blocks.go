package fakeslack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"unicode/utf8"
)

// Block Kit, as far as the bot may use it. It is a list of what is allowed: any
// other block, element or field is refused, as Slack refuses what it does not know.
// The limits are Slack's: docs.slack.dev/reference/block-kit.
const (
	maxBlocks  = 50
	maxID      = 255   // characters of a block_id, an action_id
	maxSection = 3_000 // of a section's text
	maxContext = 2_000 // of a text in a context: it is not documented, and others count on no more
)

// shape is the fields that an object may have.
type shape map[string]field

type field struct {
	required bool
	check    func(c *checker, at string, value any)
}

func must(check func(*checker, string, any)) field { return field{true, check} }

func may(check func(*checker, string, any)) field { return field{false, check} }

var (
	blockShapes = map[string]shape{
		"section": {"text": must(text(maxSection, "mrkdwn", "plain_text")), "block_id": may(id("block_id")), "expand": may(boolean)},
		"context": {"elements": must(list(10, kindOf(contextShapes))), "block_id": may(id("block_id"))},
		"actions": {"elements": must(list(25, kindOf(elementShapes))), "block_id": may(id("block_id"))},
		"divider": {"block_id": may(id("block_id"))},
	}
	contextShapes = map[string]shape{"mrkdwn": mrkdwn(maxContext), "plain_text": plain(maxContext)}
	elementShapes = map[string]shape{
		"button": {
			"text": must(text(75, "plain_text")), "action_id": may(id("action_id")), "value": may(characters(2000)),
			"style": may(oneOf("primary", "danger")), "url": may(webPage), "confirm": may(object(confirmShape)),
			"accessibility_label": may(characters(75)),
		},
		"static_select": {
			"placeholder": may(text(150, "plain_text")), "action_id": may(id("action_id")),
			"options": must(list(100, object(optionShape))), "confirm": may(object(confirmShape)),
		},
	}
	optionShape  = shape{"text": must(text(75, "plain_text")), "value": must(characters(150))}
	confirmShape = shape{
		"title": must(text(100, "plain_text")), "text": must(text(300, "plain_text")),
		"confirm": must(text(30, "plain_text")), "deny": must(text(30, "plain_text")), "style": may(oneOf("primary", "danger")),
	}
)

func mrkdwn(limit int) shape {
	return shape{"text": must(characters(limit)), "verbatim": may(boolean)}
}

func plain(limit int) shape {
	return shape{"text": must(characters(limit)), "emoji": may(boolean)}
}

// checker collects what is wrong with blocks, in Slack's words.
type checker struct {
	problems []string
	taken    map[string]bool // ids, by their field's name
}

// CheckBlocks returns the blocks of a message, or what is wrong with them.
func CheckBlocks(blocks string) (all []map[string]any, code string, problems []string) {
	if json.Unmarshal([]byte(blocks), &all) != nil || slices.ContainsFunc(all, func(b map[string]any) bool { return b == nil }) {
		return nil, "invalid_blocks_format", nil
	}
	c := &checker{taken: make(map[string]bool)}
	if len(all) > maxBlocks {
		c.say("/blocks", "no more than %d items allowed", maxBlocks)
	}
	for i, b := range all {
		kindOf(blockShapes)(c, fmt.Sprintf("/blocks/%d", i), b)
	}
	if c.problems != nil {
		return nil, "invalid_blocks", c.problems
	}
	return all, "", nil
}

// keepBlocks returns the blocks as Slack keeps them, each with a block_id.
func (s *Slack) keepBlocks(blocks string) (kept json.RawMessage, code string, problems []string) {
	if s.noBlocks != "" {
		return nil, s.noBlocks, nil
	}
	all, code, problems := CheckBlocks(blocks)
	if code != "" {
		return nil, code, problems
	}
	for _, b := range all {
		if b["block_id"] == nil {
			b["block_id"] = s.id("b")
		}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(all); err != nil {
		panic(err) // it was JSON a moment ago
	}
	return bytes.TrimSpace(out.Bytes()), "", nil
}

func (c *checker) say(at, format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...)+" [json-pointer:"+at+"]")
}

// fields checks that an object has what it must have and nothing that it may not.
func (c *checker) fields(at string, o map[string]any, known shape) {
	for _, name := range slices.Sorted(maps.Keys(known)) {
		switch value, given := o[name]; {
		case given:
			known[name].check(c, at+"/"+name, value)
		case known[name].required:
			c.say(at, "missing required field: %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if _, ok := known[name]; !ok && name != "type" {
			c.say(at, "invalid additional property: %s", name)
		}
	}
}

// object checks an object without a type.
func object(known shape) func(*checker, string, any) {
	return func(c *checker, at string, value any) {
		o, ok := value.(map[string]any)
		if !ok {
			c.say(at, "must be an object")
			return
		}
		if _, given := o["type"]; given {
			c.say(at, "invalid additional property: type")
		}
		c.fields(at, o, known)
	}
}

// kindOf checks an object whose type says which fields it may have.
func kindOf(known map[string]shape) func(*checker, string, any) {
	return func(c *checker, at string, value any) {
		o, ok := value.(map[string]any)
		if !ok {
			c.say(at, "must be an object")
			return
		}
		kind, _ := o["type"].(string)
		fields, ok := known[kind]
		switch {
		case kind == "":
			c.say(at, "missing required field: type")
		case !ok:
			c.say(at+"/type", "unsupported type: %s", kind)
		default:
			c.fields(at, o, fields)
		}
	}
}

// text checks a text object of one of some types.
func text(limit int, kinds ...string) func(*checker, string, any) {
	known := map[string]shape{"mrkdwn": mrkdwn(limit), "plain_text": plain(limit)}
	maps.DeleteFunc(known, func(kind string, _ shape) bool { return !slices.Contains(kinds, kind) })
	return kindOf(known)
}

// characters checks a string of at least one character.
func characters(limit int) func(*checker, string, any) {
	return func(c *checker, at string, value any) {
		switch s, ok := value.(string); {
		case !ok:
			c.say(at, "must be a string")
		case s == "":
			c.say(at, "must be more than 0 characters")
		case utf8.RuneCountInString(s) > limit:
			c.say(at, "must be less than %d characters", limit+1)
		}
	}
}

// id checks an id that the message may have once. Slack asks that of an action_id
// only within its block.
func id(name string) func(*checker, string, any) {
	return func(c *checker, at string, value any) {
		characters(maxID)(c, at, value)
		key := fmt.Sprint(name, " ", value)
		if c.taken[key] {
			c.say(at, "`%s` %q already exists", name, value)
		}
		c.taken[key] = true
	}
}

func oneOf(values ...string) func(*checker, string, any) {
	return func(c *checker, at string, value any) {
		if s, _ := value.(string); !slices.Contains(values, s) {
			c.say(at, "must be a valid enum value")
		}
	}
}

// webPage checks the address of a page.
func webPage(c *checker, at string, value any) {
	characters(3000)(c, at, value)
	s, _ := value.(string)
	if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		c.say(at, "must be a valid url")
	}
}

func boolean(c *checker, at string, value any) {
	if _, ok := value.(bool); !ok {
		c.say(at, "must be a boolean")
	}
}

func list(limit int, item func(*checker, string, any)) func(*checker, string, any) {
	return func(c *checker, at string, value any) {
		all, ok := value.([]any)
		switch {
		case !ok:
			c.say(at, "must be an array")
		case len(all) == 0:
			c.say(at, "no fewer than 1 items allowed")
		case len(all) > limit:
			c.say(at, "no more than %d items allowed", limit)
		}
		for i, v := range all {
			item(c, fmt.Sprintf("%s/%d", at, i), v)
		}
	}
}

// control is an element that a person can press, in its block.
type control struct {
	Block   string
	Type    string
	Action  string `json:"action_id"`
	Text    struct{ Text string }
	Value   string
	Style   string
	Options []option
	raw     map[string]any // as the bot sent it
}

type option struct {
	Text  struct{ Text string }
	Value string
}

// controls are what a message's blocks let a person press.
func controls(blocks json.RawMessage) (all []control) {
	var known []struct {
		ID       string `json:"block_id"`
		Type     string
		Elements []json.RawMessage
	}
	_ = json.Unmarshal(blocks, &known) // there may be none
	for _, b := range known {
		if b.Type != "actions" {
			continue
		}
		for _, raw := range b.Elements {
			c := control{Block: b.ID}
			if json.Unmarshal(raw, &c) == nil && json.Unmarshal(raw, &c.raw) == nil {
				all = append(all, c)
			}
		}
	}
	return all
}
