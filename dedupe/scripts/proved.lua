-- proved: has a callback of one of these projects proved itself?
--
-- KEYS     a project's proof, each
-- returns  {now, 1 yes | 0 no}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == '1' then
    return {now, 1}
  end
end
return {now, 0}
