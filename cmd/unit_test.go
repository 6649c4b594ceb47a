package cmd

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/getto-systems/psycher/cmd/settings"
)

// The lines of examples/psycher.service that hand each secret over as a file
// give the program all that it requires.
func TestTheUnitGivesWhatIsRequired(t *testing.T) {
	text, err := os.ReadFile("../examples/psycher.service")
	if err != nil {
		t.Fatal(err)
	}
	unit := string(text)
	credentials := t.TempDir() // systemd's %d
	secrets := map[string]string{
		"SLACK_APP_TOKEN": "xapp-test", "SLACK_BOT_TOKEN": "xoxb-test",
		"GITLAB_TRIGGER_TOKENS": `{"T01ABC": {"C01ABC": {"app": {"project_id": 1, "token": "glptt-test-0000000000"}}}}`,
	}
	var environ []string
	for _, m := range regexp.MustCompile(`(?m)^Environment=(\w+)_FILE=%d/(\S+)$`).FindAllStringSubmatch(unit, -1) {
		name, file := m[1], m[2]
		if !strings.Contains(unit, "\nLoadCredential="+file+":/etc/psycher/"+file+"\n") {
			t.Errorf("no LoadCredential gives %s", file)
		}
		if err := os.WriteFile(filepath.Join(credentials, file), []byte(secrets[name]+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		environ = append(environ, name+"_FILE="+filepath.Join(credentials, file))
	}
	s, _, err := settings.Load(environ, "")
	if err != nil {
		t.Fatal(err)
	}
	if s.SlackAppToken.Reveal() != secrets["SLACK_APP_TOKEN"] || s.SlackBotToken.Reveal() != secrets["SLACK_BOT_TOKEN"] {
		t.Error("the secrets are not those of the files")
	}
}
