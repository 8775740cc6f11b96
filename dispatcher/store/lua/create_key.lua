-- uses _audit.lua
-- Keeps a new API key.
--
-- ARGV[2]  id
-- ARGV[3]  created, ms since the epoch
-- ARGV[4]  the person who makes it, or ''
-- ARGV[5]  what the audit tells of it, a JSON object
-- ARGV[6…] the key's fields and values
-- Retention: for good, so that the list says what a name could do and until when.

redis.call('HSET', key('apikey', ARGV[2]), unpack(ARGV, 6))
redis.call('ZADD', key('keys'), ARGV[3], ARGV[2])
if ARGV[4] ~= '' then
  local facts = cjson.decode(ARGV[5])
  audit(ARGV[4], 'keys.create', 'key:' .. ARGV[2], facts.note or '', facts)
end
return 1
