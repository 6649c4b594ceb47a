package doctor

var redisChecks = []check{}
