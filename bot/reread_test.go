package bot

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// slackFake answers each call of the Web API with the next of its answers.
type slackFake struct {
	answers []string
	asked   []url.Values
}

func (f *slackFake) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	f.asked = append(f.asked, form)
	answer := f.answers[len(f.asked)-1]
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
}

func TestMentionIsReadAgainAsItStands(t *testing.T) {
	key := deploy.Key{Team: "T1", Channel: "C1", TS: "1700000000.000100"}
	mention := deploy.Mention{Key: key, ID: DeploymentID(key), User: "U1"}
	thread := func(messages ...string) string {
		return fmt.Sprintf(`{"ok":true,"messages":[%s]}`, strings.Join(messages, ","))
	}
	now := func(rest string) string {
		return fmt.Sprintf(`{"type":"message","user":"U1","ts":%q,%s}`, key.TS, rest)
	}
	root := `{"type":"message","user":"U2","ts":"1600000000.000000","text":"<@UBOT> release"}`
	for _, c := range []struct {
		name   string
		answer string
		want   deploy.Mention // what it says
		gone   bool
		known  bool
	}{
		{"as it was", thread(root, now(`"text":"<@UBOT> release"`)), deploy.Mention{Text: "<@UBOT> release"}, false, true},
		{"edited", thread(now(`"text":"<@UBOT> hello","edited":{"user":"U1","ts":"1700000009.0"}`)), deploy.Mention{Text: "<@UBOT> hello", Edited: true}, false, true},
		{"the bot's name taken out", thread(now(`"text":"release","edited":{"user":"U1"}`)), deploy.Mention{Edited: true, Unnamed: true}, false, true},
		{"struck through", thread(now(`"text":"~<@UBOT> release~","edited":{"user":"U1"}`)), deploy.Mention{Edited: true, Unnamed: true}, false, true},
		{"deleted, with replies", thread(now(`"subtype":"tombstone","text":"This message was deleted."`)), deploy.Mention{}, true, false},
		{"not among the messages", thread(root), deploy.Mention{}, false, false},
		{"not a list of messages", `{"ok":true,"messages":"<@UBOT> release"}`, deploy.Mention{}, false, false},
		{"missing scope", `{"ok":false,"error":"missing_scope","needed":"channels:history"}`, deploy.Mention{}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := &slackFake{answers: []string{`{"ok":true,"team_id":"T1","user_id":"UBOT","bot_id":"B1"}`, c.answer}}
			a := web.New(web.Config{Transport: fake, Read: Reread, Log: zerolog.Nop()})
			m, err := a.Reread(t.Context(), mention)
			if errors.Is(err, engine.ErrMentionGone) != c.gone || (err == nil) != c.known {
				t.Fatal(err)
			}
			if err == nil && (m.Text != c.want.Text || m.Edited != c.want.Edited || m.Unnamed != c.want.Unnamed || m.Key != mention.Key) {
				t.Errorf("read %+v", m)
			}
			if form := fake.asked[1]; form.Get("latest") != key.TS || form.Get("oldest") != key.TS || form.Get("inclusive") != "1" {
				t.Errorf("asked %v", form)
			}
			if a.Refused() != "" {
				t.Errorf("refused %q: the bot can do without reading the channel", a.Refused())
			}
		})
	}
}
