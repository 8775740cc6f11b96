-- Notes that a chains file cannot be used: what was published stays in force.
--
-- why     what is wrong with it
-- answer  1 if that is new

local schema = require('schema')
local text = require('lib/text')
local events = require('lib/events')

local key, field = schema.key, schema.on_call

local function run(call)
  local name, why = key.on_call(call), call.args.why
  if redis.call('HGET', name, field.refused) == why then
    return 0
  end
  redis.call('HSET', name, field.refused, why, field.refused_at, text.int(call.now))
  events.tell(call, 'chains.refused', { why = why, at = call.now })
  return 1
end

return { run = run }
