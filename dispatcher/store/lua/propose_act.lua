-- uses _audit.lua, _bulk.lua
-- Keeps what was chosen for an act, so that it can be begun; an act that stands is left as it is.
--
-- ARGV[2]  act's id
-- ARGV[3]  where the ids were written to: the last part of the name of a list
-- ARGV[4]  ms for which it is kept
-- ARGV[5…] fields and values
-- answer   1, or 0 where the act stands already

local ids = key('act', ARGV[2], ARGV[3])
if redis.call('EXISTS', ACT) == 1 then
  redis.call('DEL', ids)
  return 0
end
redis.call('HSET', ACT, 'state', 'created', unpack(ARGV, 5))
redis.call('PEXPIRE', ACT, ARGV[4])
if redis.call('EXISTS', ids) == 1 then
  redis.call('RENAME', ids, IDS)
  redis.call('PEXPIRE', IDS, ARGV[4])
end
return 1
