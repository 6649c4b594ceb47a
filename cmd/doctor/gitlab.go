package doctor

var gitlabChecks = []check{}
