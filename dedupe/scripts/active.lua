-- active: read which deployments of a target go on. A name without a record is
-- removed.
--
-- KEYS[1]  the target's deployments   ARGV[1]  how many at most, the newest
--          that go on                 ARGV[2]  the prefix of records' keys
-- KEYS[2]  the store's birth
-- returns  {now, birth or now, name, record, ...}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local out = {now, tonumber(redis.call('GET', KEYS[2]) or now)}
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], -ARGV[1], -1)) do
  local record = redis.call('GET', ARGV[2] .. name)
  if record then
    out[#out + 1] = name
    out[#out + 1] = record
  else
    redis.call('ZREM', KEYS[1], name)
  end
end
return out
