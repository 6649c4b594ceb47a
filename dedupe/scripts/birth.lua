-- birth: since when the store remembers; set if it is missing.
--
-- KEYS[1]  the store's birth
-- ARGV[1]  the birth if there is none, Unix ms
-- returns  {now, birth}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local birth = redis.call('GET', KEYS[1])
if not birth then
  birth = ARGV[1]
  redis.call('SET', KEYS[1], birth)
end
return {now, tonumber(birth)}
