-- holder: read which deployment holds a target, or did last.
--
-- KEYS[1]  the target's holder  ARGV[1]  the prefix of records' keys
-- KEYS[2]  the store's birth
-- returns  {now, birth or now, its name or '', its record if it exists}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local holder = redis.call('GET', KEYS[1]) or ''
local record = holder ~= '' and redis.call('GET', ARGV[1] .. holder) or nil
return {now, tonumber(redis.call('GET', KEYS[2]) or now), holder, record}
