package doctor

var slackChecks = []check{}
