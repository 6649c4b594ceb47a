package fakeslack

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Message is one message, as people see it.
type Message struct {
	TS        string
	Thread    string // the ts of the thread it is a reply in; empty at top level
	User      string
	Bot       string // the bot id of who posted it; empty: a person
	Team      string // the author's workspace
	Text      string // as Slack keeps it: escaped, with links
	Blocks    json.RawMessage
	Metadata  json.RawMessage
	Edited    string   // when it was last edited
	Edits     int      // how often
	Ephemeral string   // the only user who sees it
	Reactions []string // in the order of adding

	clientID string
	extra    map[string]any // fields of its events
	outer    map[string]any // fields of what its events come in
}

// room is a channel.
type room struct {
	id             string
	messages       []*Message // by ts
	left, archived bool
}

func (r *room) find(ts string) *Message {
	for _, m := range r.messages {
		if m.TS == ts {
			return m
		}
	}
	return nil
}

// posted is find among the messages that everybody sees.
func (r *room) posted(ts string) *Message {
	if m := r.find(ts); m != nil && m.Ephemeral == "" {
		return m
	}
	return nil
}

func (r *room) add(m *Message) {
	i, _ := slices.BinarySearchFunc(r.messages, m.TS, func(m *Message, ts string) int { return byTime(m.TS, ts) })
	r.messages = slices.Insert(r.messages, i, m)
}

// byTime compares two ts; those of a bubble, in the year 2000, have a digit less.
func byTime(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) }

// Option is a property of a message that is posted.
type Option func(s *Slack, m *Message)

// InThread makes it a reply.
func InThread(ts string) Option { return func(_ *Slack, m *Message) { m.Thread = ts } }

// AsBot posts it as another bot.
func AsBot(id string) Option { return func(_ *Slack, m *Message) { m.Bot = id } }

// FromTeam posts it from another workspace, in a shared channel.
func FromTeam(team string) Option { return func(_ *Slack, m *Message) { m.Team = team } }

// At sets its ts, for a mention that comes late.
func At(ts string) Option { return func(_ *Slack, m *Message) { m.TS = ts } }

// WithBlocks sets the blocks, which are otherwise made from the text.
func WithBlocks(blocks string) Option {
	return func(_ *Slack, m *Message) { m.Blocks = json.RawMessage(blocks) }
}

// WithFile shares a file with it.
func WithFile(name string) Option {
	return func(s *Slack, m *Message) {
		m.extra["subtype"], m.extra["upload"], m.extra["display_as_bot"] = "file_share", false, false
		m.extra["files"] = []any{map[string]any{"id": s.id("F"), "name": name, "title": name, "mode": "hosted", "size": 42}}
	}
}

// With sets a field of the event to anything; nil leaves it out.
func With(field string, value any) Option {
	return func(_ *Slack, m *Message) { m.extra[field] = value }
}

// WithOuter sets a field of what the event comes in to anything; nil leaves it out.
func WithOuter(field string, value any) Option {
	return func(_ *Slack, m *Message) { m.outer[field] = value }
}

// Say posts a user's message in a channel, which is created if needed. The text is
// as typed, with people, channels and groups in Slack's form (<@U123>, <#C123>,
// <!here>): everything else is escaped and linked as Slack does. A mention of the
// bot is delivered.
func (s *Slack) Say(user, channel, text string, opts ...Option) (ts string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &Message{User: user, Team: s.cfg.Team, clientID: s.uuid(), extra: make(map[string]any), outer: make(map[string]any)}
	m.Text, m.Blocks = compose(text)
	for _, o := range opts {
		o(s, m)
	}
	if m.TS == "" {
		m.TS = s.stamp()
	}
	s.used[m.TS] = true
	s.users[user] = m.Team
	s.open(channel).add(m)
	s.tell()
	s.mentioned(channel, m)
	return m.TS
}

// Edit lets the author change a message; it reports whether there is one.
func (s *Slack) Edit(channel, ts, text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.open(channel).find(ts)
	if m == nil {
		return false
	}
	m.Text, m.Blocks = compose(text)
	m.Edited, m.Edits = s.stamp(), m.Edits+1
	s.tell()
	s.mentioned(channel, m)
	return true
}

// Delete deletes a message.
func (s *Slack) Delete(channel, ts string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.open(channel)
	r.messages = slices.DeleteFunc(r.messages, func(m *Message) bool { return m.TS == ts })
	s.tell()
}

// Join adds the bot to a channel, which is created if needed.
func (s *Slack) Join(channel string) { s.change(channel, func(r *room) { r.left = false }) }

// Leave removes the bot from a channel.
func (s *Slack) Leave(channel string) { s.change(channel, func(r *room) { r.left = true }) }

// Archive archives a channel.
func (s *Slack) Archive(channel string) { s.change(channel, func(r *room) { r.archived = true }) }

func (s *Slack) change(channel string, how func(*room)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how(s.open(channel))
	s.tell()
}

// Channel returns the messages at the top level of a channel, oldest first.
func (s *Slack) Channel(channel string) []Message {
	return s.see(channel, func(m *Message) bool { return m.Thread == "" && m.Ephemeral == "" })
}

// Thread returns the replies to a message, oldest first, without the message itself.
func (s *Slack) Thread(channel, ts string) []Message {
	return s.see(channel, func(m *Message) bool { return m.Thread == ts && m.Ephemeral == "" })
}

// Ephemerals returns the messages that only this user sees, in the channel and in
// its threads, oldest first.
func (s *Slack) Ephemerals(channel, user string) []Message {
	return s.see(channel, func(m *Message) bool { return m.Ephemeral == user && user != "" })
}

// Reactions returns the reactions on a message, in the order of adding.
func (s *Slack) Reactions(channel, ts string) []string {
	for _, m := range s.see(channel, func(m *Message) bool { return m.TS == ts }) {
		return m.Reactions
	}
	return nil
}

func (s *Slack) see(channel string, which func(*Message) bool) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var seen []Message
	if r := s.rooms[channel]; r != nil {
		for _, m := range r.messages {
			if which(m) {
				c := *m
				c.Reactions = slices.Clone(m.Reactions)
				seen = append(seen, c)
			}
		}
	}
	return seen
}

func (s *Slack) open(channel string) *room {
	if s.rooms[channel] == nil {
		s.rooms[channel] = &room{id: channel}
	}
	return s.rooms[channel]
}

// fields is a message as Slack sends it, in events and in answers.
func (s *Slack) fields(channel string, m *Message) map[string]any {
	f := map[string]any{"type": "message", "user": m.User, "text": m.Text, "ts": m.TS, "team": m.Team}
	if len(m.Blocks) > 0 {
		f["blocks"] = m.Blocks
	}
	if m.Thread != "" {
		f["thread_ts"] = m.Thread
		if parent := s.open(channel).find(m.Thread); parent != nil {
			f["parent_user_id"] = parent.User
		}
	}
	if m.Edited != "" {
		f["edited"] = map[string]any{"user": m.User, "ts": m.Edited}
	}
	if m.Team != s.cfg.Team {
		f["user_team"], f["source_team"] = m.Team, m.Team
	}
	switch {
	case m.Bot != "":
		app := "A" + m.Bot
		if m.Bot == s.cfg.BotID {
			app = s.cfg.App
		}
		f["bot_id"], f["app_id"] = m.Bot, app
		f["bot_profile"] = map[string]any{"id": m.Bot, "app_id": app, "name": "a bot", "deleted": false, "updated": 1700000000, "team_id": m.Team}
		if m.User == "" {
			delete(f, "user")
			f["subtype"], f["username"] = "bot_message", "a bot"
		}
	case m.extra["files"] == nil:
		f["client_msg_id"] = m.clientID
	}
	maps.Copy(f, m.extra)
	maps.DeleteFunc(f, func(_ string, v any) bool { return v == nil })
	return f
}
