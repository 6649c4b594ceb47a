-- unprove: forget that callbacks of a project have proved themselves. It uses no
-- command that the other scripts do not use (see the rights that an ACL needs):
-- the key expires instead of being deleted.
--
-- KEYS[1]  the project's proof
-- returns  {now, 1 it had one | 0 it had none}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local had = redis.call('GET', KEYS[1]) == '1'
redis.call('SET', KEYS[1], '0', 'PX', 1)
return {now, had and 1 or 0}
