-- take: hand out due records, and postpone each by the lease. A due time without
-- a record is removed.
--
-- KEYS[1]  the due times            ARGV[1]  how many at most
-- KEYS[2]  the store's birth        ARGV[2]  the lease, ms
-- KEYS[3]  a record,                ARGV[3]  the prefix of records' keys
-- KEYS[4]  edits of a workspace,    ARGV[4]  1: probe first
-- KEYS[5]  whether something was    ARGV[5]  the prefix of the keys of what is going on
--          rolled back
-- KEYS[6]  and a sorted set of each kind, for the probe
--  ...
-- returns  {now, birth or now, in how many ms the next is due or -1, 1 something was rolled back, record, its due time, ...}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local birth = redis.call('GET', KEYS[2])
local out = {now, tonumber(birth or now), -1, redis.call('GET', KEYS[5]) and 1 or 0}

-- probe does everything that any script does, on keys of each kind, without a
-- lasting effect: a store that answers may still refuse work (an ACL, full memory,
-- a replica). What it writes expires. The first write is one that needs memory,
-- because Redis lets through what follows a write. A due time is removed before
-- one is added: only the removal may be forbidden.
local function probe()
  for _, key in ipairs({KEYS[3], KEYS[4]}) do
    redis.call('SET', key, 'probe', 'PX', 1000)
    redis.call('GET', key)
    redis.call('SET', key, 'probe', 'KEEPTTL')
  end
  redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', 0, 'WITHSCORES', 'LIMIT', 0, 1)
  -- mutant: a probe that writes nothing
  for _, set in ipairs({KEYS[1], unpack(KEYS, 6)}) do
    redis.call('ZREM', set, 'probe')
    redis.call('ZADD', set, now + 1000, 'probe')
    redis.call('ZADD', set, 'NX', now + 1000, 'probe')
    redis.call('ZADD', set, 'XX', 'LT', now, 'probe')
    redis.call('ZREM', set, 'probe')
  end
  if birth then
    redis.call('SET', KEYS[2], birth)
  end
end

if ARGV[4] == '1' then
  probe()
end

local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', 0, ARGV[1])
for i = 1, #due, 2 do
  local name = due[i]
  local record = redis.call('GET', ARGV[3] .. name)
  if record then
    -- mutant: a take that leaves the due time
    redis.call('ZADD', KEYS[1], now + ARGV[2], name)
    out[#out + 1] = record
    out[#out + 1] = tonumber(due[i + 1])
  else
    redis.call('ZREM', KEYS[1], name)
    redis.call('ZREM', ARGV[5] .. name:match('^(.*):'), name)
  end
end

local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if next[2] then
  out[3] = math.max(0, next[2] - now)
end
return out
