package doctor

import "context"

var settingsChecks = []check{
	{"settings: names", false, misspelt}, // at the start they are logged at once,
}

// misspelt tells of variables that are not settings and nearly are.
func misspelt(_ context.Context, d *Doctor) (all []Finding) {
	for _, w := range d.Warnings {
		all = append(all, fault("", w, "rename the variable, or unset it"))
	}
	if all == nil {
		all = append(all, ok("", "no name is misspelt"))
	}
	return all
}
