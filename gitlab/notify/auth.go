package notify

import (
	"crypto/sha256"
	"crypto/subtle"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getto-systems/psycher/deploy"
)

// unproven is the text of every 401, so that nobody learns from it which
// deployments there are.
const unproven = "this call does not prove its deployment: show the PSYCHER_TOKEN that came with the trigger, as the bearer (examples/notify.sh does). " +
	"NOTIFY_TOKEN counts only until a call of the project has shown one; psycher unprove PROJECT goes back to that"

// findProof looks for proof among the texts that a call shows: the first that has
// the form of a PSYCHER_TOKEN, and whether the shared secret, if there is one, is
// there. The time it takes tells nothing about the secret.
func findProof(shown []string, secret deploy.Secret) (token deploy.Secret, shared bool) {
	found, want := 0, sha256.Sum256([]byte(secret.Reveal()))
	for _, s := range shown {
		sum := sha256.Sum256([]byte(s))
		found |= subtle.ConstantTimeCompare(sum[:], want[:])
		// mutant: a malformed token looked up
		if token == "" && deploy.IsToken(s) {
			token = deploy.Secret(s)
		}
	}
	return token, found == 1 && secret != ""
}

// bearers returns the tokens of the Authorization headers.
func bearers(h http.Header) []string {
	var tokens []string
	for _, value := range h.Values("Authorization") {
		if scheme, token, _ := strings.Cut(value, " "); strings.EqualFold(scheme, "Bearer") {
			tokens = append(tokens, strings.TrimSpace(token))
		}
	}
	return tokens
}

// credentials returns all texts of a call that may be a secret: the value of
// token, and the name of any parameter, whatever its value. The name of a field
// is never taken for a secret.
func (c call) credentials() []string {
	var shown []string
	for _, place := range []url.Values{c.query, c.body} {
		shown = append(shown, place["token"]...)
		for _, name := range slices.Sorted(maps.Keys(place)) {
			if !isField(name) {
				shown = append(shown, name)
			}
		}
	}
	return shown
}
