package demo

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/internal/sandbox"
)

func TestTheLanguageIsTheMachines(t *testing.T) {
	for _, tt := range []struct {
		environ string
		want    string
	}{
		{"", "en"},
		{"LANG=C.UTF-8", "en"},
		{"LANG=en_US.UTF-8", "en"},
		{"LANG=ja_JP.UTF-8", "ja"},
		{"LANG=ja", "ja"},
		{"LANG=ja_JP.UTF-8 LC_MESSAGES=en_US.UTF-8", "en"},
		{"LANG=en_US.UTF-8 LC_MESSAGES=ja_JP.UTF-8", "ja"},
		{"LANG=ja_JP.UTF-8 LC_MESSAGES=ja_JP.UTF-8 LC_ALL=C", "en"},
		{"LANG=ja_JP.UTF-8 LC_ALL=", "ja"},
		{"LC_CTYPE=ja_JP.UTF-8", "en"},
	} {
		if got := language(strings.Fields(tt.environ)); got != tt.want {
			t.Errorf("%q is %s", tt.environ, got)
		}
	}
}

func TestALineIsAMentionAndANumberAPress(t *testing.T) {
	box, err := sandbox.Start(t.Context(), "en")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	var pressed []int
	lines := "release\n 1 \n\n１２\n/fail\nrelease 2\n"
	if err := typed(t.Context(), box, strings.NewReader(lines), func(string) {}, func(n int) { pressed = append(pressed, n) }); err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, m := range box.Slack.Channel(sandbox.Channel) {
		said = append(said, m.Text)
	}
	if diff := cmp.Diff([]string{"<@U0BOT> release", "<@U0BOT> release 2"}, said); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{1, 12}, pressed); diff != "" || !box.FailsNext() {
		t.Errorf("pressed %s; the next fails: %v", diff, box.FailsNext())
	}
}
