package cmd_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

// Whoever ends it early has no verdict, and gets none, however GitLab hangs.
func TestADoctorThatIsEndedEarlyFindsNothing(t *testing.T) {
	t.Parallel()
	p := prepare(t, []string{"psycher", "doctor"}, "NOTIFY_ADDR="+freeAddr(t))
	p.GitLab.FailLookUps(-1, "", fakegitlab.Fault{Hang: true})
	p.cmd.Stdout = nil
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.start(t)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "slack: interactivity") { // GitLab's checks come next
			_ = p.cmd.Process.Signal(os.Interrupt)
		}
		if strings.Contains(lines.Text(), "no fault") {
			t.Error("it says", lines.Text())
		}
	}
	p.ends(t, 1, "psycher: ended before all was checked")
}

// findings are the lines of psycher doctor --json.
func (p *process) findings(t *testing.T) (found []map[string]string) {
	t.Helper()
	p.cmd.Stdout = nil
	out, err := p.cmd.Output()
	for line := range strings.Lines(string(out)) {
		var f map[string]string
		if wrong := json.Unmarshal([]byte(line), &f); wrong != nil {
			t.Errorf("%q: %v", line, wrong)
		}
		found = append(found, f)
	}
	if len(found) == 0 {
		t.Error("no finding is printed:", err)
	}
	return found
}

// Also what keeps the settings from being read is a finding.
func TestADoctorWithoutSettingsPrintsFindings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ setting, says string }{
		{"SLACK_BOT_TOKEN=xapp-wrong", "SLACK_BOT_TOKEN: this is a Slack app-level token"},
		{"PSYCHER_SECRET=aws-sm://ap-northeast-1/psycher", "PSYCHER_SECRET: AWS cannot be reached"},
	} {
		p := prepare(t, []string{"psycher", "doctor", "--json"}, c.setting, "AWS_ENDPOINT_URL_SECRETS_MANAGER=http://"+freeAddr(t),
			"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_MAX_ATTEMPTS=1")
		p.cmd.Stderr = nil
		if found := p.findings(t); len(found) != 1 || found[0]["verdict"] != "fault" || !strings.HasPrefix(found[0]["seen"], c.says) {
			t.Errorf("%s: %v", c.setting, found)
		}
		if code := p.cmd.ProcessState.ExitCode(); code != 1 {
			t.Errorf("%s: exit code %d", c.setting, code)
		}
	}
}

// Who writes a project's CI file, or names its jobs, writes to no operator's terminal.
func TestADoctorPrintsForeignTextOnOneLine(t *testing.T) {
	t.Parallel()
	p := prepare(t, []string{"psycher", "doctor"}, "NOTIFY_ADDR="+freeAddr(t))
	p.GitLab.FailLookUps(-1, "/ci/lint", fakegitlab.Fault{
		Status: 200, Header: map[string]string{"Content-Type": "application/json"},
		Body: `{"valid": true, "merged_yaml": "$RELEASE notify.sh", "jobs": [{"name": "deploy\u001b[2J\nok          all: well\u202e", "stage": "deploy"}]}`,
	})
	p.cmd.Stdout, p.cmd.Stderr = nil, nil
	out, _ := p.cmd.Output()
	if text := string(out); !strings.Contains(text, "these jobs deploy: deploy[2Jok          all: well\n") || strings.ContainsAny(text, "\x1b\u202e") {
		t.Errorf("it prints %q", text)
	}
}
