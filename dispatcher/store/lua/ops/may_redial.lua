-- Whether one more job may be dialled again because no callback came for it; it is counted then.
--
-- most    so many at most, from one callback to the next
-- answer  1 or 0

local callbacks_seen = require('lib/callbacks_seen')

local function run(call)
  return callbacks_seen.may_redial(call, tonumber(call.args.most)) and 1 or 0
end

return { run = run, flags = { 'allow-oom' } }
