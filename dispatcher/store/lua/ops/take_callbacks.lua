-- Takes reports that are to be applied, for one caller: they come again after a lease, so that two
-- callers share the work and what a dead one took is not lost.
--
-- most    in this call
-- lease   ms
-- answer  reports

local schema = require('schema')
local text = require('lib/text')
local clock = require('lib/clock')
local entries = require('lib/entries')

local function run(call)
  local callbacks = schema.key.callbacks(call)
  clock.bound(call, callbacks, tonumber(call.args.lease), 0)
  local reports = redis.call('ZRANGEBYSCORE', callbacks, '-inf', text.int(call.now), 'LIMIT', '0', call.args.most)
  for _, report in ipairs(reports) do
    entries.put(call, callbacks, text.int(call.now + call.args.lease), report)
  end
  return reports
end

return { run = run }
