package cmd

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/getto-systems/psycher/deploy"
)

func TestNoTokenOfADeploymentIsLogged(t *testing.T) {
	token := deploy.NewToken().Reveal()
	for _, format := range []string{"json", "console"} {
		var out bytes.Buffer
		log := newLog(Settings{LogFormat: format}, &out)
		log.Error().Err(errors.New("GitLab said: "+token)).Str("detail", "x"+token+"y").Msg(token)
		if strings.Contains(out.String(), "psy_") || strings.Count(out.String(), "[redacted]") != 3 {
			t.Errorf("%s: %s", format, &out)
		}
	}
}
