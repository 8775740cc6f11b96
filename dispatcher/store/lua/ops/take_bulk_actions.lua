-- Takes bulk actions that nobody drives any more, for one caller: they come again after a lease.
--
-- lease   ms
-- answer  ids

local schema = require('schema')
local clock = require('lib/clock')

local function run(call)
  local running = schema.key.bulk_actions_running(call)
  clock.bound(call, running, tonumber(call.args.lease), 0)
  local ids = redis.call('ZRANGEBYSCORE', running, '-inf', call.now)
  for _, id in ipairs(ids) do
    redis.call('ZADD', running, call.now + call.args.lease, id)
  end
  return ids
end

return { run = run }
