package sim_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// carriers are the ways in which Slack sends the words of a message.
func carriers() map[string][]fakeslack.Option {
	return map[string][]fakeslack.Option{"in blocks": nil, "as text alone": {fakeslack.With("blocks", nil)}}
}

const third = "U0THIRD"

// asked is a question, and the mention that it answers.
type asked struct {
	*sim.World
	ts       string
	question fakeslack.Message
}

// press presses a button of the question, as it was when it was posted.
func (a asked) press(user string, n int) { press(a.World, user, sim.Channel, a.question, n) }

// reported is a call of the first version's scripts for the mention.
func (a asked) reported(result string) { a.Notify("a", result, sim.Channel, a.ts) }

// askedStates are the states that a record comes to from a question: how, what the
// mention shows then, and what is told to somebody who presses a button.
type askedState struct {
	name     string
	settings []string
	reach    func(t *testing.T, a asked)
	shows    []deploy.MessageID
	reaction string // on the mention, with spaces between
	told     deploy.MessageID
	posts    int  // triggers of GitLab in all
	passing  bool // it does not stay so
}

func askedStates() []askedState {
	deploys := func(gitlab ...fakegitlab.Fault) func(t *testing.T, a asked) {
		return func(_ *testing.T, a asked) {
			for _, f := range gitlab {
				a.GitLab.Answer(1, f)
			}
			a.press(second, 0)
		}
	}
	ends := func(result string) func(t *testing.T, a asked) {
		return func(_ *testing.T, a asked) {
			a.press(second, 0)
			a.WaitReactions(sim.Channel, a.ts, "thumbsup")
			a.reported(result)
		}
	}
	limited := fakegitlab.Fault{Status: 429, Header: map[string]string{"Retry-After": "200"}}
	return []askedState{
		{
			name: "pressed, and not yet taken", reach: func(_ *testing.T, a asked) {
				a.GitLab.Answer(8, fakegitlab.Fault{Make: 1, Delay: time.Hour, Status: 201})
				for range 8 { // as many as one project may have
					a.Ask("release")
				}
				time.Sleep(time.Second)
				a.press(second, 0)
			},
			shows: []deploy.MessageID{deploy.MsgStatusStarting}, reaction: "thinking_face", told: deploy.MsgPressedBefore, passing: true,
		},
		{
			name: "triggering", reach: deploys(fakegitlab.Fault{Make: 1, Delay: time.Hour, Status: 201}),
			shows: []deploy.MessageID{deploy.MsgStatusStarting}, reaction: "thinking_face eyes", told: deploy.MsgPressedBefore, posts: 1, passing: true,
		},
		{
			name: "waiting", reach: deploys(limited),
			shows: []deploy.MessageID{deploy.MsgWaitRate}, reaction: "hourglass_flowing_sand", told: deploy.MsgPressedBefore, posts: 1,
		},
		{
			name: "unsure", settings: []string{"GITLAB_API_TOKEN="}, reach: deploys(fakegitlab.Fault{Cut: true}),
			shows: []deploy.MessageID{deploy.MsgStatusUnsure}, reaction: "question", told: deploy.MsgPressedBefore, posts: 1,
		},
		{
			name: "running", reach: deploys(),
			shows: []deploy.MessageID{deploy.MsgStatusRunning}, reaction: "thumbsup", told: deploy.MsgPressedBefore, posts: 1,
		},
		{
			name: "silent", settings: []string{"DEPLOY_TIMEOUT=30s", "GITLAB_API_TOKEN="}, reach: deploys(),
			shows: []deploy.MessageID{deploy.MsgStatusSilent, deploy.MsgSilent}, reaction: "zzz", told: deploy.MsgPressedBefore, posts: 1,
		},
		{
			name: "refused", reach: func(t *testing.T, a asked) { deploys(fault(t, "reference not found"))(t, a) },
			shows: []deploy.MessageID{deploy.MsgStatusRefused, deploy.MsgRefusedRef}, reaction: "x", told: deploy.MsgPressedBefore, posts: 1,
		},
		{
			name: "succeeded", reach: ends("success"),
			shows: []deploy.MessageID{deploy.MsgStatusSucceeded, deploy.MsgSucceeded}, reaction: "white_check_mark", told: deploy.MsgPressedBefore, posts: 1,
		},
		{
			name: "failed", reach: ends("failure"),
			shows: []deploy.MessageID{deploy.MsgStatusFailed, deploy.MsgFailed}, reaction: "x", told: deploy.MsgPressedBefore, posts: 1,
		},
		{
			name: "canceled", reach: ends("canceled"),
			shows: []deploy.MessageID{deploy.MsgStatusCanceled, deploy.MsgCanceled}, reaction: "no_entry_sign", told: deploy.MsgPressedBefore, posts: 1,
		},
		{
			name: "declined", reach: func(_ *testing.T, a asked) { a.press(second, -1) },
			shows: []deploy.MessageID{deploy.MsgDeclined}, told: deploy.MsgPressedBefore,
		},
		{
			name: "lapsed", reach: func(*testing.T, asked) { time.Sleep(deploy.AskFor + time.Second) },
			shows: []deploy.MessageID{deploy.MsgLapsed}, told: deploy.MsgPressClosed,
		},
		{
			name: "withdrawn by a stop", reach: func(_ *testing.T, a asked) { a.Ask("ストップ") },
			shows: []deploy.MessageID{deploy.MsgWithdrawn}, told: deploy.MsgPressClosed,
		},
		{
			name: "withdrawn by an edit", reach: func(_ *testing.T, a asked) { a.Slack.Edit(sim.Channel, a.ts, sim.Bot+" よろしく") },
			shows: []deploy.MessageID{deploy.MsgEditedOut}, told: deploy.MsgPressClosed,
		},
		{
			name: "asked anew by an edit", reach: func(_ *testing.T, a asked) { a.Slack.Edit(sim.Channel, a.ts, sim.Bot+" release") },
			shows: []deploy.MessageID{deploy.MsgEditedIn}, reaction: "thinking_face", told: deploy.MsgPressClosed,
		},
	}
}

// TestPressInEveryState: what is done is done once, whoever presses how often: a
// press that comes too late changes nothing, and its person is told so alone. It is
// the same after a restart, except where the store ended with the process. With
// -short, as under the race detector, each state has one carrier and one store.
func TestPressInEveryState(t *testing.T) {
	for i, s := range askedStates() {
		for carrier, as := range carriers() {
			for _, embedded := range []bool{false, true} {
				if testing.Short() && (embedded != (i%2 == 1) || (as == nil) != (i%4 < 2)) {
					continue
				}
				name := s.name + ", the mention " + carrier
				if embedded {
					name += ", on an embedded store"
				}
				row(t, name, func(t *testing.T) {
					settings := slices.Clone(s.settings)
					if embedded {
						settings = append(settings, "REDIS_URL=")
					}
					w := sim.New(t, settings...)
					p := w.StartReady("a")
					ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear, as...)
					a := asked{w, ts, q}
					s.reach(t, a)
					still := func(when string) {
						t.Helper()
						w.WaitReactions(sim.Channel, ts, strings.Fields(s.reaction)...)
						w.WaitMessages(sim.Channel, ts, s.shows...)
						if n := w.GitLab.PostsFor(sim.Channel, ts); n != s.posts {
							t.Errorf("%s: %d triggers, want %d", when, n, s.posts)
						}
					}
					still("before")
					a.press(third, 0)
					wantWhispers(w, sim.Channel, third, s.told)
					a.press(third, -1)
					wantWhispers(w, sim.Channel, third, s.told, s.told)
					time.Sleep(20 * time.Second)
					still("after a press")
					wantAcked(w)
					if s.passing {
						return // another process would take it up
					}
					if embedded {
						stop(t, p)
						w.StartReady("b")
						a.press("U0FOURTH", 0)
						wantWhispers(w, sim.Channel, "U0FOURTH", deploy.MsgPressClosed)
						wantAcked(w)
						wantPosts(t, w, ts, s.posts)
						return
					}
					p.Kill()
					w.StartReady("b")
					a.press("U0FOURTH", 0)
					wantWhispers(w, sim.Channel, "U0FOURTH", s.told)
					time.Sleep(20 * time.Second)
					still("after a restart")
				})
			}
		}
	}
}
