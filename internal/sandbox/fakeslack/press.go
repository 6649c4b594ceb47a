package fakeslack

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Control is a button or a menu of a message.
type Control struct {
	Action  string // its action_id
	Label   string // a menu's is its placeholder
	Value   string
	Style   string   // "primary", "danger" or none
	URL     string   // where it leads; empty: it is pressed
	Choices []Choice // of a menu; none: a button
}

// Choice is what a menu lets a person choose.
type Choice struct{ Label, Value string }

// Controls is what a message has for people to press, in order.
func (m Message) Controls() (all []Control) {
	for _, c := range controls(m.Blocks) {
		k := Control{Action: c.Action, Label: c.Text.Text, Value: c.Value, Style: c.Style}
		if placeholder, ok := c.raw["placeholder"].(map[string]any); ok {
			k.Label, _ = placeholder["text"].(string)
		}
		k.URL, _ = c.raw["url"].(string)
		for _, o := range c.Options {
			k.Choices = append(k.Choices, Choice{o.Text.Text, o.Value})
		}
		all = append(all, k)
	}
	return all
}

// Paragraph is a paragraph of a message.
type Paragraph struct {
	Text  string
	Small bool // it is small and grey
}

// Shown is what people read of a message above its buttons.
func (m Message) Shown() string {
	var all []string
	for _, p := range m.Paragraphs() {
		all = append(all, p.Text)
	}
	return strings.Join(all, "\n")
}

// Paragraphs are those of a message's blocks, or else its text.
func (m Message) Paragraphs() (all []Paragraph) {
	var blocks []struct {
		Type     string
		Text     struct{ Text string }
		Elements []struct{ Text json.RawMessage }
	}
	if m.Bot != "" {
		_ = json.Unmarshal(m.Blocks, &blocks) // there may be none
	}
	for _, b := range blocks {
		switch b.Type {
		case "section":
			all = append(all, Paragraph{Text: b.Text.Text})
		case "context":
			for _, e := range b.Elements {
				p := Paragraph{Small: true}
				_ = json.Unmarshal(e.Text, &p.Text) // it was checked
				all = append(all, p)
			}
		}
	}
	if all == nil {
		return []Paragraph{{Text: m.Text}}
	}
	return all
}

// Press is one press of a button, or one choice from a menu. Slack sends it once, to
// one socket. Where it is not acked in time the person sees a warning sign.
type Press struct {
	User    string
	Channel string
	TS      string // of the message
	Action  string
	Value   string
	At      time.Time
	Socket  int       // that it was sent on; 0: on none
	AckedAt time.Time // zero: not
	Warned  bool      // the person saw the warning sign
}

// PressOption changes a press.
type PressOption func(p *pressing)

// pressing is a press that is being made.
type pressing struct {
	choice string
	value  *string
	team   string
	org    bool
	fields []func(payload map[string]any)
}

// Choosing chooses from a menu, by label or value.
func Choosing(choice string) PressOption { return func(p *pressing) { p.choice = choice } }

// WithValue presses a button with this value, whether or not the message has one: a
// button of an older version, or one that the person still sees.
func WithValue(value string) PressOption { return func(p *pressing) { p.value = &value } }

// PressedFrom makes the person one of another workspace, in a shared channel. Who
// has said something from there is so without this option.
func PressedFrom(team string) PressOption { return func(p *pressing) { p.team = team } }

// OrgInstall sends the press as to an app that is installed in a whole
// organisation: without a team.
func OrgInstall() PressOption { return func(p *pressing) { p.org = true } }

// WithField sets any field of the payload, named by its path ("user.team_id",
// "actions.0.value"), to anything; nil leaves it out.
func WithField(path string, value any) PressOption {
	return func(p *pressing) {
		p.fields = append(p.fields, func(payload map[string]any) { setField(payload, strings.Split(path, "."), value) })
	}
}

func setField(in any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	switch in := in.(type) {
	case []any:
		if i, err := strconv.Atoi(path[0]); err == nil && i < len(in) {
			in[i] = setField(in[i], path[1:], value)
		}
		return in
	case map[string]any:
		if in[path[0]] = setField(in[path[0]], path[1:], value); in[path[0]] == nil {
			delete(in, path[0])
		}
		return in
	default:
		return setField(make(map[string]any), path, value)
	}
}

// Press lets a person press a button of a message, or choose from a menu of it. It
// reports false if the person sees no such button or choice.
func (s *Slack) Press(user, channel, ts, action string, opts ...PressOption) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &pressing{team: s.cfg.Team}
	if team := s.users[user]; team != "" {
		p.team = team
	}
	for _, o := range opts {
		o(p)
	}
	m := s.open(channel).find(ts)
	if m == nil || m.Ephemeral != "" && m.Ephemeral != user {
		return false
	}
	pressed := p.find(controls(m.Blocks), action)
	if pressed == nil {
		return false
	}
	s.users[user] = p.team
	payload := s.blockActions(user, channel, m, p, pressed)
	for _, set := range p.fields {
		set(payload)
	}
	value, _ := pressed["value"].(string)
	if chosen, ok := pressed["selected_option"].(map[string]any); ok {
		value, _ = chosen["value"].(string)
	}
	a := &attempt{event: &event{kind: "interactive", channel: channel, ts: ts, payload: marshal(payload)}, extra: true}
	s.presses = append(s.presses, &sentPress{Press{User: user, Channel: channel, TS: ts, Action: action, Value: value, At: time.Now()}, a})
	s.tell()
	s.deliver(a)
	return true
}

// find makes the action of a press, without its time; nil: there is no such button.
func (p *pressing) find(all []control, action string) map[string]any {
	i := slices.IndexFunc(all, func(c control) bool { return c.Action == action })
	if p.value != nil {
		pressed := map[string]any{"type": "button", "action_id": action, "block_id": "b-old", "text": plainText("a button"), "value": *p.value}
		if i >= 0 {
			pressed["block_id"], pressed["text"] = all[i].Block, plainText(all[i].Text.Text)
		}
		return pressed
	}
	if i < 0 {
		return nil
	}
	c := all[i]
	pressed := map[string]any{"type": c.Type, "action_id": action, "block_id": c.Block}
	if c.Type == "button" {
		pressed["text"] = plainText(c.Text.Text)
		for _, name := range []string{"value", "style", "confirm"} {
			if v, ok := c.raw[name]; ok {
				pressed[name] = v
			}
		}
		return pressed
	}
	chosen := slices.IndexFunc(c.Options, func(o option) bool { return p.choice == o.Value || p.choice == o.Text.Text })
	if chosen < 0 {
		return nil
	}
	pressed["selected_option"] = map[string]any{"text": plainText(c.Options[chosen].Text.Text), "value": c.Options[chosen].Value}
	if v, ok := c.raw["placeholder"]; ok {
		pressed["placeholder"] = v
	}
	return pressed
}

func plainText(s string) map[string]any {
	return map[string]any{"type": "plain_text", "text": s, "emoji": true}
}

// blockActions is the payload of a press.
func (s *Slack) blockActions(user, channel string, m *Message, p *pressing, pressed map[string]any) map[string]any {
	pressed["action_ts"] = s.stamp()
	var team, org any = map[string]any{"id": s.cfg.Team, "domain": "example"}, nil
	if s.cfg.Org != "" {
		org = map[string]any{"id": s.cfg.Org, "name": "Example"}
	}
	if p.org {
		team = nil
	}
	container := map[string]any{"type": "message", "message_ts": m.TS, "channel_id": channel, "is_ephemeral": m.Ephemeral != ""}
	if m.Thread != "" {
		container["thread_ts"] = m.Thread
	}
	name := strings.ToLower(user)
	payload := map[string]any{
		"type": "block_actions", "api_app_id": s.cfg.App,
		"user":      map[string]any{"id": user, "username": name, "name": name, "team_id": p.team},
		"container": container, "channel": map[string]any{"id": channel, "name": strings.ToLower(channel)},
		"team": team, "enterprise": org, "is_enterprise_install": p.org,
		"trigger_id":   fmt.Sprintf("%d.%d.%016x%016x", s.rand.Uint64()>>20, s.rand.Uint64()>>20, s.rand.Uint64(), s.rand.Uint64()),
		"response_url": "https://hooks.slack.invalid/actions/" + s.cfg.Team + "/" + s.id("R"), // nobody is there
		"state":        map[string]any{"values": selected(controls(m.Blocks), pressed)},
		"actions":      []any{pressed},
	}
	if m.Ephemeral == "" { // Slack keeps no copy of the others
		payload["message"] = s.fields(channel, m)
	}
	return payload
}

// selected is what the menus of a message show.
func selected(all []control, pressed map[string]any) map[string]any {
	values := make(map[string]any)
	for _, c := range all {
		if c.Type != "static_select" {
			continue
		}
		var chosen any
		if c.Action == pressed["action_id"] {
			chosen = pressed["selected_option"]
		}
		in, _ := values[c.Block].(map[string]any)
		if in == nil {
			in = make(map[string]any)
			values[c.Block] = in
		}
		in[c.Action] = map[string]any{"type": c.Type, "selected_option": chosen}
	}
	return values
}

// sentPress is a press and its delivery.
type sentPress struct {
	Press
	attempt *attempt
}

// Presses is every press, oldest first.
func (s *Slack) Presses() []Press {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Press
	for _, p := range s.presses {
		made := p.Press
		for _, d := range p.attempt.given {
			if made.Socket == 0 {
				made.Socket = d.Socket
			}
			if !d.AckedAt.IsZero() && (made.AckedAt.IsZero() || d.AckedAt.Before(made.AckedAt)) {
				made.Socket, made.AckedAt = d.Socket, d.AckedAt
			}
		}
		end := made.AckedAt
		if end.IsZero() {
			end = time.Now()
		}
		made.Warned = end.Sub(made.At) > s.cfg.AckWithin || made.AckedAt.IsZero() && p.attempt.failed
		all = append(all, made)
	}
	return all
}

// Unacked is the presses that were not acked within 3 s: the person saw a warning
// sign. One whose time is not over yet is not among them.
func (s *Slack) Unacked() (all []Press) {
	for _, p := range s.Presses() {
		if p.Warned {
			all = append(all, p)
		}
	}
	return all
}
