-- Takes in what was reported of calls, and counts. What is the same word for word is kept once.
--
-- counts   to add, a JSON object: name -> number
-- reports  a JSON list of texts
-- answer   how many were new
-- Retention: a report until it is applied (apply_callbacks); the counts for good.

local schema = require('schema')
local counters = require('lib/counters')
local callbacks_seen = require('lib/callbacks_seen')

local function run(call)
  counters.add_all(call, call.args.counts)
  local new, reports = 0, cjson.decode(call.args.reports)
  if reports[1] then
    callbacks_seen.came(call)
  end
  for _, report in ipairs(reports) do
    new = new + redis.call('ZADD', schema.key.callbacks(call), 'NX', call.now, report)
  end
  return new
end

return { run = run }
