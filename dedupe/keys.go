package dedupe

import "github.com/getto-systems/psycher/deploy"

// keys builds the names of the keys; it is their hash tag, with the braces.
type keys string

func (k keys) recordPrefix() string         { return string(k) + ":record:" }
func (k keys) record(key deploy.Key) string { return k.recordPrefix() + key.String() }
func (k keys) due() string                  { return string(k) + ":due" }
func (k keys) birth() string                { return string(k) + ":birth" }

func (k keys) last(team, channel, target string) string {
	return string(k) + ":last:" + team + ":" + channel + ":" + target
}

// proved takes a project as the target map spells it.
func (k keys) proved(project string) string { return string(k) + ":proved:" + project }
