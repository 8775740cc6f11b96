-- Takes alerts that are to be looked at, for one caller: the moment is put off by a lease, so that two
-- callers share the work and what a dead one took comes again.
--
-- most    in this call
-- lease   ms
-- answer  ids

local schema = require('schema')
local text = require('lib/text')
local clock = require('lib/clock')

local key, field = schema.key, schema.alert

-- The clock went back: it has stood here since now.
local function follow_clock(call, id)
  local name = key.alert(call, id)
  if clock.went_back(call, tonumber(redis.call('HGET', name, field.since) or nil) or 0) > 0 then
    redis.call('HSET', name, field.since, text.int(call.now))
    redis.call('HINCRBY', name, field.version, 1)
  end
end

-- What rings is looked at, also where Redis lost the index, or a part of it.
local function find_lost(call, due)
  local ringing = key.alerts_by_state(call, 'ringing')
  if redis.call('ZCARD', due) < redis.call('ZCARD', ringing) then
    for _, id in ipairs(redis.call('ZRANGE', ringing, 0, -1)) do
      redis.call('ZADD', due, 'NX', call.now, id)
    end
  end
end

local function run(call)
  local due = key.alerts_due(call)
  find_lost(call, due)
  clock.bound(call, due, schema.alert_looked_at, 0)
  local ids = redis.call('ZRANGEBYSCORE', due, '-inf', call.now, 'LIMIT', 0, call.args.most)
  for _, id in ipairs(ids) do
    redis.call('ZADD', due, call.now + call.args.lease, id)
    follow_clock(call, id)
  end
  return ids
end

return { run = run }
