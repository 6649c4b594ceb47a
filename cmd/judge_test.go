package cmd_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

// mention is a message that asks for a deploy, where it stands.
type mention struct{ channel, ts string }

// say asks for a deploy.
func (s *site) say(channel string, how ...fakeslack.Option) mention {
	s.mu.Lock()
	defer s.mu.Unlock()
	user := fmt.Sprintf("U0ASKER%d", len(s.mentions)%7)
	m := mention{channel, s.slack.Say(user, channel, "<@U0BOT> release", how...)}
	s.mentions = append(s.mentions, m)
	return m
}

// underLoad has mentions said in every channel, several a second, from before
// something is done until it is over.
func (s *site) underLoad(do func()) {
	const before, most = 4, 40
	var saying sync.WaitGroup
	begun, over := make(chan struct{}), make(chan struct{})
	saying.Go(func() {
		channels := siteChannels()
		for n := range most {
			if n == before {
				close(begun)
			}
			s.say(channels[n%len(channels)])
			select {
			case <-over:
				if n >= most*2/3 {
					return
				}
			default:
			}
			// Slower when it lasts longer: Slack takes 50 reactions a minute.
			if !s.pause(200*time.Millisecond + time.Duration(n/20)*300*time.Millisecond) {
				return
			}
		}
	})
	<-begun
	do()
	close(over)
	saying.Wait()
}

// pipelines are those that were made for a mention.
func (s *site) pipelines(m mention) (made []fakegitlab.Pipeline) {
	for _, p := range s.gitlab.Pipelines() {
		if p.Variables["channel"] == m.channel && p.Variables["timestamp"] == m.ts {
			made = append(made, p)
		}
	}
	return made
}

// acked tells whether Slack is done with a mention, and lost that it gave up.
func (s *site) acked(m mention) (acked, lost bool) {
	for _, d := range s.slack.Deliveries() {
		acked = acked || d.TS == m.ts && !d.AckedAt.IsZero()
	}
	return acked, slices.Contains(s.slack.Lost(), m.ts)
}

// reads tells whether a reply to a mention holds one of the words.
func (s *site) reads(m mention, words ...string) bool {
	return slices.ContainsFunc(s.slack.Thread(m.channel, m.ts), func(r fakeslack.Message) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(r.Text+"\n"+r.Shown(), w) })
	})
}

// texts are the replies to a mention.
func (s *site) texts(m mention) (all []string) {
	for _, r := range s.slack.Thread(m.channel, m.ts) {
		all = append(all, r.Shown())
	}
	return all
}

// links tells whether the thread links the pipeline, or the project's pipelines
// where only its number came through, and no other pipeline.
func (s *site) links(m mention, pipeline int64) (linked bool) {
	for _, reply := range s.slack.Thread(m.channel, m.ts) {
		for _, link := range pipelineLink.FindAllStringSubmatch(reply.Shown(), -1) {
			if link[1] != "" && link[1] != fmt.Sprint(pipeline) {
				return false
			}
			linked = true
		}
	}
	return linked
}

var pipelineLink = regexp.MustCompile(`/-/pipelines(?:/(\d+))?\|`)

// twice tells what was made more than once for a mention.
func (s *site) twice(m mention) string {
	s.mu.Lock()
	deploys := s.deploys[m]
	s.mu.Unlock()
	posts, made := s.gitlab.PostsFor(m.channel, m.ts), len(s.pipelines(m))
	if posts > 1 && !s.waited[m] || made > 1 || deploys > 1 {
		return fmt.Sprintf("%d triggers, %d pipelines, %d deploys", posts, made, deploys)
	}
	return ""
}

// lacks tells what is not yet as it must be, where the person looks: the end of
// the pipeline, or a word that there is none. Reactions that no longer hold may
// lag behind: Slack takes 20 a minute off.
func (s *site) lacks(m mention) string {
	marks := s.slack.Reactions(m.channel, m.ts)
	acked, lost := s.acked(m)
	made := s.pipelines(m)
	switch {
	case !acked && !lost:
		return "no ack"
	case len(made) == 0 && lost && s.reads(m, "whether this message starts", "may still start"):
	case len(made) == 0:
		if !s.reads(m, "othing was started", "no pipeline", "nothing to deploy", "nobody told me what this channel deploys", "older than my records", "records don't go back") {
			return fmt.Sprintf("no pipeline, and nobody was told so: %v", marks)
		}
	case !s.links(m, made[0].ID):
		return "no link of the pipeline in the thread, or of another"
	default:
		end := map[string]string{"success": "white_check_mark", "failed": "x"}[made[0].Status]
		if end == "" || !slices.Contains(marks, end) || slices.Contains(marks, "x") != (end == "x") {
			return fmt.Sprintf("the pipeline is %s, the reactions are %v", made[0].Status, marks)
		}
	}
	return ""
}

// settles waits until nothing lacks of mentions, and says what went wrong.
func (s *site) settles(mentions ...mention) {
	s.t.Helper()
	open := slices.Clone(mentions)
	s.poll("all have an end", func() error {
		open = slices.DeleteFunc(open, func(m mention) bool { return s.lacks(m) == "" })
		if len(open) > 0 {
			return fmt.Errorf("%d have not: %v: %s: %q", len(open), open[0], s.lacks(open[0]), s.texts(open[0]))
		}
		return nil
	})
	for _, m := range mentions {
		if twice := s.twice(m); twice != "" {
			s.t.Errorf("%v: %s", m, twice)
		}
		if len(s.pipelines(m)) > 0 && s.reads(m, "othing was started.") {
			s.t.Errorf("%v was started, and its person was told that it was not: %q", m, s.texts(m))
		}
	}
}

// deploysAgain asks once more, and waits for the end: everything works again.
func (s *site) deploysAgain() {
	s.t.Helper()
	s.ready()
	s.once(s.say("C0APP0"))
}

// once: it made one pipeline, whose end is shown.
func (s *site) once(m mention) {
	s.t.Helper()
	s.settles(m)
	if n := len(s.pipelines(m)); n != 1 {
		s.t.Errorf("%v made %d pipelines: %q", m, n, s.texts(m))
	}
}

// figures count what came of a site.
type figures struct{ mentions, pipelines, told, kills int }

// figures are also logged.
func (s *site) figures() figures {
	f := figures{mentions: len(s.mentions), kills: s.kills}
	for _, m := range s.mentions {
		if n := len(s.pipelines(m)); n > 0 {
			f.pipelines += n
		} else {
			f.told++
		}
	}
	s.t.Log(f)
	return f
}

func (f figures) and(g figures) figures {
	return figures{f.mentions + g.mentions, f.pipelines + g.pipelines, f.told + g.told, f.kills + g.kills}
}

func (f figures) String() string {
	return fmt.Sprintf("%d mentions: %d pipelines, %d people told that there is none; %d processes killed or stopped", f.mentions, f.pipelines, f.told, f.kills)
}
