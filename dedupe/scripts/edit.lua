-- edit: take one of the edits that a workspace may make. Slack allows 50 a minute:
-- with 12 at once, and then one every 1.6 s, no minute has more than 49. What is
-- not urgent takes the first 4 of the 12 only, and leaves the rest.
--
-- KEYS[1]  when all 12 are there again, Unix ms
-- ARGV[1]  1: it is urgent
-- returns  {now, 0 taken | in how many ms to ask again}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local interval, most = 1600, 12
local mine = ARGV[1] == '1' and most or 4
local full = tonumber(redis.call('GET', KEYS[1]) or now)
if full < now or full > now + most * interval then -- farther off: the clock was set back
  full = now
end
local wait = full + interval - now - mine * interval
if wait > 0 then
  return {now, wait}
end
-- mutant: an edit that ignores the others
redis.call('SET', KEYS[1], full + interval, 'PX', full + interval - now)
return {now, 0}
