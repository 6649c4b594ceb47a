package page

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

// The score tells what the stand-ins have seen, also where it is not what it should be.
func TestTheScoreIsCountedFromTheStandIns(t *testing.T) {
	s := serve(t)
	s.box.Linger(time.Millisecond)
	seen, until := s.follow()
	var tour struct {
		Score score
		Done  [steps]bool
	}
	shows := func(what string, want score, done [steps]bool) {
		t.Helper()
		until(what, func() bool {
			return json.Unmarshal(seen["tour"], &tour) == nil && tour.Score == want && tour.Done == done
		})
	}
	first := s.box.Slack.Say(sandbox.User, sandbox.Channel, sandbox.Bot+" release")
	s.Begin()
	s.box.Slack.Say(sandbox.User, sandbox.Channel, "no mention")
	shows("a mention without an answer", score{Mentions: 1, Unanswered: 1}, [steps]bool{})
	s.asBot("chat.postMessage", "text", "Deploying", "thread_ts", first)
	second := s.box.Slack.Say(sandbox.Second, sandbox.Channel, sandbox.Bot+" again", fakeslack.InThread(first))
	shows("one more", score{Mentions: 2, Unanswered: 1}, [steps]bool{})
	s.asBot("chat.postEphemeral", "user", sandbox.Second, "text", "for you", "thread_ts", first)
	shows("an answer that one person sees", score{Mentions: 2}, [steps]bool{})

	made, _ := s.box.GitLab.Make("example/app", "trigger", "master", map[string]string{"PSYCHER_ID": "one", "timestamp": first})
	shows("a pipeline of before", score{Mentions: 2, Pipelines: 1}, [steps]bool{})
	s.box.GitLab.Make("example/app", "trigger", "master", map[string]string{"PSYCHER_ID": "one", "timestamp": second})
	shows("a second one of one request", score{Mentions: 2, Pipelines: 2, Doubled: 1}, [steps]bool{stepRelease: true})
	s.do(`{"do":"kill","on":true}`)
	s.do(`{"do":"kill","on":true}`)
	shows("a kill", score{Mentions: 2, Pipelines: 2, Doubled: 1, Kills: 1}, [steps]bool{stepRelease: true})
	if err := s.box.GitLab.Until(t.Context(), func() bool { return s.box.GitLab.Pipelines()[0].Ended() }); err != nil {
		t.Fatal(err)
	}
	s.box.GitLab.RetryJob(made.Jobs[2].ID)
	shows("a rollback", score{Mentions: 2, Pipelines: 2, Doubled: 1, Kills: 1}, [steps]bool{stepRelease: true, stepRollBack: true})
}
