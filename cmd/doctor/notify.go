package doctor

var notifyChecks = []check{}
