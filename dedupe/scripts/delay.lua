-- delay: move the due time of a record that nobody has changed.
--
-- KEYS[1]  the record     ARGV[1]  the bytes that were read
-- KEYS[2]  the due times  ARGV[2]  due in, ms; negative: never
--                         ARGV[3]  the record's name among the due times
-- returns  {now, 1 moved | 0 the record was changed}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

-- mutant: a delay that overwrites a callback's due time
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return {now, 0}
end
if tonumber(ARGV[2]) >= 0 then
  redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[3])
else
  redis.call('ZREM', KEYS[2], ARGV[3])
end
return {now, 1}
