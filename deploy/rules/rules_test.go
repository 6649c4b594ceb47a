package rules

import (
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

var posted = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// allowed is a request that no rule refuses.
func allowed() Context {
	return Context{
		Request:  deploy.Request{Key: deploy.Key{Team: "T1", Channel: "C1", TS: "1767323045.000000"}, By: deploy.Person{User: "U1"}, At: posted},
		Target:   deploy.Target{Name: "app", Allow: []string{"U1", "U2"}},
		Birth:    posted.Add(-time.Hour),
		SlackNow: posted.Add(time.Minute),
		MaxAge:   2 * time.Minute,
	}
}

func TestRulesRefuseAtTheStartAndAgainAtEveryTrigger(t *testing.T) {
	for name, row := range map[string]struct {
		change       func(*Context)
		start, again deploy.MessageID
	}{
		"nothing is wrong":                     {func(*Context) {}, "", ""},
		"the target has no list":               {func(c *Context) { c.Target.Allow, c.Request.By.User = nil, "U9" }, "", ""},
		"the person is of another workspace":   {func(c *Context) { c.Request.By.External = true }, deploy.MsgGuest, deploy.MsgGuest},
		"the person is not on the list":        {func(c *Context) { c.Request.By.User = "U9" }, deploy.MsgNotAllowed, deploy.MsgNotAllowed},
		"the list has nobody":                  {func(c *Context) { c.Target.Allow = []string{} }, deploy.MsgNotAllowed, deploy.MsgNotAllowed},
		"an edit asks for it":                  {func(c *Context) { c.Request.Edited = true }, deploy.MsgEditedIn, ""},
		"it is older than the store":           {func(c *Context) { c.Birth = posted.Add(time.Second) }, deploy.MsgForgotten, ""},
		"it is as old as the store":            {func(c *Context) { c.Birth = posted }, "", ""},
		"it is as old as it may be":            {func(c *Context) { c.SlackNow = posted.Add(2 * time.Minute) }, "", ""},
		"it is too old":                        {func(c *Context) { c.SlackNow = posted.Add(2*time.Minute + time.Second) }, deploy.MsgTooLate, ""},
		"its time cannot be read":              {func(c *Context) { c.Request.At = time.Time{} }, deploy.MsgForgotten, ""},
		"it is an edit by an external person":  {func(c *Context) { c.Request.Edited, c.Request.By.External = true, true }, deploy.MsgGuest, deploy.MsgGuest},
		"it is old, of somebody not on a list": {func(c *Context) { c.SlackNow, c.Request.By.User = posted.Add(time.Hour), "U9" }, deploy.MsgNotAllowed, deploy.MsgNotAllowed},
	} {
		c := allowed()
		row.change(&c)
		if got := Judge(c); got != row.start {
			t.Errorf("%s: at the start %q, want %q", name, got, row.start)
		}
		if got := JudgeAgain(c); got != row.again {
			t.Errorf("%s: at a trigger %q, want %q", name, got, row.again)
		}
	}
}
