-- claim: create the record of a mention unless it exists.
--
-- KEYS[1]  the record         ARGV[1]  its bytes, with a random revision
-- KEYS[2]  the due times      ARGV[2]  due in, ms; negative: never
-- KEYS[3]  the store's birth  ARGV[3]  time to live, ms
-- KEYS[4]  what is going on   ARGV[4]  the birth if there is none, Unix ms
--          in the channel     ARGV[5]  the record's name among the due times
-- KEYS[5]  whether something  ARGV[6]  1: the record is part of what is going on
--          was rolled back
-- KEYS[6]  the target's       ARGV[7]  the prefix of records' keys
--          deployments        ARGV[8]  how many of the newest of KEYS[6] to read
--          that go on
-- returns  {now, birth, 1 created by this call or an earlier try of it | 0 it existed, 1 something was rolled back,
--          the name of a deployment that goes on, its record, ...}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local birth = redis.call('GET', KEYS[3])
local existing = redis.call('GET', KEYS[1])
local rolledBack = redis.call('GET', KEYS[5]) and 1 or 0
if not birth then
  birth = ARGV[4]
  redis.call('SET', KEYS[3], birth)
end
local out = {now, tonumber(birth), 1, rolledBack}
for _, name in ipairs(redis.call('ZRANGE', KEYS[6], -ARGV[8], -1)) do
  local record = redis.call('GET', ARGV[7] .. name)
  if record then
    out[#out + 1] = name
    out[#out + 1] = record
  else
    redis.call('ZREM', KEYS[6], name)
  end
end
-- mutant: a claim that writes over the record
if existing then
  out[3] = existing == ARGV[1] and 1 or 0
  return out
end
if tonumber(ARGV[2]) >= 0 then
  redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[5])
end
if ARGV[6] == '1' then
  -- mutant: a stop that misses what nobody has taken up
  redis.call('ZADD', KEYS[4], now, ARGV[5])
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return out
