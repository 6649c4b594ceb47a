package sim_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// askInDoubt posts a mention that is asked about.
func askInDoubt(w *sim.World) asked {
	w.T.Helper()
	ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
	return asked{w, ts, q}
}

// wantShown checks the reactions on the mention and the messages of its thread, now
// and a minute later, and how many pipelines there are for it.
func (a asked) wantShown(pipelines int, reaction string, said ...deploy.MessageID) {
	a.T.Helper()
	for range 2 {
		a.WaitReactions(sim.Channel, a.ts, strings.Fields(reaction)...)
		a.WaitMessages(sim.Channel, a.ts, said...)
		time.Sleep(time.Minute)
	}
	made := 0
	for _, p := range a.GitLab.Pipelines() {
		if p.Variables["timestamp"] == a.ts {
			made++
		}
	}
	if made != pipelines {
		a.T.Errorf("%d pipelines, want %d", made, pipelines)
	}
}

// fiveTargets is the setting of a channel with more targets than buttons.
func fiveTargets() string {
	var all []string
	for _, name := range []string{"admin", "api", "app", "docs", "web"} {
		project := map[string]string{"docs": "group/web"}[name]
		all = append(all, fmt.Sprintf(`%q: {"project_id": %q, "token": %q}`, name, cmp.Or(project, "group/app"), sim.TriggerToken))
	}
	return fmt.Sprintf(`GITLAB_TRIGGER_TOKENS={%q: {%q: {%s}}}`, sim.Team, sim.Channel, strings.Join(all, ", "))
}

func TestPressOfAMenu(t *testing.T) {
	for carrier, as := range carriers() {
		row(t, "five targets, the mention "+carrier+": what is chosen is deployed, once", func(t *testing.T) {
			w := sim.New(t, fiveTargets())
			w.StartReady("a")
			ts, q := ask(w, sim.Channel, "release", deploy.MsgWhichTarget, as...)
			menu := q.Controls()[0]
			if len(q.Controls()) != 2 || len(menu.Choices) != 5 {
				t.Fatalf("the question has %+v", q.Controls())
			}
			a := asked{w, ts, q}
			if !w.Slack.Press(second, sim.Channel, q.TS, menu.Action, fakeslack.Choosing(menu.Choices[3].Label)) {
				t.Fatal("nothing can be chosen")
			}
			a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
			if p := w.GitLab.Pipelines()[0]; p.Project != "group/web" {
				t.Errorf("chosen is %q, and deployed %q", menu.Choices[3].Label, p.Project)
			}
			press(w, third, sim.Channel, q, 0, fakeslack.WithValue(menu.Choices[0].Value))
			wantWhispers(w, sim.Channel, third, deploy.MsgPressedBefore)
			wantAcked(w)
			wantPosts(t, w, ts, 1)
		})
		row(t, "no, of a menu, the mention "+carrier, func(t *testing.T) {
			w := sim.New(t, fiveTargets())
			w.StartReady("a")
			ts, q := ask(w, sim.Channel, "release", deploy.MsgWhichTarget, as...)
			a := asked{w, ts, q}
			a.press(second, -1)
			a.wantShown(0, "", deploy.MsgDeclined)
			wantAcked(w)
		})
	}
}

func TestPressByTwoAtOnce(t *testing.T) {
	for name, buttons := range map[string][2]int{"both deploy": {0, 0}, "one deploys, one does not": {0, -1}} {
		row(t, name+", on sockets of two replicas: the first decides, the other is told", func(t *testing.T) {
			w := sim.New(t, "SLACK_CONNECTIONS=1")
			w.StartReady("a")
			w.StartReady("b")
			a := askInDoubt(w)
			a.press(second, buttons[0])
			a.press(third, buttons[1])
			time.Sleep(time.Minute)
			presses := w.Slack.Presses()
			if presses[0].Socket == presses[1].Socket {
				t.Fatalf("both came by socket %d", presses[0].Socket)
			}
			told := append(w.Slack.Ephemerals(sim.Channel, second), w.Slack.Ephemerals(sim.Channel, third)...)
			if len(told) != 1 || w.ReadMessage(told[0].Text) != deploy.MsgPressedBefore {
				t.Errorf("they were told %+v", told)
			}
			if w.Messages(sim.Channel, a.ts)[0] == deploy.MsgDeclined {
				a.wantShown(0, "", deploy.MsgDeclined)
			} else {
				a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
			}
			wantAcked(w)
		})
	}
	row(t, "one press, delivered to every socket of two replicas: one deploy", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.StartReady("b")
		w.Eventually("all sockets", time.Minute, func() bool { return w.Slack.Connections() == 4 })
		a := askInDoubt(w)
		w.Slack.Broadcast(true)
		a.press(second, 0)
		a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
		wantAcked(w)
	})
}

func TestPressByWhom(t *testing.T) {
	for name, row1 := range map[string]struct {
		org  string
		opts []fakeslack.PressOption
		told deploy.MessageID // empty: it deploys
	}{
		"a member":                                      {},
		"a guest of another workspace":                  {opts: []fakeslack.PressOption{fakeslack.PressedFrom("T0OTHER")}, told: deploy.MsgPressGuest},
		"a member of another organisation":              {org: "E0ORG", opts: []fakeslack.PressOption{fakeslack.PressedFrom("E0OTHER")}, told: deploy.MsgPressGuest},
		"somebody whose workspace Slack does not tell":  {opts: []fakeslack.PressOption{fakeslack.WithField("user.team_id", nil)}, told: deploy.MsgPressGuest},
		"somebody whose workspace is not a name":        {opts: []fakeslack.PressOption{fakeslack.WithField("user.team_id", map[string]any{"id": sim.Team})}, told: deploy.MsgPressGuest},
		"a member, of an app in the whole organisation": {org: "E0ORG", opts: []fakeslack.PressOption{fakeslack.OrgInstall()}},
		"a member that is named by the organisation":    {org: "E0ORG", opts: []fakeslack.PressOption{fakeslack.OrgInstall(), fakeslack.PressedFrom("E0ORG")}},
	} {
		row(t, name, func(t *testing.T) {
			w := sim.NewInOrg(t, row1.org)
			w.StartReady("a")
			a := askInDoubt(w)
			press(w, second, sim.Channel, a.question, 0, row1.opts...)
			if row1.told == "" {
				a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
				return
			}
			wantWhispers(w, sim.Channel, second, row1.told)
			press(w, second, sim.Channel, a.question, -1, row1.opts...)
			wantWhispers(w, sim.Channel, second, row1.told, row1.told)
			a.wantShown(0, "thinking_face", deploy.MsgUnclear)
			wantAcked(w)
		})
	}
	for name, opts := range map[string][]fakeslack.PressOption{
		"for another workspace":    {fakeslack.WithField("team.id", "T0OTHER")},
		"for another organisation": {fakeslack.OrgInstall(), fakeslack.WithField("enterprise", map[string]any{"id": "E0OTHER"})},
		"of a view":                {fakeslack.WithField("container.type", "view")},
	} {
		row(t, "a press "+name+" does nothing", func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			a := askInDoubt(w)
			press(w, second, sim.Channel, a.question, 0, opts...)
			a.wantShown(0, "thinking_face", deploy.MsgUnclear)
			wantWhispers(w, sim.Channel, second)
			wantAcked(w)
		})
	}
}

// Around the end of the half hour either the press counts or the question lapses,
// never both and never neither.
func TestPressAtTheLapse(t *testing.T) {
	for off := -200 * time.Millisecond; off <= 200*time.Millisecond; off += 40 * time.Millisecond {
		row(t, off.String(), func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			ts := w.Ask("release otama")
			asked0 := time.Now()
			w.WaitMessages(sim.Channel, ts, deploy.MsgUnclear)
			a := asked{w, ts, w.Slack.Thread(sim.Channel, ts)[0]}
			time.Sleep(time.Until(asked0.Add(deploy.AskFor + off)))
			a.press(second, 0)
			time.Sleep(10 * time.Second)
			if len(w.Slack.Ephemerals(sim.Channel, second)) > 0 {
				wantWhispers(w, sim.Channel, second, deploy.MsgPressClosed)
				a.wantShown(0, "", deploy.MsgLapsed)
			} else {
				a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
			}
			wantAcked(w)
		})
	}
}

func TestPressWhileTheStoreFails(t *testing.T) {
	for name, fails := range map[string]func(w *sim.World){
		"Redis hangs": func(w *sim.World) { w.RedisHangs(20 * time.Second) },
		"Redis is full": func(w *sim.World) {
			w.RedisFails("OOM command not allowed when used memory > 'maxmemory'.", 20*time.Second)
		},
		"Redis is a replica": func(w *sim.World) {
			w.RedisFails("READONLY You can't write against a read only replica.", 20*time.Second)
		},
		"Redis is out of reach": func(w *sim.World) { w.RedisDown(20 * time.Second) },
	} {
		row(t, name+": the person is told to press again, in time, and one deploy comes of it", func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			a := askInDoubt(w)
			fails(w)
			a.press(second, 0)
			wantWhispers(w, sim.Channel, second, deploy.MsgPressLost)
			wantAcked(w)
			time.Sleep(30 * time.Second)
			a.press(second, 0)
			a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
			wantAcked(w)
		})
	}
	for _, op := range []string{"redis:load", "redis:save"} {
		kinds := []sim.FaultKind{sim.LoseAnswer, sim.Partition, sim.DieBefore, sim.DieAfter, sim.Stall}
		if testing.Short() {
			kinds = kinds[:2]
		}
		for _, kind := range kinds {
			row(t, fmt.Sprintf("the %s of the press: the process %s: who presses until it is answered has one deploy", strings.TrimPrefix(op, "redis:"), kind), func(t *testing.T) {
				w := sim.New(t)
				p := w.StartReady("a")
				a := askInDoubt(w)
				p.Arm(&sim.Fault{At: sim.Op{Kind: op, N: 1}, Kind: kind})
				a.press(second, 0)
				time.Sleep(4 * time.Second)
				w.StartReady("b")
				for range 20 {
					if w.Messages(sim.Channel, a.ts)[0] != deploy.MsgUnclear {
						break
					}
					if len(w.Slack.Unacked()) == 0 && len(w.Slack.Ephemerals(sim.Channel, second)) == 0 {
						t.Fatal("the press was taken, and nothing is shown")
					}
					a.press(second, 0)
					time.Sleep(5 * time.Second)
				}
				a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
			})
		}
	}
}

func TestPressWhileGitLabIsAway(t *testing.T) {
	row(t, "no connection: the question says that it waits, and then runs", func(t *testing.T) {
		w := sim.New(t)
		routes := w.Routes()
		w.StartReady("a")
		a := askInDoubt(w)
		routes.Block("gitlab.test:80", 10*time.Millisecond)
		a.press(second, 0)
		w.WaitMessages(sim.Channel, a.ts, deploy.MsgWaitUnreachable)
		a.press(third, 0)
		wantWhispers(w, sim.Channel, third, deploy.MsgPressedBefore)
		routes.Unblock("gitlab.test:80")
		a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
	})
	row(t, "and it stays away: the person is told that nothing was started", func(t *testing.T) {
		w := sim.New(t)
		routes := w.Routes()
		w.StartReady("a")
		a := askInDoubt(w)
		routes.Block("gitlab.test:80", 10*time.Millisecond)
		a.press(second, 0)
		w.WaitMessages(sim.Channel, a.ts, deploy.MsgWaitUnreachable)
		time.Sleep(deploy.MaxWait)
		a.wantShown(0, "x", deploy.MsgStatusRefused, deploy.MsgRefusedUnreachable)
		routes.Unblock("gitlab.test:80")
	})
}

func TestPressWhileSlackFails(t *testing.T) {
	for name, f := range map[string]fakeslack.Fault{
		"refuses": fakeslack.Fails("user_not_in_channel"), "limits": fakeslack.RateLimited(30 * time.Second), "breaks": fakeslack.Broken(),
		"cuts": fakeslack.Cut(), "hangs": fakeslack.Hang(),
	} {
		row(t, "who presses too late cannot be told, as Slack "+name+": Slack shows the press as failed", func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			a := askInDoubt(w)
			a.press(second, -1)
			w.WaitMessages(sim.Channel, a.ts, deploy.MsgDeclined)
			wantAcked(w)
			w.Slack.Fail("chat.postEphemeral", 1, f)
			a.press(third, 0)
			time.Sleep(10 * time.Second)
			if n := len(w.Slack.Unacked()); n != 1 {
				t.Errorf("%d presses show a warning sign", n)
			}
			a.wantShown(0, "", deploy.MsgDeclined)
		})
	}
	row(t, "the question cannot be edited ever: its buttons are answered, and the status message is a new one", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		a := askInDoubt(w)
		w.Slack.Fail("chat.update", -1, fakeslack.Fails("cant_update_message"))
		a.press(second, 0)
		w.WaitReactions(sim.Channel, a.ts, "thumbsup")
		if !w.Slack.Press(third, sim.Channel, a.question.TS, a.question.Controls()[0].Action) {
			t.Error("the message has no buttons any more")
		}
		wantWhispers(w, sim.Channel, third, deploy.MsgPressedBefore)
		a.reported("success")
		a.wantShown(1, "white_check_mark", deploy.MsgUnclear, deploy.MsgStatusRunning, deploy.MsgSucceeded)
		wantAcked(w)
	})
	row(t, "the question cannot be edited for a while: its buttons go then", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		a := askInDoubt(w)
		w.Slack.Fail("chat.update", 3, fakeslack.Unavailable())
		a.press(second, 0)
		w.WaitReactions(sim.Channel, a.ts, "thumbsup")
		a.press(third, -1)
		wantWhispers(w, sim.Channel, third, deploy.MsgPressedBefore)
		a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
	})
	row(t, "the answer to the question's post is lost, and somebody presses before it is looked up", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.Slack.Fail("chat.postMessage", 1, fakeslack.LoseAnswer())
		a := askInDoubt(w)
		a.press(second, 0)
		a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
	})
}

func TestPressAndEditCross(t *testing.T) {
	for name, edit := range map[string]struct {
		text string
		said deploy.MessageID
		mark string
	}{
		"to a greeting":      {sim.Bot + " よろしく", deploy.MsgEditedOut, ""},
		"that strikes it":    {sim.Bot + " ~release~", deploy.MsgEditedOut, ""},
		"to a clear request": {sim.Bot + " release", deploy.MsgEditedIn, "thinking_face"},
		"to another doubt":   {sim.Bot + " release tomorrow", deploy.MsgUnclear, "thinking_face"},
	} {
		gaps := []time.Duration{0, 3 * time.Millisecond, 8 * time.Millisecond, 15 * time.Millisecond, time.Second}
		if testing.Short() {
			gaps = gaps[:2]
		}
		for _, gap := range gaps {
			for _, pressFirst := range []bool{true, false} {
				row(t, fmt.Sprintf("an edit %s, %v apart, the press first: %v", name, gap, pressFirst), func(t *testing.T) {
					w := sim.New(t)
					w.StartReady("a")
					w.StartReady("b")
					a := askInDoubt(w)
					do := []func(){func() { a.press(second, 0) }, func() { w.Slack.Edit(sim.Channel, a.ts, edit.text) }}
					if !pressFirst {
						slices.Reverse(do)
					}
					do[0]()
					time.Sleep(gap)
					do[1]()
					time.Sleep(20 * time.Second)
					if w.GitLab.PostsFor(sim.Channel, a.ts) == 1 {
						if !pressFirst && gap == time.Second {
							t.Error("the press of a question that was edited away deploys")
						}
						a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
						return
					}
					if pressFirst && gap == time.Second {
						t.Error("what runs was taken back")
					}
					a.wantShown(0, edit.mark, edit.said)
					wantAcked(w)
				})
			}
		}
	}
}

func TestPressAndTheSettings(t *testing.T) {
	targets := func(target, more string) string {
		return fmt.Sprintf(`GITLAB_TRIGGER_TOKENS={%q: {%q: {%q: {"project_id": "group/app", "token": %q%s}}}}`, sim.Team, sim.Channel, target, sim.TriggerToken, more)
	}
	row(t, "the target is taken out of the map before the press: the person is told", func(t *testing.T) {
		w := sim.New(t)
		p := w.StartReady("a")
		a := askInDoubt(w)
		stop(t, p)
		w.StartReady("b", targets("other", ""))
		a.press(second, 0)
		wantWhispers(w, sim.Channel, second, deploy.MsgRefusedGone)
		a.wantShown(0, "thinking_face", deploy.MsgUnclear)
	})
	row(t, "the target deploys another branch by the time of the press: the button says which, so nothing starts", func(t *testing.T) {
		w := sim.New(t)
		p := w.StartReady("a")
		a := askInDoubt(w)
		stop(t, p)
		w.StartReady("b", targets("app", `, "ref": "production"`))
		a.press(second, 0)
		wantWhispers(w, sim.Channel, second, deploy.MsgPressOld)
		a.wantShown(0, "thinking_face", deploy.MsgUnclear)
	})
	row(t, "the target is another project by the time of the press: nothing starts", func(t *testing.T) {
		w := sim.New(t)
		p := w.StartReady("a")
		a := askInDoubt(w)
		stop(t, p)
		w.StartReady("b", strings.Replace(targets("app", ""), "group/app", "group/web", 1))
		a.press(second, 0)
		wantWhispers(w, sim.Channel, second, deploy.MsgPressOld)
		a.wantShown(0, "thinking_face", deploy.MsgUnclear)
	})
	row(t, "the target is another project by the time that the press is taken: it is asked again", func(t *testing.T) {
		w := sim.New(t)
		p := w.StartReady("a")
		a := askInDoubt(w)
		p.Arm(&sim.Fault{At: sim.Op{Kind: "redis:save", N: 1}, Kind: sim.DieAfter})
		a.press(second, 0)
		time.Sleep(5 * time.Second)
		w.StartReady("b", strings.Replace(targets("app", ""), "group/app", "group/web", 1))
		a.wantShown(0, "thinking_face", deploy.MsgTooLate)
	})
	row(t, "the target deploys another branch by the time that the press is taken: it is asked again", func(t *testing.T) {
		w := sim.New(t)
		p := w.StartReady("a")
		a := askInDoubt(w)
		p.Arm(&sim.Fault{At: sim.Op{Kind: "redis:save", N: 1}, Kind: sim.DieAfter})
		a.press(second, 0)
		time.Sleep(5 * time.Second)
		w.StartReady("b", targets("app", `, "ref": "production"`))
		time.Sleep(30 * time.Second)
		q := w.Slack.Thread(sim.Channel, a.ts)[0]
		if all := q.Controls(); len(all) != 2 || !strings.Contains(all[0].Label, "production") {
			t.Fatalf("it shows %s with %+v", q.Text, all)
		}
		wantPosts(t, w, a.ts, 0)
		press(w, second, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, a.ts, deploy.MsgStatusRefused, deploy.MsgRefusedRef) // this GitLab has no such branch
	})
	row(t, "who pressed is taken out of allow before the press is taken: refused in the question's place", func(t *testing.T) {
		w := sim.New(t)
		p := w.StartReady("a")
		a := askInDoubt(w)
		p.Arm(&sim.Fault{At: sim.Op{Kind: "redis:save", N: 1}, Kind: sim.DieAfter})
		a.press(second, 0)
		time.Sleep(5 * time.Second)
		w.StartReady("b", targets("app", `, "allow": ["`+sim.User+`"]`))
		a.wantShown(0, "no_entry", deploy.MsgNotAllowed)
	})
	row(t, "who pressed is taken out of allow while it waits: refused, although the asker may", func(t *testing.T) {
		w := sim.New(t)
		p := w.StartReady("a")
		a := askInDoubt(w)
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		a.press(second, 0)
		w.WaitMessages(sim.Channel, a.ts, deploy.MsgWaitRate)
		stop(t, p)
		w.StartReady("b", targets("app", `, "allow": ["`+sim.User+`"]`))
		a.wantShown(0, "no_entry", deploy.MsgStatusAnswered, deploy.MsgNotAllowed)
		wantPosts(t, w, a.ts, 1)
	})
}

func TestPressThatNobodyTakes(t *testing.T) {
	row(t, "the process dies, and another starts 3 minutes later: asked again, with buttons of its own", func(t *testing.T) {
		w := sim.New(t)
		p := w.StartReady("a")
		a := askInDoubt(w)
		p.Arm(&sim.Fault{At: sim.Op{Kind: "redis:save", N: 1}, Kind: sim.DieAfter})
		a.press(second, 0)
		time.Sleep(3 * time.Minute)
		w.StartReady("b")
		a.wantShown(0, "thinking_face", deploy.MsgTooLate)
		a.press(third, 0)
		wantWhispers(w, sim.Channel, third, deploy.MsgPressClosed)
		wantPosts(t, w, a.ts, 0)
		press(w, third, sim.Channel, w.Slack.Thread(sim.Channel, a.ts)[0], 0)
		a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
	})
	row(t, "the process dies, and another starts a minute later: it runs", func(t *testing.T) {
		w := sim.New(t)
		p := w.StartReady("a")
		a := askInDoubt(w)
		p.Arm(&sim.Fault{At: sim.Op{Kind: "redis:save", N: 1}, Kind: sim.DieAfter})
		a.press(second, 0)
		time.Sleep(time.Minute)
		w.StartReady("b")
		a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
	})
	row(t, "no process is there at the press: Slack shows it as failed, and after the start it can be pressed", func(t *testing.T) {
		w := sim.New(t)
		p := w.StartReady("a")
		a := askInDoubt(w)
		stop(t, p)
		a.press(second, 0)
		time.Sleep(5 * time.Second)
		if n := len(w.Slack.Unacked()); n != 1 {
			t.Errorf("%d presses show a warning sign", n)
		}
		w.StartReady("b")
		a.wantShown(0, "thinking_face", deploy.MsgUnclear)
		a.press(second, 0)
		a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
	})
}

func TestStopWhereverItIs(t *testing.T) {
	row(t, "pressed, and not yet taken: nothing starts", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		a := askInDoubt(w)
		w.GitLab.Answer(8, fakegitlab.Fault{Make: 1, Delay: 50 * time.Second, Status: 201})
		for range 8 {
			w.Ask("release")
		}
		time.Sleep(time.Second)
		a.press(second, 0)
		w.WaitMessages(sim.Channel, a.ts, deploy.MsgStatusStarting)
		w.Ask("ストップ")
		a.wantShown(0, "", deploy.MsgWithdrawn)
		wantPosts(t, w, a.ts, 0)
	})
	for name, f := range map[string]fakegitlab.Fault{
		"GitLab then refuses":     {Delay: 10 * time.Second, Status: 429, Header: map[string]string{"Retry-After": "30"}},
		"GitLab then takes it":    {Make: 1, Delay: 10 * time.Second, Status: 201},
		"GitLab then cuts":        {Delay: 10 * time.Second, Cut: true},
		"GitLab has it, and cuts": {Make: 1, Delay: 10 * time.Second, Cut: true},
	} {
		row(t, "during the POST, and "+name+": there is no other POST", func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			a := askInDoubt(w)
			w.GitLab.Answer(1, f)
			a.press(second, 0)
			w.Eventually("the POST", 5*time.Second, func() bool { return w.GitLab.PostsFor(sim.Channel, a.ts) == 1 })
			stopped := w.Ask("ストップ")
			w.WaitMessages(sim.Channel, stopped, deploy.MsgStop)
			switch {
			case f.Status == 429:
				a.wantShown(0, "", deploy.MsgStatusAnswered, deploy.MsgWithdrawn)
			case f.Make == 1:
				a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
			default:
				time.Sleep(2 * time.Minute)
				a.wantShown(0, "question", deploy.MsgStatusUnsure, deploy.MsgNoneSeen)
			}
			wantPosts(t, w, a.ts, 1)
		})
	}
	for text, shown := range map[string]deploy.MessageID{"release": deploy.MsgWithdrawn, "release otama": deploy.MsgWithdrawn, "よろしく": deploy.MsgGreet} {
		row(t, text+", taken in by a process that died: a stop withdraws what another would take up", func(t *testing.T) {
			w := sim.New(t)
			p := w.StartReady("a")
			w.WaitMessages(sim.Channel, w.Ask("よろしく"), deploy.MsgGreet) // Redis knows the scripts now
			p.Arm(&sim.Fault{At: sim.Op{Kind: "redis:claim", N: 1}, Kind: sim.DieAfter})
			ts := w.Ask(text)
			w.Eventually("the death", 5*time.Second, p.Dead)
			w.Slack.PauseDeliveries(true) // Slack delivers it again later than the stop
			w.StartReady("b")
			stopped := w.Ask("ストップ")
			w.Slack.DeliverBackwards(20 * time.Second)
			w.WaitMessages(sim.Channel, stopped, deploy.MsgStop)
			later := w.Ask("release")
			asked{World: w, ts: ts}.wantShown(0, "", shown)
			if said := w.Texts(sim.Channel, stopped)[0]; strings.Contains(said, "1 件") != (shown == deploy.MsgWithdrawn) || strings.Contains(said, "GitLab") {
				t.Errorf("the stop is answered %q", said)
			}
			w.WaitReactions(sim.Channel, later, "thumbsup")
		})
	}
	for name, fails := range map[string]func(w *sim.World){
		"refuses": func(w *sim.World) { w.RedisDown(20 * time.Second) },
		"hangs":   func(w *sim.World) { w.RedisHangs(20 * time.Second) },
	} {
		row(t, "the store "+name+": nobody is told that nothing was started, as what waits may start", func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			w.GitLab.Answer(1, fakegitlab.Fault{Status: 429, Header: map[string]string{"Retry-After": "60"}})
			ts := w.Ask("release")
			w.WaitMessages(sim.Channel, ts, deploy.MsgWaitRate)
			fails(w)
			stopped := w.Ask("ストップ")
			w.Eventually("the answer", 10*time.Second, func() bool { return len(w.Messages(sim.Channel, stopped)) == 1 })
			w.WaitMessages(sim.Channel, stopped, deploy.MsgNotStopped)
		})
	}
	row(t, "waiting after a press: nothing more is sent", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		a := askInDoubt(w)
		w.GitLab.Answer(1, fakegitlab.Fault{Status: 429, Header: map[string]string{"Retry-After": "60"}})
		a.press(second, 0)
		w.WaitMessages(sim.Channel, a.ts, deploy.MsgWaitRate)
		w.WaitMessages(sim.Channel, w.Ask("ストップ"), deploy.MsgStop)
		a.wantShown(0, "", deploy.MsgStatusAnswered, deploy.MsgWithdrawn)
		time.Sleep(6 * time.Minute)
		wantPosts(t, w, a.ts, 1)
	})
}

func TestPressAndEditsOfTheMention(t *testing.T) {
	row(t, "unclear to clear: it is asked about, and a press deploys once", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		a := askInDoubt(w)
		w.Slack.Edit(sim.Channel, a.ts, sim.Bot+" release")
		w.WaitMessages(sim.Channel, a.ts, deploy.MsgEditedIn)
		w.Slack.Edit(sim.Channel, a.ts, sim.Bot+" release otama")
		w.WaitMessages(sim.Channel, a.ts, deploy.MsgUnclear)
		w.Slack.Edit(sim.Channel, a.ts, sim.Bot+" リリース！")
		w.WaitMessages(sim.Channel, a.ts, deploy.MsgEditedIn)
		a.press(third, 0)
		wantWhispers(w, sim.Channel, third, deploy.MsgPressClosed)
		a.wantShown(0, "thinking_face", deploy.MsgEditedIn)
		press(w, second, sim.Channel, w.Slack.Thread(sim.Channel, a.ts)[0], 0)
		a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
		w.Slack.Edit(sim.Channel, a.ts, sim.Bot+" よろしく")
		w.Slack.Edit(sim.Channel, a.ts, sim.Bot+" release")
		a.wantShown(1, "thumbsup", deploy.MsgStatusRunning)
	})
	row(t, "clear to unclear while it waits: withdrawn, and the next edit says to post it anew", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		ts := w.Ask("release")
		a := asked{World: w, ts: ts}
		w.WaitMessages(sim.Channel, ts, deploy.MsgWaitRate)
		w.Slack.Edit(sim.Channel, ts, sim.Bot+" release tomorrow")
		a.wantShown(0, "", deploy.MsgStatusAnswered, deploy.MsgEditedOut)
		w.Slack.Edit(sim.Channel, ts, sim.Bot+" release")
		a.wantShown(0, "", deploy.MsgStatusAnswered, deploy.MsgEditedOut, deploy.MsgEditedLater)
		wantPosts(t, w, ts, 1)
	})
	row(t, "the asked mention, pressed no, is edited to ask for a deploy: asked again", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		a := askInDoubt(w)
		a.press(second, -1)
		w.WaitMessages(sim.Channel, a.ts, deploy.MsgDeclined)
		w.Slack.Edit(sim.Channel, a.ts, sim.Bot+" release")
		a.wantShown(0, "thinking_face", deploy.MsgEditedIn)
		a.press(third, 0)
		wantWhispers(w, sim.Channel, third, deploy.MsgPressClosed)
		a.wantShown(0, "thinking_face", deploy.MsgEditedIn)
	})
	row(t, "a pressed deploy waits, and the mention is edited to a greeting: nothing more is sent", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		a := askInDoubt(w)
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		a.press(second, 0)
		w.WaitMessages(sim.Channel, a.ts, deploy.MsgWaitRate)
		w.Slack.Edit(sim.Channel, a.ts, sim.Bot+" よろしく")
		a.wantShown(0, "", deploy.MsgStatusAnswered, deploy.MsgEditedOut)
		wantPosts(t, w, a.ts, 1)
	})
}

func TestPressAndDeletion(t *testing.T) {
	row(t, "deleted before the question is shown: nothing is posted", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.Slack.Fail("reactions.add", 1, fakeslack.RateLimited(2*time.Second))
		w.Slack.Fail("chat.postMessage", 1, fakeslack.RateLimited(5*time.Second))
		ts := w.Ask("release otama")
		time.Sleep(time.Second)
		w.Slack.Delete(sim.Channel, ts)
		time.Sleep(35 * time.Minute)
		w.WaitMessages(sim.Channel, ts)
		if said := w.Slack.Channel(sim.Channel); len(said) != 0 {
			t.Errorf("the channel is told %q", said[0].Text)
		}
		if due, _ := w.Redis.ZMembers("{psycher}:due"); len(due) != 0 {
			t.Errorf("it is still due: %q", due)
		}
	})
	row(t, "deleted while it is asked: the question stays in the thread, and a press deploys once", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		a := askInDoubt(w)
		w.Slack.Delete(sim.Channel, a.ts)
		a.press(second, 0)
		a.wantShown(1, "", deploy.MsgStatusRunning)
	})
	row(t, "deleted while a pressed deploy waits: withdrawn", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		a := askInDoubt(w)
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		a.press(second, 0)
		w.WaitMessages(sim.Channel, a.ts, deploy.MsgWaitRate)
		w.Slack.Delete(sim.Channel, a.ts)
		time.Sleep(6 * time.Minute)
		a.wantShown(0, "", deploy.MsgStatusAnswered)
		wantPosts(t, w, a.ts, 1)
	})
}
