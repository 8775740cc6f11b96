-- Drops reports that were applied, and counts what became of them.
--
-- counts   to add, a JSON object: name -> number
-- reports  a JSON list of texts
-- answer   1

local schema = require('schema')
local entries = require('lib/entries')
local counters = require('lib/counters')

local function run(call)
  counters.add_all(call, call.args.counts)
  for _, report in ipairs(cjson.decode(call.args.reports)) do
    entries.remove(call, schema.key.callbacks(call), report)
  end
  return 1
end

return { run = run, flags = { 'allow-oom' } }
