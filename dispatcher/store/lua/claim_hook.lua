-- Takes up a webhook whose message came: once for each message, so that a doubled one sends nothing.
--
-- ARGV[2]  delivery
-- ARGV[3]  ms of the lease: unless it is settled by then, it is sent again
-- answer   nil (nothing to do) | {how often the target failed in a row, its record}

local id = ARGV[2]
local line = redis.call('HGET', key('hook', id), '@line')
local out = redis.call('ZSCORE', key('hooks', 'out'), id)
redis.call('ZREM', key('hooks', 'out'), id)
if not line or not out or tonumber(out) <= NOW then
  return nil
end
redis.call('ZADD', key('hooks', 'due', line), NOW + ARGV[3], id)
redis.call('ZADD', key('hooks', 'out', line), NOW + ARGV[3], id)
local failures = redis.call('HGET', key('hooks', 'line', line), 'failures')
return { tonumber(failures or 0), redis.call('HGETALL', key('hook', id)) }
