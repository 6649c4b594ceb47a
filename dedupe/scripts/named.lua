-- named: read the records that a sorted set names, without taking them. A name
-- without a record is removed.
--
-- KEYS[1]  the due times, what is going on  ARGV[1]  the first, by its score; negative: from the end
--          in a channel, or a target's      ARGV[2]  the last
--          deployments or successes         ARGV[3]  the prefix of records' keys
-- KEYS[2]  the store's birth
-- returns  {now, birth or now, record, its score, ...}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local out = {now, tonumber(redis.call('GET', KEYS[2]) or now)}
local named = redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[2], 'WITHSCORES')
for i = 1, #named, 2 do
  local record = redis.call('GET', ARGV[3] .. named[i])
  if record then
    out[#out + 1] = record
    out[#out + 1] = tonumber(named[i + 1])
  else
    -- mutant: a history entry that is not removed with its record
    redis.call('ZREM', KEYS[1], named[i])
  end
end
return out
