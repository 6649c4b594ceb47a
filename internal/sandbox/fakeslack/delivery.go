package fakeslack

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// Delivery is one envelope on one socket.
type Delivery struct {
	Envelope string
	Event    string // event_id: the same at each retry; a press has none
	Channel  string
	TS       string
	Attempt  int // 0, then retry_attempt 1 to 3
	Socket   int
	At       time.Time
	AckedAt  time.Time // on that socket; zero: not
	Late     bool      // acked when Slack had already given it up for a retry
}

// traffic is what goes over the sockets.
type traffic struct {
	sockets    []*socket // alive, in the order of opening
	opened     int       // the number of the newest socket
	picked     int       // the number of the socket that got the last envelope
	opens      int
	queue      int // frames that may wait for a slow reader
	tickets    map[string]bool
	endings    []Ending
	frames     int
	ignored    int
	stray      int
	deliveries []*Delivery
	envelopes  map[string]*attempt
	events     []*event
	waiting    []*attempt // without a socket, or paused
	paused     bool
	broadcast  bool
	lost       []string
	presses    []*sentPress
}

// event is what happened, to be delivered until it is acked; a press, once.
type event struct {
	kind            string // of its envelope; empty: events_api
	id, channel, ts string
	payload         json.RawMessage
	tried           int
	acked           bool
}

// attempt is one try to deliver an event.
type attempt struct {
	event   *event
	n       int
	extra   bool // a press, or not one of Slack's own: no retry comes of it
	settled bool // acked, or given up
	failed  bool
	on      []*socket
	given   []*Delivery
}

// Deliveries is every envelope that was sent, oldest first.
func (s *Slack) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Delivery, len(s.deliveries))
	for i, d := range s.deliveries {
		all[i] = *d
	}
	return all
}

// StrayAcks counts the acks that came on another socket than the envelope's, or
// for an envelope that does not exist. They have no effect.
func (s *Slack) StrayAcks() int { return get(s, func() int { return s.stray }) }

// Lost are the ts of the messages whose events were given up after the last retry.
func (s *Slack) Lost() []string { return get(s, func() []string { return slices.Clone(s.lost) }) }

// Redeliver delivers the newest event of a message again, in a new envelope, acked
// or not; it reports whether there is one.
func (s *Slack) Redeliver(channel, ts string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range slices.Backward(s.events) {
		if e.channel == channel && e.ts == ts {
			s.deliver(&attempt{event: e, n: max(e.tried, 1), extra: true})
			return true
		}
	}
	return false
}

// Deliver makes another event of a message as it is now, with options for that
// event alone, such as the event for another workspace that has the app.
func (s *Slack) Deliver(channel, ts string, opts ...Option) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.open(channel).find(ts)
	if m == nil {
		return
	}
	again := *m
	again.extra, again.outer = maps.Clone(m.extra), maps.Clone(m.outer)
	for _, o := range opts {
		o(s, &again)
	}
	s.mentioned(channel, &again)
}

// Broadcast sends each envelope to every socket. Slack does not do that, but a bot
// must cope with it.
func (s *Slack) Broadcast(on bool) { s.set(func() { s.broadcast = on }) }

// PauseDeliveries holds envelopes back, or sends them.
func (s *Slack) PauseDeliveries(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = on
	s.deliverWaiting()
}

// DeliverBackwards sends what was held back, the newest first, with a gap.
func (s *Slack) DeliverBackwards(gap time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = false
	waiting := s.waiting
	s.waiting = nil
	slices.Reverse(waiting)
	for i, a := range waiting {
		s.after(time.Duration(i)*gap, func() { s.deliver(a) })
	}
}

// mentioned makes an event of a message that mentions the bot, if the bot is in the channel.
func (s *Slack) mentioned(channel string, m *Message) {
	names := strings.Contains(m.Text, "<@"+s.cfg.Bot+">") || strings.Contains(m.Text, "<@"+s.cfg.Bot+"|")
	if r := s.open(channel); !names || r.left || r.archived {
		return
	}
	e := &event{id: s.id("Ev"), channel: channel, ts: m.TS}
	inner := s.fields(channel, m)
	inner["type"], inner["channel"], inner["event_ts"] = "app_mention", channel, m.TS
	if m.Edited != "" {
		inner["event_ts"] = m.Edited
	}
	var org any
	if s.cfg.Org != "" {
		org = s.cfg.Org
	}
	outer := map[string]any{
		"token": "verification-test", "type": "event_callback", "api_app_id": s.cfg.App,
		"team_id": m.Team, "context_team_id": s.cfg.Team, "context_enterprise_id": org,
		"event": inner, "event_id": e.id, "event_time": s.now().Unix(),
		"authorizations":        []any{map[string]any{"enterprise_id": org, "team_id": s.cfg.Team, "user_id": s.cfg.Bot, "is_bot": true, "is_enterprise_install": false}},
		"is_ext_shared_channel": m.Team != s.cfg.Team, "event_context": "4-" + e.id,
	}
	maps.Copy(outer, m.outer)
	maps.DeleteFunc(outer, func(name string, v any) bool {
		_, set := m.outer[name]
		return set && v == nil
	})
	e.payload = marshal(outer)
	s.events = append(s.events, e)
	s.deliver(&attempt{event: e})
}

// RateLimit tells the app that it has more events than Slack delivers. That is an
// event of its own kind, about no message.
func (s *Slack) RateLimit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &event{id: s.id("Ev"), payload: marshal(map[string]any{
		"token": "verification-test", "type": "app_rate_limited", "team_id": s.cfg.Team, "api_app_id": s.cfg.App,
		"minute_rate_limited": s.now().Truncate(time.Minute).Unix(),
	})}
	s.events = append(s.events, e)
	s.deliver(&attempt{event: e})
}

// deliver sends an envelope to the socket whose turn it is. If there is none, it
// waits as long as an ack may take.
func (s *Slack) deliver(a *attempt) {
	a.event.tried = max(a.event.tried, a.n)
	if s.paused {
		s.waiting = append(s.waiting, a)
		return
	}
	to := s.turn()
	if len(to) == 0 {
		s.waiting = append(s.waiting, a)
		s.after(s.cfg.AckWithin, func() {
			if len(a.on) == 0 {
				s.fail(a)
			}
		})
		return
	}
	envelope := s.uuid()
	s.envelopes[envelope] = a
	body := map[string]any{"envelope_id": envelope, "type": a.event.kind, "payload": a.event.payload, "accepts_response_payload": true}
	if a.event.kind == "" {
		body["type"], body["accepts_response_payload"] = "events_api", false
		body["retry_attempt"], body["retry_reason"] = a.n, ""
		if a.n > 0 {
			body["retry_reason"] = "timeout"
		}
	}
	for _, k := range to {
		d := &Delivery{Envelope: envelope, Event: a.event.id, Channel: a.event.channel, TS: a.event.ts, Attempt: a.n, Socket: k.n, At: time.Now()}
		s.deliveries = append(s.deliveries, d)
		a.on, a.given = append(a.on, k), append(a.given, d)
	}
	for _, k := range to {
		s.push(k, frame{data: marshal(body)})
	}
	s.after(s.cfg.AckWithin, func() { s.fail(a) })
	s.tell()
}

// turn returns the sockets that get the next envelope: one, or all.
func (s *Slack) turn() []*socket {
	var open []*socket
	for _, k := range s.sockets {
		if k.greeted && !k.ended {
			open = append(open, k)
		}
	}
	if len(open) == 0 || s.broadcast {
		return open
	}
	next := max(slices.IndexFunc(open, func(k *socket) bool { return k.n > s.picked }), 0)
	s.picked = open[next].n
	return open[next : next+1]
}

func (s *Slack) deliverWaiting() {
	if s.paused {
		return
	}
	waiting := s.waiting
	s.waiting = nil
	for _, a := range waiting {
		if !a.settled {
			s.deliver(a)
		}
	}
}

func (s *Slack) ack(k *socket, envelope string) {
	a := s.envelopes[envelope]
	i := -1
	if a != nil {
		i = slices.Index(a.on, k)
	}
	if i < 0 {
		s.stray++
		s.tell()
		return
	}
	if d := a.given[i]; d.AckedAt.IsZero() {
		d.AckedAt, d.Late = time.Now(), a.failed
	}
	if !a.settled {
		a.settled, a.event.acked = true, true
	}
	s.tell()
}

// lose gives up the attempts that were only on a socket that has ended.
func (s *Slack) lose(gone *socket) {
	for _, d := range s.deliveries {
		a := s.envelopes[d.Envelope]
		if d.Socket == gone.n && !a.settled && !slices.ContainsFunc(a.on, func(k *socket) bool { return !k.ended }) {
			s.fail(a)
		}
	}
}

// fail schedules the retry of an attempt that nobody acked.
func (s *Slack) fail(a *attempt) {
	if a.settled {
		return
	}
	a.settled, a.failed = true, true
	s.waiting = slices.DeleteFunc(s.waiting, func(w *attempt) bool { return w == a })
	switch {
	case a.extra || a.event.acked:
		s.tell()
	case a.n < len(s.cfg.Retries):
		s.after(s.cfg.Retries[a.n], func() { s.deliver(&attempt{event: a.event, n: a.n + 1}) })
	default:
		s.lost = append(s.lost, a.event.ts)
		s.tell()
	}
}

func marshal(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a test has put something into an event that JSON cannot encode
	}
	return b
}
