-- Starts a hold for the whole account, or adds to what is known of one. A person adds nothing: who started
-- it first, and why, stays to be read.
--
-- name, why
-- required  credits, if any
-- refused   1 where the provider itself said no
-- actor     the person who starts it, if any
-- note      that person's own words
-- answer    1 if it is new

local audit = require('lib/audit')
local holds = require('lib/holds')

local function run(call)
  local args = call.args
  if args.actor and holds.get(call, args.name) then
    return 0
  end
  local new = holds.start(call, args.name, args.why, tonumber(args.required), args.refused ~= nil)
  if new and args.actor then
    audit.write(call, args.actor, 'pause', args.name, args.note, {})
  end
  return new and 1 or 0
end

return { run = run }
