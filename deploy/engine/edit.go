package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// An edit is judged by one question: does the message still ask for this?

// acceptEdit takes in an edit of a mention that has its record. It is acked only
// once what it changes is saved.
func (e *Engine) acceptEdit(ctx context.Context, m deploy.Mention) (ack bool) {
	_, err := e.change(ctx, m.Key, func(r deploy.Record) deploy.Record {
		if r.State == deploy.Accepted && !e.asks(r.Mention, "") { // its own words were not read yet
			if e.asks(m, "") {
				return r.Answer(deploy.Message{ID: deploy.MsgEditedIn})
			}
			return r
		}
		return r.Edit(e.asks(m, e.targetOf(r)))
	})
	return err == nil
}

// asks reports whether a message asks for a deploy: of that target, if one is
// given.
func (e *Engine) asks(m deploy.Mention, target string) bool {
	if m.Unnamed {
		return false
	}
	in := e.Reader.Read(m, e.Targets.In(m.Team, m.Channel))
	return in.Deploys() && (target == "" || in.Target == target)
}

// targetOf is the target that a record will deploy, or may still; empty: none.
func (e *Engine) targetOf(r deploy.Record) string {
	switch r.State {
	case deploy.Accepted:
		return e.Reader.Read(r.Mention, e.Targets.In(r.Mention.Team, r.Mention.Channel)).Target
	case deploy.Triggering, deploy.Waiting:
		return r.Deployment.Target
	}
	return ""
}

// rereadTimeout bounds how long a POST waits for Slack.
const rereadTimeout = 2 * time.Second

// withdrawn returns what becomes of a waiting record whose message no longer asks
// for it, and how the log calls that; nil: it still asks, or this is not known.
// Slack sends no event for an edit that takes the bot's name out, nor for a
// deletion: so the message is read again. Where the bot may not read, putting the
// reaction of waiting once more shows whether the message is there, if the record
// has that reaction and so takes it off later.
func (e *Engine) withdrawn(r deploy.Record) (withdraw func(deploy.Record) deploy.Record, name string) {
	ctx, cancel := context.WithTimeout(e.work, rereadTimeout)
	defer cancel()
	m, err := e.Slack.Reread(ctx, r.Mention)
	waiting := r.View().Reaction
	if err != nil && !errors.Is(err, ErrMentionGone) && slices.Contains(r.Reactions, waiting) {
		err = e.Slack.React(ctx, r.Mention.Key, waiting)
		m = r.Mention
	}
	switch {
	case errors.Is(err, ErrMentionGone):
		return deploy.Record.Gone, "mention-gone"
	// mutant: a message that is not read again before another POST
	case err == nil && m.Edited && !r.Mention.Edited && !e.asks(m, r.Deployment.Target):
		return func(r deploy.Record) deploy.Record { return r.Edit(false) }, "mention-edited"
	}
	return nil, ""
}
