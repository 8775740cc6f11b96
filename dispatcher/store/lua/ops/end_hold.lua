-- Ends a hold; what it held is released by the next pump.
--
-- name, why
-- actor   the person who ends it, if any
-- answer  1 if there was one

local audit = require('lib/audit')
local holds = require('lib/holds')

local function run(call)
  local args = call.args
  local ended = holds.finish(call, args.name, args.why)
  if ended and args.actor then
    audit.write(call, args.actor, 'resume', args.name, args.why, {})
  end
  return ended and 1 or 0
end

return { run = run }
