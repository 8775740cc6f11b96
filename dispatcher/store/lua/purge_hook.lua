-- Forgets a webhook that nobody took, given up or not.
--
-- ARGV[2]  delivery
-- ARGV[3]  ms since the epoch: only if its event and the last order to retry it came before
-- answer   1 if it is gone

local id = ARGV[2]
local line, since = unpack(redis.call('HMGET', key('hook', id), '@line', '@since'))
if line and tonumber(since) >= tonumber(ARGV[3]) then
  return 0
end
redis.call('ZREM', key('hooks', 'dead'), id)
if line then
  redis.call('ZREM', key('hooks', 'due', line), id)
  redis.call('ZREM', key('hooks', 'out', line), id)
end
redis.call('DEL', key('hook', id))
return line and 1 or 0
