-- Drops reports that were applied, counts what became of them, and keeps when the last one was.
--
-- counts   to add, a JSON object: name -> number
-- reports  a JSON list of texts
-- forgotten  1 where they were not applied: their jobs are forgotten
-- answer   how many were dropped

local schema = require('schema')
local text = require('lib/text')
local counters = require('lib/counters')

local function run(call)
  counters.add_all(call, call.args.counts)
  if not call.args.forgotten then
    redis.call('SET', schema.key.last_callback(call), text.int(call.now))
  end
  local dropped = 0
  for _, report in ipairs(cjson.decode(call.args.reports)) do
    dropped = dropped + redis.call('ZREM', schema.key.callbacks(call), report)
  end
  return dropped
end

return { run = run, flags = { 'allow-oom' } }
