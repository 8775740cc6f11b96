-- Writes what became of a try to deliver a webhook, and how its target does.
--
-- id       of the delivery
-- outcome  done, again or dead
-- delay    ms until the next try
-- pause    ms for which the target is left alone
-- slow     1 if the target is slow
-- error    what was wrong, if anything
-- answer   1, or 0 where it is settled already

local schema = require('schema')
local text = require('lib/text')
local webhooks = require('lib/webhooks')

local key, delivery = schema.key, schema.delivery
local REMEMBERED = 86400000 -- ms: how a target did

local function write_delivery(call, target)
  local id, outcome = call.args.id, call.args.outcome
  if outcome == 'again' then
    redis.call('ZADD', key.webhooks_due(call, target), call.now + call.args.delay, id)
  else
    redis.call('ZREM', key.webhooks_due(call, target), id)
  end
  if outcome == 'done' then
    redis.call('DEL', key.delivery(call, id))
  else
    redis.call('HINCRBY', key.delivery(call, id), delivery.tries, 1)
    redis.call('HSET', key.delivery(call, id), delivery.error, call.args.error or '')
  end
  if outcome == 'dead' then
    redis.call('ZADD', key.webhooks_dead(call), call.now, id)
  end
end

local function write_health(call, target)
  local health = key.webhook_target(call, target)
  if call.args.error then
    redis.call('HINCRBY', health, 'failures', 1)
    redis.call('HSET', health, 'until', text.int(call.now + call.args.pause))
    redis.call('HDEL', health, 'slow')
  else
    redis.call('DEL', health)
    if call.args.slow then
      redis.call('HSET', health, 'slow', '1')
    end
  end
  redis.call('PEXPIRE', health, REMEMBERED)
end

local function run(call)
  local id = call.args.id
  local target = redis.call('HGET', key.delivery(call, id), delivery.target)
  if not target or not redis.call('ZSCORE', key.webhooks_due(call, target), id) then
    return 0
  end
  redis.call('ZREM', key.webhooks_under_way(call, target), id)
  write_delivery(call, target)
  write_health(call, target)
  if redis.call('EXISTS', key.webhooks_due(call, target)) == 1 then
    webhooks.look_at(call, target, call.now)
    webhooks.news(call)
  end
  return 1
end

return { run = run, flags = { 'allow-oom' } }
