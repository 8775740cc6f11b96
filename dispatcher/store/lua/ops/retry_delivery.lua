-- Sends a webhook that was given up once more, with the same event id and a whole new day of tries.
--
-- id      of the delivery
-- answer  'gone' | 'waits' (it was not given up) | 'again'

local schema = require('schema')
local text = require('lib/text')
local webhooks = require('lib/webhooks')

local key, delivery = schema.key, schema.delivery

local function run(call)
  local id = call.args.id
  local name = key.delivery(call, id)
  local target = redis.call('HGET', name, delivery.target)
  if not target then
    redis.call('ZREM', key.webhooks_dead(call), id)
    return 'gone'
  elseif redis.call('ZREM', key.webhooks_dead(call), id) == 0 then
    return 'waits'
  end
  redis.call('HSET', name, delivery.tries, '0', delivery.since, text.int(call.now))
  redis.call('DEL', key.webhook_target(call, target)) -- whoever asks believes that the target is well
  redis.call('ZADD', key.webhooks_due(call, target), call.now, id)
  webhooks.look_at(call, target, call.now)
  webhooks.news(call)
  return 'again'
end

return { run = run }
