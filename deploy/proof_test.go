package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"
)

// court is a shelf that knows which projects have proved themselves.
type court struct {
	busy
	proved []string
	asked  []string
	err    error
}

func (c *court) Proved(_ context.Context, projects ...string) (bool, error) {
	c.asked = append(c.asked, projects...)
	return slices.ContainsFunc(projects, func(p string) bool { return slices.Contains(c.proved, p) }), c.err
}

// attempts gives a record tokens of so many attempts.
func attempts(r Record, n int) (Record, []Secret) {
	var tokens []Secret
	for range n {
		tokens = append(tokens, NewToken())
		r.Tokens = withToken(r.Tokens, TokenSum(tokens[len(tokens)-1]))
	}
	return r, tokens
}

// hears puts a record on the shelf and a word to a loop.
func (c *court) hears(t *testing.T, r Record, w Callback) (Record, CallbackResult, error) {
	t.Helper()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := ParseTargets([]byte(`{"T1":{"C1":{"app":{"project_id":42,"token":"glptt-test-0000"},"web":{"project_id":"group/web","token":"glptt-test-0000"}}}}`), "master", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	c.bytes = raw
	w.Channel, w.TS = r.Mention.Channel, r.Mention.TS
	v, err := (&Loop{Store: c, Targets: targets}).Callback(t.Context(), w)
	h, _, loadErr := c.Load(t.Context(), Key{})
	if loadErr != nil {
		t.Fatal(loadErr)
	}
	return h.Record, v, err
}

func TestWhatAWordShowsDecidesWhetherItCounts(t *testing.T) {
	project := target.Project
	for name, row := range map[string]struct {
		shows  func(own []Secret) Callback
		proved []string
		takes  bool
		proves bool
	}{
		"its token":                               {func(own []Secret) Callback { return Callback{Token: own[1]} }, nil, true, true},
		"its token, once proved":                  {func(own []Secret) Callback { return Callback{Token: own[1]} }, []string{project}, true, true},
		"the token of an attempt before":          {func(own []Secret) Callback { return Callback{Token: own[0]} }, []string{project}, true, true},
		"its token and the secret of all":         {func(own []Secret) Callback { return Callback{Token: own[1], Shared: true} }, []string{project}, true, true},
		"the secret of all":                       {func([]Secret) Callback { return Callback{Shared: true} }, nil, true, false},
		"the secret of all, where another proved": {func([]Secret) Callback { return Callback{Shared: true} }, []string{"group/web"}, true, false},
		"the secret of all, once proved":          {func([]Secret) Callback { return Callback{Shared: true} }, []string{project}, false, false},
		"another's token":                         {func([]Secret) Callback { return Callback{Token: NewToken()} }, nil, false, false},
		"another's token and the secret of all":   {func([]Secret) Callback { return Callback{Token: NewToken(), Shared: true} }, nil, true, false},
		"another's token and the secret, proved":  {func([]Secret) Callback { return Callback{Token: NewToken(), Shared: true} }, []string{project}, false, false},
		"the sum of its token, as Redis has it":   {func(own []Secret) Callback { return Callback{Token: Secret(TokenSum(own[1]))} }, nil, false, false},
		"nothing":                                 {func([]Secret) Callback { return Callback{} }, nil, false, false},
	} {
		for _, result := range []Result{ResultStart, ResultSuccess, ResultFailure, ResultCanceled} {
			r, own := attempts(in(Running), 2)
			w := row.shows(own)
			w.Result, w.Pipeline = result, 7
			c := &court{proved: row.proved}
			next, v, err := c.hears(t, r, w)
			want := CallbackUnproven
			if row.takes {
				want = CallbackTaken
			}
			if v != want || err != nil {
				t.Errorf("%s, %s: %q %v, want %q", name, result, v, err, want)
			}
			if !row.takes && next.State != Running {
				t.Errorf("%s, %s: it moved to %s", name, result, next.State)
			}
			if next.Deployment.TokenShown != row.proves {
				t.Errorf("%s, %s: proved %v, want %v", name, result, next.Deployment.TokenShown, row.proves)
			}
			if !w.Shared && len(c.asked) > 0 {
				t.Errorf("%s, %s: asked what %q proved", name, result, c.asked)
			}
		}
	}
}

// A record that was not triggered yet has no project: absence is no permission.
func TestTheSecretOfAllStartsNothingInAChannelThatProvedItself(t *testing.T) {
	for _, result := range []Result{ResultStart, ResultSuccess} {
		c := &court{proved: []string{"group/web"}}
		if next, v, err := c.hears(t, accepted(), Callback{Shared: true, Result: result, Pipeline: 7}); v != CallbackUnproven || err != nil || next.State != Accepted {
			t.Errorf("%s: %q %v, and it is %s", result, v, err, next.State)
		}
	}
}

// Nor in a channel that the map of this process does not have, as while a map is
// changed: it cannot tell which projects are meant.
func TestTheSecretOfAllStartsNothingInAChannelThatIsNotKnown(t *testing.T) {
	for _, result := range []Result{ResultStart, ResultSuccess} {
		r := accepted()
		r.Mention.Channel = "C9"
		if next, v, err := (&court{}).hears(t, r, Callback{Shared: true, Result: result, Pipeline: 7}); v != CallbackUnproven || err != nil || next.State != Accepted {
			t.Errorf("%s: %q %v, and it is %s", result, v, err, next.State)
		}
	}
}

func TestWhatCannotBeJudgedIsNotTurnedAway(t *testing.T) {
	r, own := attempts(in(Running), 1)
	away := errors.New("the store is down")
	c := &court{err: away}
	if next, v, err := c.hears(t, r, Callback{Shared: true, Result: ResultSuccess}); v != "" || !errors.Is(err, away) || next.State != Running {
		t.Errorf("%q %v, and it is %s", v, err, next.State)
	}
	if next, v, err := c.hears(t, r, Callback{Token: own[0], Result: ResultSuccess}); v != CallbackTaken || err != nil || next.State != Succeeded {
		t.Errorf("with its token: %q %v, and it is %s", v, err, next.State)
	}
}

// A record of layout 1 has no tokens: an older process made its POST.
func TestARecordWithoutTokensIsProvedByNobody(t *testing.T) {
	r := in(Running)
	r.Tokens = nil
	for _, token := range []Secret{NewToken(), ""} {
		if _, v, _ := (&court{}).hears(t, r, Callback{Token: token, Result: ResultSuccess}); v != CallbackUnproven {
			t.Errorf("%d characters: %q", len(token), v)
		}
	}
	// Its pipeline has nothing else to show, also where another proves itself while the upgrade is under way.
	for _, proved := range [][]string{nil, {target.Project}} {
		if _, v, _ := (&court{proved: proved}).hears(t, r, Callback{Shared: true, Result: ResultSuccess}); v != CallbackTaken {
			t.Errorf("the secret of all, proved %q: %q", proved, v)
		}
	}
}

func TestAStartOfAnEarlierAttemptIsAdoptedOrStopped(t *testing.T) {
	for _, s := range []State{Triggering, Waiting, Unsure} {
		r, own := attempts(in(s), 2)
		r.Deployment.Pipeline = 0
		next, v, err := (&court{}).hears(t, r, Callback{Token: own[0], Result: ResultStart, Pipeline: 9})
		if v != CallbackTaken || err != nil || next.Deployment.Pipeline != 9 || next.State != Running {
			t.Errorf("%s: %q %v, pipeline %d, %s", s, v, err, next.Deployment.Pipeline, next.State)
		}
		if _, v, _ := (&court{}).hears(t, next, Callback{Token: own[1], Result: ResultStart, Pipeline: 10}); v != CallbackStop {
			t.Errorf("%s: the other attempt's start: %q", s, v)
		}
	}
}

func TestTokensAreKnownByTheirForm(t *testing.T) {
	token := NewToken().Reveal()
	if !IsToken(token) || IsToken(token+"A") || IsToken("x"+token) || IsToken(token[:35]) || IsToken("") || IsToken(token+"\n") {
		t.Error("the form is not told")
	}
	if got := ScrubTokens("a " + token + "," + token + "z"); got != "a [redacted],[redacted]z" {
		t.Errorf("scrubbed: %s", got)
	}
}
