-- Forgets a webhook that nobody took, given up or not.
--
-- id      of the delivery
-- before  ms since the epoch: only if its event and the last order to retry it came before
-- answer  1 if it is gone

local schema = require('schema')

local key, delivery = schema.key, schema.delivery

local function run(call)
  local id = call.args.id
  local name = key.delivery(call, id)
  local target, since = unpack(redis.call('HMGET', name, delivery.target, delivery.since))
  if target and tonumber(since) >= tonumber(call.args.before) then
    return 0
  end
  redis.call('ZREM', key.webhooks_dead(call), id)
  if target then
    redis.call('ZREM', key.webhooks_due(call, target), id)
    redis.call('ZREM', key.webhooks_under_way(call, target), id)
  end
  redis.call('DEL', name)
  return target and 1 or 0
end

return { run = run, flags = { 'allow-oom' } }
