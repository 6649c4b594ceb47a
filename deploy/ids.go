package deploy

import "strings"

// IsID reports whether s has the form of an id of Slack's: C..., T..., U....
func IsID(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// IsTimestamp reports whether s has the form of a message's ts: 1700000000.000100.
func IsTimestamp(s string) bool {
	sec, frac, _ := strings.Cut(s, ".")
	return isDigits(sec, 12) && isDigits(frac, 9)
}

func isDigits(s string, most int) bool {
	return s != "" && len(s) <= most && strings.Trim(s, "0123456789") == ""
}
