-- Takes acts that nobody looks after any more, for one caller: they come again after a lease.
--
-- ARGV[2]  ms of the lease
-- answer   ids

local open = key('acts', 'open')
local ids = redis.call('ZRANGEBYSCORE', open, '-inf', NOW)
for _, id in ipairs(ids) do
  redis.call('ZADD', open, NOW + ARGV[2], id)
end
return ids
