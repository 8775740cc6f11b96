-- Notes that a drill was dealt with that was due: it rings, or it was left out, which is told.
--
-- drill    its chain and schedule
-- due      when it was due, ms since the epoch
-- chain, skipped  left out: why not; else left out
-- answer   1: this step noted it, 0: that, or a later one, was noted before
-- retention: a field for each schedule that was ever used

local schema = require('schema')
local text = require('lib/text')
local events = require('lib/events')

local key = schema.key

local function run(call)
  local due, args = tonumber(call.args.due), call.args
  local known = tonumber(redis.call('HGET', key.drills(call), args.drill))
  if known and known >= due then
    return 0
  end
  redis.call('HSET', key.drills(call), args.drill, text.int(due))
  if args.skipped then
    events.tell(call, 'drill.skipped', { chain = args.chain, due = due, why = args.skipped, at = call.now })
  end
  return 1
end

return { run = run }
