package doctor

import "context"

var settingsChecks = []check{
	{"settings: names", false, nil, misspelt}, // at the start they are logged at once
}

// Rename is what to do about a warning of the settings.
const Rename = "rename the variable, or unset it"

// misspelt tells of variables that are not settings and nearly are.
func misspelt(_ context.Context, d *Doctor, found report) {
	for _, w := range d.Warnings {
		found("", fault(w, Rename))
	}
	if d.Warnings == nil {
		found("", ok("no name is misspelt"))
	}
}
