-- uses _audit.lua
-- Lets nobody in by an API key any more.
--
-- ARGV[2]  id
-- ARGV[3]  the person who revokes it, or ''
-- ARGV[4]  why
-- answer   'gone' | 'revoked' | 'already'

local name = redis.call('HGET', key('apikey', ARGV[2]), 'name')
if not name then
  return 'gone'
elseif redis.call('HSETNX', key('apikey', ARGV[2]), 'revoked', int(NOW)) == 0 then
  return 'already'
end
if ARGV[3] ~= '' then
  audit(ARGV[3], 'keys.revoke', 'key:' .. ARGV[2], ARGV[4], { name = name })
end
return 'revoked'
