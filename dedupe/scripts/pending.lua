-- pending: read the records that have a due time, without taking them.
--
-- KEYS[1]  the due times      ARGV[1]  how many at most
-- KEYS[2]  the store's birth  ARGV[2]  the prefix of records' keys
-- returns  {now, birth or now, record, its due time, ...}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local out = {now, tonumber(redis.call('GET', KEYS[2]) or now)}
local due = redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1, 'WITHSCORES')
for i = 1, #due, 2 do
  local record = redis.call('GET', ARGV[2] .. due[i])
  if record then
    out[#out + 1] = record
    out[#out + 1] = tonumber(due[i + 1])
  end
end
return out
