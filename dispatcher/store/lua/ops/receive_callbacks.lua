-- Takes in what was reported of calls, and counts. What is the same word for word is kept once.
--
-- counts   to add, a JSON object: name -> number
-- reports  a JSON list of texts, a thousand at most
-- answer   how many were new
-- Retention: a report until it is applied (apply_callbacks); the counts for good.

local schema = require('schema')
local text = require('lib/text')
local counters = require('lib/counters')
local callbacks_seen = require('lib/callbacks_seen')

local function run(call)
  counters.add_all(call, call.args.counts)
  local reports, flat = cjson.decode(call.args.reports), {}
  if not reports[1] then
    return 0
  end
  callbacks_seen.came(call)
  for i, report in ipairs(reports) do
    flat[2 * i - 1], flat[2 * i] = text.int(call.now), report
  end
  return redis.call('ZADD', schema.key.callbacks(call), 'NX', unpack(flat))
end

return { run = run }
