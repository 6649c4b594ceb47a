package fakeslack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Call is one call of the Web API.
type Call struct {
	Method string
	Form   url.Values // without the token
	At     time.Time
	Answer string // "ok", an error, a status such as "429", "cut" or "hang"; empty while there is none
	Done   bool   // it took effect, whatever was answered
}

// CallLog is every call of a method, oldest first; of all methods for "".
func (s *Slack) CallLog(method string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.calls), func(c Call) bool { return method != "" && c.Method != method })
}

// Calls counts the calls of a method, whatever their result.
func (s *Slack) Calls(method string) int { return len(s.CallLog(method)) }

// answer is the body of an answer, without "ok".
type answer = map[string]any

// method is a method of the Web API. It returns an answer, or an error code and what
// the answer says besides.
type method struct {
	app       bool   // takes the app's token, not the bot's
	scope     string // what it needs
	perMinute int    // its tier
	do        func(s *Slack, c call) (answer, string)
}

// call is what a method is called with.
type call struct {
	url.Values
	host, token string
}

func methods() map[string]method {
	return map[string]method{
		"apps.connections.open": {app: true, scope: "connections:write", perMinute: 50, do: (*Slack).openConnection},
		"auth.test":             {perMinute: 300, do: (*Slack).authTest},
		"chat.postMessage":      {scope: "chat:write", perMinute: 300, do: (*Slack).postMessage},
		"chat.postEphemeral":    {scope: "chat:write", perMinute: 100, do: (*Slack).postEphemeral},
		"chat.update":           {scope: "chat:write", perMinute: 50, do: (*Slack).update},
		"reactions.add":         {scope: "reactions:write", perMinute: 50, do: (*Slack).addReaction},
		"reactions.remove":      {scope: "reactions:write", perMinute: 20, do: (*Slack).removeReaction},
		"reactions.get":         {scope: "reactions:read", perMinute: 50, do: (*Slack).getReactions},
		"conversations.replies": {scope: "channels:history", perMinute: 50, do: (*Slack).replies},
		"conversations.history": {scope: "channels:history", perMinute: 50, do: (*Slack).channelHistory},
		"conversations.info":    {scope: "channels:read", perMinute: 50, do: (*Slack).channelInfo},
		"users.info":            {scope: "users:read", perMinute: 100, do: (*Slack).userInfo},
		"usergroups.list":       {scope: "usergroups:read", perMinute: 20, do: (*Slack).userGroups},
		"usergroups.users.list": {scope: "usergroups:read", perMinute: 20, do: (*Slack).groupMembers},
	}
}

// scopes is what a token may do.
func (s *Slack) scopes(app bool) string {
	all := []string{"app_mentions:read", "chat:write", "reactions:write", "reactions:read", "channels:history", "groups:history", "channels:read", "groups:read", "users:read", "usergroups:read"}
	if app {
		all = []string{"connections:write"}
	}
	return strings.Join(slices.DeleteFunc(all, func(scope string) bool { return s.revoked[scope] }), ",")
}

// serveMethod takes the mutex itself.
func (s *Slack) serveMethod(w http.ResponseWriter, r *http.Request, name string) {
	c, err := readCall(r)
	if err != nil {
		http.Error(w, `{"ok":false,"error":"invalid_form_data"}`, http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	s.running.Add(1)
	defer s.running.Done()
	i := len(s.calls)
	s.calls = append(s.calls, Call{Method: name, Form: c.Values, At: time.Now()})
	f, failing := s.fault(name)
	s.tell()
	s.mu.Unlock()

	if failing && f.Delay > 0 && !s.sleep(r.Context(), f.Delay) {
		panic(http.ErrAbortHandler)
	}
	body, status, said := []byte(f.Body), f.Status, ""
	s.mu.Lock()
	if !failing || f.Do || (!f.Cut && !f.Hang && f.Status == 0) {
		var header http.Header
		var b answer
		b, said, header = s.call(name, c)
		s.calls[i].Done = said == "ok"
		if f.Status == 0 {
			body, status, f.Header = marshal(b), http.StatusOK, header
			if wait := header.Get("Retry-After"); wait != "" {
				status = http.StatusTooManyRequests
			}
		}
	}
	switch {
	case f.Cut:
		said = "cut"
	case f.Hang:
		said = "hang"
	case f.Status != 0:
		said = fmt.Sprint(f.Status)
	}
	s.calls[i].Answer = said
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	w.Header().Set("X-OAuth-Scopes", s.scopes(s.methods[name].app))
	s.tell()
	s.mu.Unlock()

	if f.Hang {
		s.sleep(r.Context(), math.MaxInt64)
	}
	if f.Cut || f.Hang {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	for k, v := range f.Header {
		w.Header()[k] = v
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// sleep waits without the mutex. It reports false if the client or Slack went.
func (s *Slack) sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-s.done:
	}
	return false
}

// call does a call as Slack would: token, scope, rate, and then the method.
func (s *Slack) call(name string, c call) (body answer, said string, header http.Header) {
	refuse := func(code string) (answer, string, http.Header) {
		return answer{"ok": false, "error": code}, code, nil
	}
	m, known := s.methods[name]
	if private(c.Get("channel")) {
		m.scope = strings.Replace(m.scope, "channels:", "groups:", 1)
	}
	switch {
	case !known:
		return refuse("unknown_method")
	case c.token == "":
		return refuse("not_authed")
	case c.token != s.cfg.AppToken && c.token != s.cfg.BotToken:
		return refuse("invalid_auth")
	case m.app != (c.token == s.cfg.AppToken):
		return refuse("not_allowed_token_type")
	case s.revoked[m.scope]:
		b, said, h := refuse("missing_scope")
		b["needed"], b["provided"] = m.scope, s.scopes(m.app)
		return b, said, h
	}
	if wait := s.limit(name, c.Get("channel"), m.perMinute); wait > 0 {
		b, said, _ := refuse("ratelimited")
		return b, said, RateLimited(wait).Header
	}
	b, code := m.do(s, c)
	if code != "" {
		refused, said, h := refuse(code)
		maps.Copy(refused, b)
		return refused, said, h
	}
	b["ok"] = true
	return b, "ok", nil
}

// readCall reads a form or JSON. Its values are without the token.
func readCall(r *http.Request) (call, error) {
	c := call{Values: url.Values{}, host: r.Host}
	header, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/json" {
		var fields map[string]json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&fields); err != nil && err != io.EOF { // slack-go sends nothing as JSON
			return call{}, fmt.Errorf("read the body: %w", err)
		}
		for k, v := range fields {
			var text string
			if json.Unmarshal(v, &text) != nil {
				text = string(v)
			}
			c.Set(k, text)
		}
		c.token = header // JSON takes the token in the header only
	} else {
		if err := r.ParseMultipartForm(1 << 20); err != nil && !errors.Is(err, http.ErrNotMultipart) {
			return call{}, fmt.Errorf("read the form: %w", err)
		}
		c.Values = r.Form
		c.token = cmp.Or(header, c.Get("token"))
	}
	c.Del("token")
	return c, nil
}
