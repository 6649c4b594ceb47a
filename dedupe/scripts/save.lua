-- save: replace a record if it is still what was read, and set its due time.
--
-- KEYS[1]  the record         ARGV[1]  the bytes that were read
-- KEYS[2]  the due times      ARGV[2]  the new bytes, with a new revision
-- KEYS[3]  the target's last  ARGV[3]  due in, ms; negative: never
-- KEYS[4]  whether its        ARGV[4]  time to live, ms, if the record was lost
--          project proved     ARGV[5]  the record's name among the due times
--          itself             ARGV[6]  1: it is the target's newest deployment
-- KEYS[5]  what is going on   ARGV[7]  1: a callback of the project has proved itself
--          in the channel     ARGV[8]  1: the record is part of that
-- returns  {now, 1 saved by this call or an earlier try of it | 0 it was changed}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local existing = redis.call('GET', KEYS[1])
-- mutant: a save without the compare
if existing and existing ~= ARGV[1] and existing ~= ARGV[2] then
  return {now, 0}
end
if tonumber(ARGV[3]) >= 0 then
  redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[5])
else
  redis.call('ZREM', KEYS[2], ARGV[5])
end
if ARGV[6] == '1' then
  redis.call('SET', KEYS[3], ARGV[5], 'PX', ARGV[4])
end
if ARGV[8] == '1' then
  -- mutant: a record that cannot be found to stop it
  redis.call('ZADD', KEYS[5], now, ARGV[5])
else
  redis.call('ZREM', KEYS[5], ARGV[5])
end
if ARGV[7] == '1' then
  -- mutant: a proof that is not kept
  redis.call('SET', KEYS[4], '1')
end
if existing then
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
end
return {now, 1}
