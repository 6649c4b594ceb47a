package cmd

import (
	"bytes"
	"fmt"
	"io"

	"github.com/getto-systems/psycher/deploy"
)

// tokenless takes everything of a PSYCHER_TOKEN's form out of what is written. A
// token may come back from outside in any error's words, such as those of a
// GitLab that repeats a pipeline's variables; so this stands before all output,
// behind whoever knows better.
type tokenless struct{ to io.Writer }

func (t tokenless) Write(p []byte) (int, error) {
	clean := p
	if bytes.Contains(p, []byte("psy_")) {
		clean = []byte(deploy.ScrubTokens(string(p)))
	}
	if _, err := t.to.Write(clean); err != nil {
		return 0, fmt.Errorf("writing: %w", err)
	}
	return len(p), nil
}
