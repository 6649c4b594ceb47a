-- load: read a record.
--
-- KEYS[1]  the record
-- KEYS[2]  the store's birth
-- returns  {now, birth or now, record if it exists}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

return {now, tonumber(redis.call('GET', KEYS[2]) or now), redis.call('GET', KEYS[1]) or nil}
