-- Sends a webhook that was given up once more, with the same event id and a whole new day of tries.
--
-- ARGV[2]  delivery
-- answer   'gone' | 'waits' (it was not given up) | 'again'

local id = ARGV[2]
local line = redis.call('HGET', key('hook', id), '@line')
if not line then
  redis.call('ZREM', key('hooks', 'dead'), id)
  return 'gone'
elseif redis.call('ZREM', key('hooks', 'dead'), id) == 0 then
  return 'waits'
end
redis.call('HSET', key('hook', id), '@tries', '0', '@since', int(NOW))
redis.call('DEL', key('hooks', 'line', line)) -- whoever asks believes that the target is well
redis.call('ZADD', key('hooks', 'due', line), NOW, id)
look_at_line(line, NOW)
redis.call('PUBLISH', key('hooks'), '')
return 'again'
