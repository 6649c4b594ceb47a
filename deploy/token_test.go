package deploy

import "testing"

func TestTokensAreKnownByTheirForm(t *testing.T) {
	token := NewToken().Reveal()
	if !IsToken(token) || IsToken(token+"A") || IsToken("x"+token) || IsToken(token[:35]) || IsToken("") || IsToken(token+"\n") {
		t.Error("the form is not told")
	}
	if got := ScrubTokens("a " + token + "," + token + "z"); got != "a [redacted],[redacted]z" {
		t.Errorf("scrubbed: %s", got)
	}
}
