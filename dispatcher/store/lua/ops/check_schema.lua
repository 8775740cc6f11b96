-- Looks which rights the user of Redis lacks, and then does what every operation does first: looks whether the
-- records are of our schema. In this order, since that takes rights as well.
--
-- now       given, and not used: to read the clock is a right of its own
-- commands  a JSON list of the commands that it must be allowed
-- answer    the rules of its ACL that are missing, such as '+zadd'

local guard = require('lib/guard')
local rights = require('lib/rights')

local function run(call)
  local missing = rights.missing(call)
  if #missing > 0 then
    return missing
  end
  return guard.refuse(call, false) or missing
end

return { run = run, guards_itself = true, flags = { 'no-writes' } }
