-- Closes a gate for the whole account, or adds to what is known of a closed one.
--
-- ARGV[2]  gate: credit or auth
-- ARGV[3]  why, in words
-- ARGV[4]  credits required, or ''
-- answer   1 if it was open

local standing = redis.call('HGET', key('gates'), ARGV[2])
local gate = standing and cjson.decode(standing) or { since = NOW, looks = 0, look_at = NOW }
gate.why = ARGV[3]
gate.required = math.max(gate.required or 0, tonumber(ARGV[4]) or 0)
redis.call('HSET', key('gates'), ARGV[2], cjson.encode(gate))
return standing and 0 or 1
