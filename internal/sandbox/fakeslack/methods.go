package fakeslack

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Slack's limits.
const (
	maxText      = 40_000 // characters of a post; the rest is cut off
	maxEdit      = 4_000  // of an edit; a longer one is refused
	maxReactions = 23     // of one person on one message
)

var (
	emojiName = regexp.MustCompile(`^[a-z0-9_+'-]+(::skin-tone-[2-6])?$`)
	timestamp = regexp.MustCompile(`^\d+\.\d{6}$`)
)

func (s *Slack) openConnection(c call) (answer, string) {
	base := "ws://" + c.host
	if s.cfg.URL != "" {
		base = "ws" + strings.TrimSuffix(strings.TrimPrefix(s.cfg.URL, "http"), "/")
	}
	ticket := s.uuid()
	s.tickets[ticket] = true
	s.opens++
	return answer{"url": base + "/link?ticket=" + ticket + "&app_id=" + s.cfg.App}, ""
}

func (s *Slack) authTest(call) (answer, string) {
	a := answer{
		"url": "https://example.slack.com/", "team": "Example", "team_id": s.cfg.Team, "user": "psycher",
		"user_id": s.cfg.Bot, "bot_id": s.cfg.BotID, "app_id": s.cfg.App, "is_enterprise_install": false,
	}
	if s.cfg.Org != "" {
		a["enterprise_id"] = s.cfg.Org
	}
	return a, ""
}

func (s *Slack) postMessage(c call) (answer, string) {
	r, code := s.writable(c.Get("channel"))
	if code != "" {
		return nil, code
	}
	m := &Message{User: s.cfg.Bot, Bot: s.cfg.BotID, Team: s.cfg.Team, Thread: c.Get("thread_ts")}
	if more, code := s.fill(m, c, maxText); code != "" {
		return more, code
	}
	if m.Thread != "" {
		switch parent := r.posted(m.Thread); {
		case s.noReply != "":
			return nil, s.noReply
		case parent == nil:
			return nil, "thread_not_found"
		case parent.Thread != "":
			return nil, "cannot_reply_to_message"
		}
	}
	m.TS = s.stamp()
	r.add(m)
	return answer{"channel": r.id, "ts": m.TS, "message": s.fields(r.id, m)}, ""
}

func (s *Slack) postEphemeral(c call) (answer, string) {
	r, code := s.writable(c.Get("channel"))
	if code != "" {
		return nil, code
	}
	m := &Message{User: s.cfg.Bot, Bot: s.cfg.BotID, Team: s.cfg.Team, Thread: c.Get("thread_ts"), Ephemeral: c.Get("user")}
	if s.users[m.Ephemeral] == "" {
		return nil, "user_not_in_channel"
	}
	if more, code := s.fill(m, c, maxText); code != "" {
		return more, code
	}
	m.TS = s.stamp()
	r.add(m)
	return answer{"message_ts": m.TS}, ""
}

// update edits a message. Text alone removes the blocks; neither keeps both.
func (s *Slack) update(c call) (answer, string) {
	r, code := s.writable(c.Get("channel"))
	if code != "" {
		return nil, code
	}
	m := r.posted(c.Get("ts"))
	switch {
	case m == nil:
		return nil, "message_not_found"
	case m.Bot != s.cfg.BotID:
		return nil, "cant_update_message"
	case utf8.RuneCountInString(c.Get("text")) > maxEdit:
		return nil, "msg_too_long"
	}
	next := *m
	keep := c.Get("text") == "" && c.Get("blocks") == "" && (c.Get("metadata") != "" || c.Get("attachments") != "")
	if keep {
		c.Set("text", m.Text)
	}
	if more, code := s.fill(&next, c, maxEdit); code != "" {
		return more, code
	}
	if keep {
		next.Blocks = m.Blocks
	}
	next.Edited, next.Edits = s.stamp(), m.Edits+1
	*m = next
	return answer{"channel": r.id, "ts": m.TS, "text": m.Text, "message": s.fields(r.id, m)}, ""
}

// fill sets text, blocks and metadata from a call; without metadata the old one is
// kept. more is what Slack says besides the code.
func (s *Slack) fill(m *Message, c call, limit int) (more answer, code string) {
	text, blocks, metadata := c.Get("text"), c.Get("blocks"), c.Get("metadata")
	if r := []rune(text); len(r) > limit {
		text = string(r[:limit])
	}
	if blocks == "[]" || blocks == "null" {
		blocks = ""
	}
	var kept json.RawMessage
	if blocks != "" {
		var problems []string
		if kept, code, problems = s.keepBlocks(blocks); code != "" {
			return refusal(problems), code
		}
	}
	if text == "" && blocks == "" && c.Get("attachments") == "" {
		return nil, "no_text"
	}
	m.Text, m.Blocks = text, kept
	if metadata != "" {
		var known struct {
			EventType string          `json:"event_type"`
			Payload   json.RawMessage `json:"event_payload"`
		}
		if json.Unmarshal([]byte(metadata), &known) != nil || known.EventType == "" || known.Payload == nil {
			return nil, "invalid_metadata_format"
		}
		m.Metadata = json.RawMessage(metadata)
	}
	return nil, ""
}

// refusal is how an answer names what is wrong with blocks.
func refusal(problems []string) answer {
	if problems == nil {
		return nil
	}
	messages := make([]string, len(problems))
	for i, p := range problems {
		messages[i] = "[ERROR] " + p
	}
	return answer{"errors": problems, "response_metadata": answer{"messages": messages}}
}

func (s *Slack) addReaction(c call) (answer, string) {
	m, name, code := s.reaction(c)
	switch {
	case code != "":
		return nil, code
	case slices.Contains(m.Reactions, name):
		return nil, "already_reacted"
	case len(m.Reactions) >= maxReactions:
		return nil, "too_many_reactions"
	}
	m.Reactions = append(m.Reactions, name)
	return answer{}, ""
}

func (s *Slack) removeReaction(c call) (answer, string) {
	m, name, code := s.reaction(c)
	if code != "" {
		return nil, code
	}
	i := slices.Index(m.Reactions, name)
	if i < 0 {
		return nil, "no_reaction"
	}
	m.Reactions = slices.Delete(m.Reactions, i, i+1)
	return answer{}, ""
}

func (s *Slack) reaction(c call) (m *Message, name, code string) {
	r, code := s.writable(c.Get("channel"))
	if code != "" {
		return nil, "", code
	}
	ts, name := c.Get("timestamp"), c.Get("name")
	switch {
	case ts == "":
		return nil, "", "no_item_specified"
	case !timestamp.MatchString(ts):
		return nil, "", "bad_timestamp"
	case !emojiName.MatchString(name):
		return nil, "", "invalid_name"
	}
	m = r.posted(ts)
	if m == nil {
		return nil, "", "message_not_found"
	}
	return m, name, ""
}

func (s *Slack) getReactions(c call) (answer, string) {
	r, code := s.readable(c.Get("channel"))
	if code != "" {
		return nil, code
	}
	m := r.posted(c.Get("timestamp"))
	if m == nil {
		return nil, "message_not_found"
	}
	return answer{"type": "message", "channel": r.id, "message": s.history(r.id, m, false)}, ""
}

func (s *Slack) replies(c call) (answer, string) {
	r, code := s.readable(c.Get("channel"))
	if code != "" {
		return nil, code
	}
	ts := c.Get("ts")
	parent := r.posted(ts)
	if parent == nil {
		return nil, "thread_not_found"
	}
	thread := threadOf(parent)
	return s.page(r, c, func(m *Message) bool { return m.TS == thread || m.Thread == thread && !outside(m, c) }), ""
}

// channelHistory returns the messages in the channel itself, newest first.
func (s *Slack) channelHistory(c call) (answer, string) {
	r, code := s.readable(c.Get("channel"))
	if code != "" {
		return nil, code
	}
	backwards := *r
	backwards.messages = slices.Clone(r.messages)
	slices.Reverse(backwards.messages)
	return s.page(&backwards, c, func(m *Message) bool { return m.Thread == "" && !outside(m, c) }), ""
}

// outside reports whether a message is not between oldest and latest.
func outside(m *Message, c call) bool {
	least := 1
	if c.Get("inclusive") == "true" || c.Get("inclusive") == "1" {
		least = 0
	}
	return c.Get("oldest") != "" && byTime(m.TS, c.Get("oldest")) < least || c.Get("latest") != "" && byTime(c.Get("latest"), m.TS) < least
}

// page is the part of the messages that a cursor and a limit ask for.
func (s *Slack) page(r *room, c call, which func(*Message) bool) answer {
	metadata := c.Get("include_all_metadata") == "true" || c.Get("include_all_metadata") == "1"
	var all []any
	for _, m := range r.messages {
		if m.Ephemeral == "" && which(m) {
			all = append(all, s.history(r.id, m, metadata))
		}
	}
	limit, err := strconv.Atoi(c.Get("limit"))
	if err != nil || limit <= 0 || limit > 1000 {
		limit = 1000
	}
	from, _ := strconv.Atoi(strings.TrimPrefix(c.Get("cursor"), "next:"))
	from = min(max(from, 0), len(all))
	to := min(from+limit, len(all))
	more, next := to < len(all), ""
	if more {
		next = "next:" + strconv.Itoa(to)
	}
	return answer{"messages": all[from:to], "has_more": more, "response_metadata": answer{"next_cursor": next}}
}

// threadOf is the ts of the thread that a message is in or begins.
func threadOf(m *Message) string {
	if m.Thread != "" {
		return m.Thread
	}
	return m.TS
}

// history is a message as the reading methods return it.
func (s *Slack) history(channel string, m *Message, metadata bool) answer {
	f := s.fields(channel, m)
	if metadata && m.Metadata != nil {
		f["metadata"] = m.Metadata
	}
	var reactions []any
	for _, name := range m.Reactions {
		reactions = append(reactions, answer{"name": name, "users": []string{s.cfg.Bot}, "count": 1})
	}
	if reactions != nil {
		f["reactions"] = reactions
	}
	replies := 0
	for _, o := range s.open(channel).messages {
		if o.Thread == m.TS && o.Ephemeral == "" {
			replies++
		}
	}
	if replies > 0 {
		f["thread_ts"], f["reply_count"] = m.TS, replies
	}
	return f
}

func (s *Slack) channelInfo(c call) (answer, string) {
	r := s.rooms[c.Get("channel")]
	if r == nil || r.left && private(r.id) {
		return nil, "channel_not_found"
	}
	return answer{"channel": answer{
		"id": r.id, "name": strings.ToLower(r.id), "is_channel": true, "is_group": false, "is_im": false, "is_mpim": false,
		"is_private": private(r.id), "is_member": !r.left, "is_archived": r.archived,
		"is_shared": false, "is_ext_shared": false, "context_team_id": s.cfg.Team,
	}}, ""
}

func (s *Slack) userInfo(c call) (answer, string) {
	id := c.Get("user")
	team := s.users[id]
	if team == "" {
		return nil, "user_not_found"
	}
	return answer{"user": answer{
		"id": id, "team_id": team, "name": strings.ToLower(id), "real_name": id, "deleted": false, "tz": "Asia/Tokyo",
		"is_bot": id == s.cfg.Bot, "is_restricted": false, "is_stranger": team != s.cfg.Team,
		"profile": answer{"display_name": strings.ToLower(id), "real_name": id, "team": team},
	}}, ""
}

// group is a user group.
type group struct {
	handle  string
	members []string
}

// Group makes a user group, or changes it; one without members is disabled, as Slack
// has it.
func (s *Slack) Group(id, handle string, members ...string) {
	s.set(func() { s.teams[id] = group{handle, members} })
}

func (s *Slack) userGroups(call) (answer, string) {
	all := []answer{}
	for _, id := range slices.Sorted(maps.Keys(s.teams)) {
		all = append(all, answer{"id": id, "team_id": s.cfg.Team, "is_usergroup": true, "handle": s.teams[id].handle, "is_external": false, "date_delete": 0})
	}
	return answer{"usergroups": all}, ""
}

func (s *Slack) groupMembers(c call) (answer, string) {
	g, ok := s.teams[c.Get("usergroup")]
	if !ok {
		return nil, "no_such_subteam"
	}
	return answer{"users": append([]string{}, g.members...)}, ""
}

func (s *Slack) writable(channel string) (r *room, code string) {
	r, code = s.readable(channel)
	if code == "" && r.archived {
		return nil, "is_archived"
	}
	return r, code
}

func (s *Slack) readable(channel string) (r *room, code string) {
	r = s.rooms[channel]
	switch {
	case r == nil, r.left && private(channel):
		return nil, "channel_not_found"
	case r.left:
		return nil, "not_in_channel"
	}
	return r, ""
}

// private reports whether a channel is private, by the form that ids of such once had.
func private(channel string) bool { return strings.HasPrefix(channel, "G") }
