-- Drops reports that were applied, and counts what became of them.
--
-- counts   to add, a JSON object: name -> number
-- reports  a JSON list of texts
-- answer   how many were dropped

local schema = require('schema')
local counters = require('lib/counters')

local function run(call)
  counters.add_all(call, call.args.counts)
  local dropped = 0
  for _, report in ipairs(cjson.decode(call.args.reports)) do
    dropped = dropped + redis.call('ZREM', schema.key.callbacks(call), report)
  end
  return dropped
end

return { run = run, flags = { 'allow-oom' } }
