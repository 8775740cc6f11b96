-- Tells what the alerts of a week came to, once for each week: several processes may have worked it out.
--
-- until   the end of the week, ms since the epoch
-- facts   JSON
-- answer  1: it is told now; 0: it was, or a later one, or this is the first week that is looked at
-- keeps   the end of the last week, for good

local schema = require('schema')
local text = require('lib/text')
local events = require('lib/events')

local key = schema.key

local function run(call)
  local place, until_ = key.alert_summary(call), tonumber(call.args['until'])
  local last = tonumber(redis.call('GET', place) or nil)
  if last and last >= until_ then
    return 0
  end
  redis.call('SET', place, text.int(until_))
  if not last then
    return 0
  end
  local facts = cjson.decode(call.args.facts)
  facts.at = call.now
  events.tell(call, 'alerts.summary', facts)
  return 1
end

return { run = run }
