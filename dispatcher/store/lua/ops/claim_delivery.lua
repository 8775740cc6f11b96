-- Takes up a webhook whose message came: once for each message, so that a doubled one sends nothing.
--
-- id      of the delivery
-- lease   ms: unless it is settled by then, it is sent again
-- answer  nil (nothing to do) | {how often the target failed in a row, its record}

local schema = require('schema')

local key = schema.key

local function run(call)
  local id = call.args.id
  local target = redis.call('HGET', key.delivery(call, id), schema.delivery.target)
  local out = redis.call('ZSCORE', key.webhooks_out(call), id)
  redis.call('ZREM', key.webhooks_out(call), id)
  if not target or not out or tonumber(out) <= call.now then
    return nil
  end
  local lease_ends = call.now + call.args.lease
  redis.call('ZADD', key.webhooks_due(call, target), lease_ends, id)
  redis.call('ZADD', key.webhooks_under_way(call, target), lease_ends, id)
  local failures = redis.call('HGET', key.webhook_target(call, target), 'failures')
  return { tonumber(failures or 0), redis.call('HGETALL', key.delivery(call, id)) }
end

return { run = run }
