package deploy

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
)

// Each attempt to start a pipeline has a token of its own, PSYCHER_TOKEN among the
// pipeline's variables. Its callbacks show it, which proves that they come from a
// pipeline of this deployment. The record keeps only the sums, so that nobody who
// reads the store can forge one.

const (
	tokenPrefix = "psy_"
	tokenBytes  = 20 // 160 bits: 32 characters of base32
	maxTokens   = 32 // of a record's attempts, the newest
)

// TokenForm matches a PSYCHER_TOKEN anywhere in a text, so that it can be removed
// from what is logged or shown.
var TokenForm = regexp.MustCompile(`psy_[A-Z2-7]{32}`)

// NewToken makes the PSYCHER_TOKEN of one attempt.
func NewToken() Secret {
	b := make([]byte, tokenBytes)
	_, _ = rand.Read(b) // it never fails: crypto/rand ends the program first
	return Secret(tokenPrefix + base32.StdEncoding.EncodeToString(b))
}

// TokenSum is what the record keeps of a token: its SHA-256, in base64.
func TokenSum(t Secret) string {
	sum := sha256.Sum256([]byte(t.Reveal()))
	return base64.RawStdEncoding.EncodeToString(sum[:])
}

// withNewest adds one to a copy of a list, of which so many are kept: the last ones.
func withNewest[T any](all []T, one T, kept int) []T {
	all = append(slices.Clone(all), one)
	// mutant: tokens of the first attempts kept, not of the last
	return all[max(0, len(all)-kept):]
}

// IsToken reports whether the whole text has the form of a PSYCHER_TOKEN. A text
// without it proves nothing, which is known before any record is read.
func IsToken(s string) bool { return s != "" && TokenForm.FindString(s) == s }

// ScrubTokens removes everything that has the form of a PSYCHER_TOKEN from a text
// that came from outside, such as an error of GitLab's that repeats a pipeline's
// variables.
func ScrubTokens(s string) string { return TokenForm.ReplaceAllLiteralString(s, redacted) }

// ProvenBy reports whether a callback shows the token of one of the record's
// attempts.
func (r Record) ProvenBy(c Callback) bool {
	if c.Token == "" {
		return false
	}
	sum, found := []byte(TokenSum(c.Token)), 0
	for _, of := range r.Tokens {
		found |= subtle.ConstantTimeCompare(sum, []byte(of))
	}
	// mutant: a proof that is not compared
	return found == 1
}

// Secret is a string that must never be shown: every way of printing or marshaling
// it yields "[redacted]".
type Secret string

const redacted = "[redacted]"

// Reveal returns the secret itself, for the one call that needs it.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string               { return redacted }
func (s Secret) Format(f fmt.State, _ rune)   { fmt.Fprint(f, redacted) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
