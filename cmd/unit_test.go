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

// The manifests of examples/kubernetes name settings that exist, and all that are
// required.
func TestKubernetesGivesWhatIsRequired(t *testing.T) {
	var manifests strings.Builder
	for _, file := range []string{"kustomization.yaml", "deployment.yaml"} {
		text, err := os.ReadFile("../examples/kubernetes/" + file)
		if err != nil {
			t.Fatal(err)
		}
		manifests.Write(text)
	}
	secrets := map[string]string{
		"slack-app-token": "xapp-test", "slack-bot-token": "xoxb-test", "redis-url": "redis://:password@redis:6379/0",
		"gitlab-trigger-tokens": `{"T01ABC": {"C01ABC": {"app": {"project_id": 1, "token": "glptt-test-0000000000"}}}}`,
	}
	mounted := t.TempDir() // /etc/psycher of the pod
	for _, m := range regexp.MustCompile(`(?m)^ +- secrets/(\S+)$`).FindAllStringSubmatch(manifests.String(), -1) {
		if err := os.WriteFile(filepath.Join(mounted, m[1]), []byte(secrets[m[1]]+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var environ []string
	for _, m := range regexp.MustCompile(`(?m)^ +- ([A-Z_]+=\S+)$`).FindAllStringSubmatch(manifests.String(), -1) {
		environ = append(environ, m[1])
	}
	for _, m := range regexp.MustCompile(`(?m)^ +- \{name: ([A-Z_]+), value: "?([^"}]+)"?\}`).FindAllStringSubmatch(manifests.String(), -1) {
		environ = append(environ, m[1]+"="+strings.Replace(m[2], "/etc/psycher", mounted, 1))
	}
	s, warnings, err := settings.Load(environ, "")
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if s.SlackAppToken.Reveal() != secrets["slack-app-token"] || s.SlackBotToken.Reveal() != secrets["slack-bot-token"] ||
		s.RedisURL.Reveal() != secrets["redis-url"] {
		t.Error("the secrets are not those of the files")
	}
	if s.NotifyURL == "" || s.AdminAddr != ":9090" || s.NotifyAddr != ":8080" {
		t.Errorf("it listens on %s and %s, for calls to %q", s.AdminAddr, s.NotifyAddr, s.NotifyURL)
	}
}
