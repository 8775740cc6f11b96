-- Writes what became of a try to deliver a webhook, and how its target does.
--
-- ARGV[2]  delivery
-- ARGV[3]  done, again or dead
-- ARGV[4]  ms until the next try
-- ARGV[5]  ms for which the target is left alone
-- ARGV[6]  1 if the target is slow
-- ARGV[7]  what was wrong, or ''
-- answer   1, or 0 where it is settled already

local id, what, slow, wrong = ARGV[2], ARGV[3], ARGV[6] == '1', ARGV[7]
local line = redis.call('HGET', key('hook', id), '@line')
if not line or not redis.call('ZSCORE', key('hooks', 'due', line), id) then
  return 0
end
redis.call('ZREM', key('hooks', 'out', line), id)

if what == 'again' then
  redis.call('ZADD', key('hooks', 'due', line), NOW + ARGV[4], id)
else
  redis.call('ZREM', key('hooks', 'due', line), id)
end
if what == 'done' then
  redis.call('DEL', key('hook', id))
else
  redis.call('HINCRBY', key('hook', id), '@tries', 1)
  redis.call('HSET', key('hook', id), '@error', wrong)
end
if what == 'dead' then
  redis.call('ZADD', key('hooks', 'dead'), NOW, id)
end

local target = key('hooks', 'line', line)
if wrong ~= '' then
  redis.call('HINCRBY', target, 'failures', 1)
  redis.call('HSET', target, 'until', int(NOW + ARGV[5]))
  redis.call('HDEL', target, 'slow')
else
  redis.call('DEL', target)
  if slow then
    redis.call('HSET', target, 'slow', '1')
  end
end
redis.call('PEXPIRE', target, 86400000)
if redis.call('EXISTS', key('hooks', 'due', line)) == 1 then
  look_at_line(line, NOW)
  redis.call('PUBLISH', key('hooks'), '')
end
return 1
