-- Tells, once, what a drill came to.
--
-- alert    the id of its alert
-- outcome  passed or failed
-- why      in words
-- by       who acknowledged it; left out: nobody
-- seconds  from the drill's begin to its end
-- answer   1: told by this step, 0: it was told before

local schema = require('schema')
local counters = require('lib/counters')
local events = require('lib/events')

local key = schema.key

local function run(call)
  local args = call.args
  local chain = redis.call('HGET', key.drills_ringing(call), args.alert)
  if not chain then
    return 0
  end
  redis.call('HDEL', key.drills_ringing(call), args.alert)
  counters.add(call, 'drills.' .. args.outcome)
  events.tell(call, 'drill.' .. args.outcome, { chain = chain, alert = args.alert, why = args.why, by = args.by,
    seconds = tonumber(args.seconds), at = call.now })
  return 1
end

return { run = run }
