-- load: read a record, or the one that a target's last names.
--
-- KEYS[1]  the record, or a target's last  ARGV[1]  the prefix of records' keys if KEYS[1] is a last, else empty
-- KEYS[2]  the store's birth
-- returns  {now, birth or now, record if it exists}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local found = redis.call('GET', KEYS[1])
if found and ARGV[1] ~= '' then
  found = redis.call('GET', ARGV[1] .. found)
end
return {now, tonumber(redis.call('GET', KEYS[2]) or now), found or nil}
