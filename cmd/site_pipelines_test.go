package cmd_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

// The channels differ in what becomes of their pipelines.
const (
	channelFails = "C0FAILS" // they fail
	channelQuiet = "C0QUIET" // they succeed, and nobody calls
	channelLong  = "C0LONG"  // so do these, and take longer
)

// targets is a target map: the project of each channel, and more keys for it.
// A channel without a project is left out.
func targets(of func(channel string) (project, more string)) string {
	var channels []string
	for _, c := range append(siteChannels(), channelLong) {
		if project, more := of(c); project != "" {
			channels = append(channels, fmt.Sprintf(`%q: {"app": {"project_id": %q, "token": %q, "parallel": true%s}}`, c, project, siteTriggerToken, more))
		}
	}
	return fmt.Sprintf("GITLAB_TRIGGER_TOKENS={%q: {%s}}", siteTeam, strings.Join(channels, ", "))
}

// siteChannels are many, since each has a rate limit of its own at Slack.
func siteChannels() []string {
	channels := []string{channelFails, channelQuiet}
	for n := range 10 {
		channels = append(channels, fmt.Sprintf("C0APP%d", n))
	}
	return channels
}

// pipeline is what runs in GitLab: the calls of examples/notify.sh around a
// deploy that takes a moment.
func (s *site) pipeline(p fakegitlab.Pipeline) {
	m, status := mention{p.Variables["channel"], p.Variables["timestamp"]}, "success"
	if m.channel == channelFails {
		status = "failed"
	}
	s.gitlab.Finish(p.ID, "running")
	calls, takes := m.channel != channelQuiet && m.channel != channelLong, 300*time.Millisecond
	if m.channel == channelLong {
		takes = 8 * time.Second
	}
	if calls && s.tell(p, "start", 3) == http.StatusConflict {
		s.gitlab.Finish(p.ID, "failed")
		return
	}
	s.mu.Lock()
	s.deploys[m]++
	s.mu.Unlock()
	s.pause(takes)
	if calls {
		s.tell(p, map[string]string{"success": "success", "failed": "failure"}[status], 8)
	}
	s.gitlab.Finish(p.ID, status)
}

// tell calls the replicas one after the other, as what balances the load
// between them does, until one has taken it or refused it.
func (s *site) tell(p fakegitlab.Pipeline, result string, tries int) (status int) {
	for pause := time.Second; tries > 0; tries-- {
		r := s.replicas[s.turn.Add(1)%uint64(len(s.replicas))]
		req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, "http://"+r.notify+"/notify", strings.NewReader(fmt.Sprintf(
			"source=gitlab&result=%s&channel=%s&timestamp=%s&id=%s&pipeline=%d",
			result, p.Variables["channel"], p.Variables["timestamp"], p.Variables["PSYCHER_ID"], p.ID)))
		if err != nil {
			s.t.Error(err)
			return 0
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Authorization", "Bearer "+p.Variables["PSYCHER_TOKEN"])
		within, cancel := context.WithTimeout(s.ctx, 15*time.Second)
		resp, err := http.DefaultClient.Do(req.WithContext(within))
		cancel()
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode < 500 {
				return resp.StatusCode
			}
		}
		s.pause(pause)
		pause = min(2*pause, 16*time.Second)
	}
	return 0
}
