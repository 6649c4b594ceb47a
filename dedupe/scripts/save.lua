-- save: replace a record if it is still what was read, and set its due time.
--
-- KEYS[1]  the record         ARGV[1]  the bytes that were read
-- KEYS[2]  the due times      ARGV[2]  the new bytes, with a new revision
-- KEYS[3]  the target's       ARGV[3]  due in, ms; negative: never
--          deployments        ARGV[4]  how long records are kept, ms
-- KEYS[4]  its successes      ARGV[5]  the record's name in the sorted sets
-- KEYS[5]  what is going on   ARGV[6]  when it was triggered, Unix ms; negative: it has not run
--          in the channel     ARGV[7]  when it succeeded, Unix ms; negative: it has not
-- KEYS[6]  whether its        ARGV[8]  1: the record is part of what is going on
--          project proved     ARGV[9]  1: a callback of the project has proved itself
--          itself             ARGV[10] 1: it is a rollback that may have run
-- KEYS[7]  whether something  ARGV[11] the prefix of records' keys, to read the
--          was rolled back             target's last success; empty: not to be read
-- KEYS[8]  the target's       ARGV[12] when it was triggered, Unix ms; negative: it does not go on
--          deployments        ARGV[13] 1: it is queued
--          that go on         ARGV[14] how many of the newest of KEYS[8] are compared; 0: none
-- KEYS[9]  its queue          ARGV[15] and after it: those that were read
-- returns  {now, 1 saved by this call or an earlier try of it | 0 it was changed, the success if it was read}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

-- remember adds the record to a sorted set. What is older than a record gets is
-- removed from its other end, two for each that is added.
local function remember(key, at)
  if tonumber(at) < 0 or redis.call('ZADD', key, at, ARGV[5]) == 0 then
    return
  end
  local oldest = redis.call('ZRANGE', key, 0, 1, 'WITHSCORES')
  for i = 1, #oldest, 2 do
    if tonumber(oldest[i + 1]) < now - ARGV[4] then
      redis.call('ZREM', key, oldest[i])
    end
  end
end

local existing = redis.call('GET', KEYS[1])
-- mutant: a save without the compare
if existing and existing ~= ARGV[1] and existing ~= ARGV[2] then
  return {now, 0}
end
if ARGV[14] ~= '0' and existing ~= ARGV[2] then
  local known = {[ARGV[5]] = true}
  for i = 15, #ARGV do
    known[ARGV[i]] = true
  end
  for _, name in ipairs(redis.call('ZRANGE', KEYS[8], -ARGV[14], -1)) do
    -- mutant: a deployment made beside one that has begun meanwhile
    if not known[name] then
      return {now, 0}
    end
  end
end
local success
if ARGV[11] ~= '' then
  local name = redis.call('ZRANGE', KEYS[4], -1, -1)[1]
  success = name and redis.call('GET', ARGV[11] .. name) or nil
end
if tonumber(ARGV[3]) >= 0 then
  redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[5])
else
  redis.call('ZREM', KEYS[2], ARGV[5])
end
remember(KEYS[3], ARGV[6])
-- mutant: a success that is not recorded
remember(KEYS[4], ARGV[7])
if ARGV[8] == '1' then
  -- mutant: a record that cannot be found to stop it
  redis.call('ZADD', KEYS[5], now, ARGV[5])
else
  redis.call('ZREM', KEYS[5], ARGV[5])
end
if ARGV[9] == '1' then
  -- mutant: a proof that is not kept
  redis.call('SET', KEYS[6], '1')
end
if ARGV[10] == '1' then
  redis.call('SET', KEYS[7], '1', 'PX', ARGV[4])
end
local left = 0
if tonumber(ARGV[12]) >= 0 then
  -- mutant: a deployment that goes on unknown to others
  redis.call('ZADD', KEYS[8], ARGV[12], ARGV[5])
else
  left = redis.call('ZREM', KEYS[8], ARGV[5])
end
if ARGV[13] == '1' then
  redis.call('ZADD', KEYS[9], 'NX', now, ARGV[5])
else
  left = left + redis.call('ZREM', KEYS[9], ARGV[5])
end
if left > 0 then
  for _, name in ipairs(redis.call('ZRANGE', KEYS[9], 0, -1)) do
    -- mutant: a queue that nobody tells whose turn it may be
    redis.call('ZADD', KEYS[2], 'XX', 'LT', now, name)
  end
end
if existing then
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
end
return {now, 1, success}
