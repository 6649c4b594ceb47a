package dedupe

import "github.com/redis/go-redis/v9"

// Every script checks first and writes last, since Lua is not rolled back; and
// of several writes that of the record is the last, so that a script that ends
// with an error has left the record as it was. Due times are made from the server's own clock: hosts' clocks differ. Each can be
// sent again after a lost answer and comes to the same.

const now = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`

// birth: since when the store remembers; made if missing.
//
//	KEYS[1]  the store's birth
//	ARGV[1]  the birth if there is none, Unix ms
//	answer   {now, birth}
var birthScript = redis.NewScript(now + `
local birth = redis.call('GET', KEYS[1])
if not birth then
  birth = ARGV[1]
  redis.call('SET', KEYS[1], birth)
end
return {now, birth}
`)

// claim: make the record of a mention unless there is one.
//
//	KEYS[1]  the record        ARGV[1]  its bytes, with a random mark
//	KEYS[2]  the due times     ARGV[2]  due in, ms; negative: not at all
//	KEYS[3]  the store's birth ARGV[3]  kept for, ms
//	                           ARGV[4]  the birth if there is none, Unix ms
//	                           ARGV[5]  the record's name among the due times
//	answer   {now, birth, 1 made by this call or an earlier try of it | 0 there was one}
var claimScript = redis.NewScript(now + `
local birth = redis.call('GET', KEYS[3])
local there = redis.call('GET', KEYS[1])
-- mutant: a claim that writes over the record
if there and birth then
  return {now, birth, there == ARGV[1] and 1 or 0}
end
if not birth then
  birth = ARGV[4]
  redis.call('SET', KEYS[3], birth)
end
if there then
  return {now, birth, there == ARGV[1] and 1 or 0}
end
if tonumber(ARGV[2]) >= 0 then
  redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[5])
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return {now, birth, 1}
`)

// probe does all that any script does, on keys of each kind, and comes to
// nothing: that the store answers does not say that it can be worked with (an
// ACL, a full memory, a replica). What it writes ends by itself. The first write
// is one that needs memory: what follows a write is let through. And the due time
// is taken out before it is put in: that may be what is forbidden.
const probe = `
  for _, key in ipairs({KEYS[3], KEYS[4]}) do
    redis.call('SET', key, 'probe', 'PX', 1000)
    redis.call('GET', key)
    redis.call('SET', key, 'probe', 'KEEPTTL')
  end
  redis.call('ZREM', KEYS[1], 'probe')
  redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', 0, 'WITHSCORES', 'LIMIT', 0, 1)
  -- mutant: a probe that does not write what the work writes
  redis.call('ZADD', KEYS[1], now + 1000, 'probe')
  redis.call('ZREM', KEYS[1], 'probe')
  if out[2] ~= 0 then
    redis.call('SET', KEYS[2], out[2])
  end
`

// take: hand out what is due, and move its due time on. A due time without a
// record is taken out.
//
//	KEYS[1]  the due times     ARGV[1]  at most so many
//	KEYS[2]  the store's birth ARGV[2]  the lease, ms
//	KEYS[3]  no record         ARGV[3]  what a record's key begins with
//	KEYS[4]  no target's last  ARGV[4]  1: probe first
//	answer   {now, birth or 0, in how many ms the next is due or -1, record, its due time, ...}
var takeScript = redis.NewScript(now + `
local out = {now, redis.call('GET', KEYS[2]) or 0, -1}
if ARGV[4] == '1' then` + probe + `end
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', 0, ARGV[1])
for i = 1, #due, 2 do
  local name = due[i]
  local record = redis.call('GET', ARGV[3] .. name)
  if record then
    -- mutant: a take that leaves the due time
    redis.call('ZADD', KEYS[1], now + ARGV[2], name)
    out[#out + 1] = record
    out[#out + 1] = due[i + 1]
  else
    redis.call('ZREM', KEYS[1], name)
  end
end
local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if next[2] then
  out[3] = math.max(0, next[2] - now)
end
return out
`)

// pending: read what has a due time, without taking it.
//
//	KEYS[1]  the due times     ARGV[1]  at most so many
//	KEYS[2]  the store's birth ARGV[2]  what a record's key begins with
//	answer   {now, birth or 0, record, its due time, ...}
var pendingScript = redis.NewScript(now + `
local out = {now, redis.call('GET', KEYS[2]) or 0}
local due = redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1, 'WITHSCORES')
for i = 1, #due, 2 do
  local record = redis.call('GET', ARGV[2] .. due[i])
  if record then
    out[#out + 1] = record
    out[#out + 1] = due[i + 1]
  end
end
return out
`)

// save: write the record over what was read, and its due time.
//
//	KEYS[1]  the record        ARGV[1]  the bytes that were read
//	KEYS[2]  the due times     ARGV[2]  the new bytes, with a fresh mark
//	KEYS[3]  the target's last ARGV[3]  due in, ms; negative: not at all
//	                           ARGV[4]  kept for, ms, if it is written anew
//	                           ARGV[5]  the record's name among the due times
//	KEYS[4]  what its project  ARGV[6]  1: it is the target's newest deployment
//	         has proved        ARGV[7]  1: a callback of the project has proved itself
//	answer   {now, 1 saved by this call or an earlier try of it | 0 something else stands there}
var saveScript = redis.NewScript(now + `
local there = redis.call('GET', KEYS[1])
-- mutant: a save without the compare
if there and there ~= ARGV[1] and there ~= ARGV[2] then
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
if ARGV[7] == '1' then
  -- mutant: proof that is not kept
  redis.call('SET', KEYS[4], '1')
end
if there then
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
end
return {now, 1}
`)

// delay: move the due time of a record that nobody changed.
//
//	KEYS[1]  the record        ARGV[1]  the bytes that were read
//	KEYS[2]  the due times     ARGV[2]  due in, ms; negative: not at all
//	                           ARGV[3]  the record's name among the due times
//	answer   {now, 1 moved | 0 something else stands there}
var delayScript = redis.NewScript(now + `
-- mutant: a delay that overwrites a word's due time
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return {now, 0}
end
if tonumber(ARGV[2]) >= 0 then
  redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[3])
else
  redis.call('ZREM', KEYS[2], ARGV[3])
end
return {now, 1}
`)

// proved: has a callback of one of these projects proved itself?
//
//	KEYS     what each project has proved
//	answer   {now, 1 yes | 0 no}
var provedScript = redis.NewScript(now + `
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == '1' then
    return {now, 1}
  end
end
return {now, 0}
`)

// unprove: forget that callbacks of a project have proved themselves. It takes
// no command that the other scripts do not: the key ends by itself.
//
//	KEYS[1]  what the project has proved
//	answer   {now, 1 one had | 0 none had}
var unproveScript = redis.NewScript(now + `
local had = redis.call('GET', KEYS[1]) == '1'
redis.call('SET', KEYS[1], '0', 'PX', 1)
return {now, had and 1 or 0}
`)

// load: read a record.
//
//	KEYS[1]  the record
//	KEYS[2]  the store's birth
//	answer   {now, birth or 0, record if there is one}
var loadScript = redis.NewScript(now + `
return {now, redis.call('GET', KEYS[2]) or 0, redis.call('GET', KEYS[1]) or nil}
`)

// last: read the record of a target's newest deployment.
//
//	KEYS[1]  the target's last ARGV[1]  what a record's key begins with
//	KEYS[2]  the store's birth
//	answer   {now, birth or 0, record if there is one}
var lastScript = redis.NewScript(now + `
local name = redis.call('GET', KEYS[1])
return {now, redis.call('GET', KEYS[2]) or 0, name and redis.call('GET', ARGV[1] .. name) or nil}
`)
