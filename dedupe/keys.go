package dedupe

import (
	"strings"

	"github.com/getto-systems/psycher/deploy"
)

// keys builds the names of the keys; it is their hash tag, with the braces.
type keys string

func (k keys) recordPrefix() string         { return string(k) + ":record:" }
func (k keys) record(key deploy.Key) string { return k.recordPrefix() + key.String() }
func (k keys) due() string                  { return string(k) + ":due" }
func (k keys) birth() string                { return string(k) + ":birth" }

func (k keys) openPrefix() string               { return string(k) + ":open:" }
func (k keys) open(team, channel string) string { return k.openPrefix() + team + ":" + channel }

func (k keys) history(t deploy.TargetID) string   { return string(k) + ":history:" + joined(t) }
func (k keys) queued(t deploy.TargetID) string    { return string(k) + ":queued:" + joined(t) }
func (k keys) active(t deploy.TargetID) string    { return string(k) + ":active:" + joined(t) }
func (k keys) successes(t deploy.TargetID) string { return string(k) + ":successes:" + joined(t) }

func (k keys) edits(team string) string { return string(k) + ":edits:" + team }

func (k keys) rolledBack() string { return string(k) + ":rolled-back" }

// proved takes a project as the target map spells it.
func (k keys) proved(project string) string { return string(k) + ":proved:" + project }

// probed stands for every target where rights are tried.
var probed = deploy.TargetID{Team: "probe"}

var escaped = strings.NewReplacer("%", "%25", ":", "%3A")

// joined differs for any two targets.
func joined(t deploy.TargetID) string {
	escape := escaped.Replace
	return escape(t.Team) + ":" + escape(t.Project) + ":" + escape(t.Ref) + ":" + escape(t.Key)
}
