-- Takes webhooks whose moment has come, for one caller that sends their messages. Targets take turns,
-- and each has few out at a time: one that is slow or failing has one, or is left alone for a while,
-- so that it keeps nobody else waiting. What a dead process took comes again when its lease ends.
--
-- most       whose message is out
-- of_one     most of one target that are out or under way
-- lease      ms
-- give_up    ms after which a webhook is given up, for a target that fails
-- answer     ids

local schema = require('schema')

local key, delivery = schema.key, schema.delivery
local TARGETS, OLD = 50, 1000 -- looked at in one call

local function due(call, target, many)
  return redis.call('ZRANGEBYSCORE', key.webhooks_due(call, target), '-inf', call.now, 'LIMIT', 0, many)
end

-- A target that never answers would otherwise keep what it is not even asked to take.
local function give_up_old(call, target)
  for _, id in ipairs(due(call, target, OLD)) do
    local since = tonumber(redis.call('HGET', key.delivery(call, id), delivery.since) or nil)
    if since and since + call.args.give_up <= call.now then
      redis.call('ZREM', key.webhooks_due(call, target), id)
      redis.call('ZADD', key.webhooks_dead(call), call.now, id)
      redis.call('HSET', key.delivery(call, id), delivery.error, 'given up: the target has failed all the time')
    end
  end
end

local function take(call, target, room, chosen)
  local places = { key.webhooks_due(call, target), key.webhooks_under_way(call, target), key.webhooks_out(call) }
  for _, id in ipairs(due(call, target, room)) do
    if redis.call('EXISTS', key.delivery(call, id)) == 1 then
      for _, place in ipairs(places) do
        redis.call('ZADD', place, call.now + call.args.lease, id)
      end
      chosen[#chosen + 1] = id
    else
      redis.call('ZREM', key.webhooks_due(call, target), id) -- deleted by hand
    end
  end
end

-- When the target is looked at next; nil where nothing is left for it. What is due and finds no room
-- waits for one that is out: its end brings the target back at once.
local function next_look(call, target)
  local first = redis.call('ZRANGE', key.webhooks_due(call, target), 0, 0, 'WITHSCORES')[2]
  if first and tonumber(first) <= call.now then
    local out = redis.call('ZRANGE', key.webhooks_under_way(call, target), 0, 0, 'WITHSCORES')[2]
    return out or call.now + 1000
  end
  return first
end

local function take_of(call, target, most, chosen)
  local under_way, targets = key.webhooks_under_way(call, target), key.webhook_targets(call)
  redis.call('ZREMRANGEBYSCORE', under_way, '-inf', call.now)
  local free = math.max(0, most.of_one - redis.call('ZCARD', under_way))
  take(call, target, math.min(most.room - #chosen, free), chosen)
  local at = next_look(call, target)
  if at then
    redis.call('ZADD', targets, at, target)
  else
    redis.call('ZREM', targets, target)
  end
end

local function look_at(call, target, room, chosen)
  local health = redis.call('HMGET', key.webhook_target(call, target), 'failures', 'until', 'slow')
  local failures, until_, slow = health[1], tonumber(health[2] or 0), health[3]
  if failures then
    give_up_old(call, target)
  end
  if until_ > call.now then
    redis.call('ZADD', key.webhook_targets(call), until_, target)
  elseif room > #chosen then
    local of_one = (failures or slow) and 1 or tonumber(call.args.of_one)
    take_of(call, target, { room = room, of_one = of_one }, chosen)
  end
end

local function run(call)
  local out, chosen = key.webhooks_out(call), {}
  redis.call('ZREMRANGEBYSCORE', out, '-inf', call.now)
  local room = call.args.most - redis.call('ZCARD', out)
  local targets = key.webhook_targets(call)
  for _, target in ipairs(redis.call('ZRANGEBYSCORE', targets, '-inf', call.now, 'LIMIT', 0, TARGETS)) do
    look_at(call, target, room, chosen)
  end
  return chosen
end

return { run = run }
