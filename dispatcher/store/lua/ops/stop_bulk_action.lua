-- Ends a bulk action early: what it did stays done, the rest is left as it is.
--
-- id, actor, note
-- answer  state before, or 'gone'

local bulk = require('lib/bulk')

local function run(call)
  local found = bulk.read(call)
  if found.state == 'running' then
    bulk.finish(call, found, 'stopped', call.args.actor, call.args.note)
  end
  return found.state or 'gone'
end

return { run = run }
