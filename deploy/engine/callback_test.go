package engine

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/targets"
)

// provenStore is a store that knows which projects have proved themselves.
type provenStore struct {
	racingStore
	proved []string
	asked  []string
	err    error
}

func (c *provenStore) Proved(_ context.Context, projects ...string) (bool, error) {
	c.asked = append(c.asked, projects...)
	return slices.ContainsFunc(projects, func(p string) bool { return slices.Contains(c.proved, p) }), c.err
}

// attempts returns a record with the tokens of n attempts.
func attempts(r deploy.Record, n int) (deploy.Record, []deploy.Secret) {
	var tokens []deploy.Secret
	for range n {
		tokens = append(tokens, deploy.NewToken())
		r.Tokens = append(slices.Clone(r.Tokens), deploy.TokenSum(tokens[len(tokens)-1]))
	}
	return r, tokens
}

// callback stores a record and calls an engine about it.
func (c *provenStore) callback(t *testing.T, r deploy.Record, w deploy.Callback) (deploy.Record, deploy.CallbackResult, error) {
	t.Helper()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := targets.Parse([]byte(`{"T1":{"C1":{"app":{"project_id":42,"token":"glptt-test-0000"},"web":{"project_id":"group/web","token":"glptt-test-0000"}}}}`), "master", time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.bytes = raw
	w.Channel, w.TS = r.Request.Channel, r.Request.TS
	v, err := (&Engine{Store: c, Config: config(targets, deploy.Timing{})}).Callback(t.Context(), w)
	h, _, loadErr := c.Load(t.Context(), deploy.Key{})
	if loadErr != nil {
		t.Fatal(loadErr)
	}
	return *h.Record, v, err
}

func TestWhatAWordShowsDecidesWhetherItCounts(t *testing.T) {
	project := target.Project
	for name, row := range map[string]struct {
		shows  func(own []deploy.Secret) deploy.Callback
		proved []string
		takes  bool
		proves bool
	}{
		"its token":                               {func(own []deploy.Secret) deploy.Callback { return deploy.Callback{Token: own[1]} }, nil, true, true},
		"its token, once proved":                  {func(own []deploy.Secret) deploy.Callback { return deploy.Callback{Token: own[1]} }, []string{project}, true, true},
		"the token of an attempt before":          {func(own []deploy.Secret) deploy.Callback { return deploy.Callback{Token: own[0]} }, []string{project}, true, true},
		"its token and the secret of all":         {func(own []deploy.Secret) deploy.Callback { return deploy.Callback{Token: own[1], Shared: true} }, []string{project}, true, true},
		"the secret of all":                       {func([]deploy.Secret) deploy.Callback { return deploy.Callback{Shared: true} }, nil, true, false},
		"the secret of all, where another proved": {func([]deploy.Secret) deploy.Callback { return deploy.Callback{Shared: true} }, []string{"group/web"}, true, false},
		"the secret of all, once proved":          {func([]deploy.Secret) deploy.Callback { return deploy.Callback{Shared: true} }, []string{project}, false, false},
		"another's token":                         {func([]deploy.Secret) deploy.Callback { return deploy.Callback{Token: deploy.NewToken()} }, nil, false, false},
		"another's token and the secret of all":   {func([]deploy.Secret) deploy.Callback { return deploy.Callback{Token: deploy.NewToken(), Shared: true} }, nil, true, false},
		"another's token and the secret, proved":  {func([]deploy.Secret) deploy.Callback { return deploy.Callback{Token: deploy.NewToken(), Shared: true} }, []string{project}, false, false},
		"the sum of its token, as Redis has it": {func(own []deploy.Secret) deploy.Callback {
			return deploy.Callback{Token: deploy.Secret(deploy.TokenSum(own[1]))}
		}, nil, false, false},
		"nothing": {func([]deploy.Secret) deploy.Callback { return deploy.Callback{} }, nil, false, false},
	} {
		for _, result := range []deploy.Result{deploy.ResultStart, deploy.ResultSuccess, deploy.ResultFailure, deploy.ResultCanceled} {
			r, own := attempts(in(deploy.Running), 2)
			w := row.shows(own)
			w.Result, w.Pipeline = result, 7
			c := &provenStore{proved: row.proved}
			next, v, err := c.callback(t, r, w)
			want := deploy.CallbackUnproven
			if row.takes {
				want = deploy.CallbackTaken
			}
			if v != want || err != nil {
				t.Errorf("%s, %s: %q %v, want %q", name, result, v, err, want)
			}
			if !row.takes && next.State != deploy.Running {
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
	for _, result := range []deploy.Result{deploy.ResultStart, deploy.ResultSuccess} {
		c := &provenStore{proved: []string{"group/web"}}
		if next, v, err := c.callback(t, accepted(), deploy.Callback{Shared: true, Result: result, Pipeline: 7}); v != deploy.CallbackUnproven || err != nil || next.State != deploy.Accepted {
			t.Errorf("%s: %q %v, and it is %s", result, v, err, next.State)
		}
	}
}

// Nor in a channel that is missing in this process's map, as while a map is being
// changed: which projects are meant is not known.
func TestTheSecretOfAllStartsNothingInAChannelThatIsNotKnown(t *testing.T) {
	for _, result := range []deploy.Result{deploy.ResultStart, deploy.ResultSuccess} {
		r := accepted()
		r.Request.Channel = "C9"
		if next, v, err := (&provenStore{}).callback(t, r, deploy.Callback{Shared: true, Result: result, Pipeline: 7}); v != deploy.CallbackUnproven || err != nil || next.State != deploy.Accepted {
			t.Errorf("%s: %q %v, and it is %s", result, v, err, next.State)
		}
	}
}

func TestWhatCannotBeJudgedIsNotTurnedAway(t *testing.T) {
	r, own := attempts(in(deploy.Running), 1)
	away := errors.New("the store is down")
	c := &provenStore{err: away}
	if next, v, err := c.callback(t, r, deploy.Callback{Shared: true, Result: deploy.ResultSuccess}); v != "" || !errors.Is(err, away) || next.State != deploy.Running {
		t.Errorf("%q %v, and it is %s", v, err, next.State)
	}
	if next, v, err := c.callback(t, r, deploy.Callback{Token: own[0], Result: deploy.ResultSuccess}); v != deploy.CallbackTaken || err != nil || next.State != deploy.Succeeded {
		t.Errorf("with its token: %q %v, and it is %s", v, err, next.State)
	}
}

func TestARecordWithoutTokensIsProvedByNobody(t *testing.T) {
	r := in(deploy.Running)
	r.Tokens = nil
	for _, token := range []deploy.Secret{deploy.NewToken(), ""} {
		if _, v, _ := (&provenStore{}).callback(t, r, deploy.Callback{Token: token, Result: deploy.ResultSuccess}); v != deploy.CallbackUnproven {
			t.Errorf("%d characters: %q", len(token), v)
		}
	}
}

func TestAStartOfAnEarlierAttemptIsAdoptedOrStopped(t *testing.T) {
	for _, s := range []deploy.State{deploy.Triggering, deploy.Waiting, deploy.Unsure} {
		r, own := attempts(in(s), 2)
		r.Deployment.Pipeline = 0
		next, v, err := (&provenStore{}).callback(t, r, deploy.Callback{Token: own[0], Result: deploy.ResultStart, Pipeline: 9})
		if v != deploy.CallbackTaken || err != nil || next.Deployment.Pipeline != 9 || next.State != deploy.Running {
			t.Errorf("%s: %q %v, pipeline %d, %s", s, v, err, next.Deployment.Pipeline, next.State)
		}
		if _, v, _ := (&provenStore{}).callback(t, next, deploy.Callback{Token: own[1], Result: deploy.ResultStart, Pipeline: 10}); v != deploy.CallbackStop {
			t.Errorf("%s: the other attempt's start: %q", s, v)
		}
	}
}
