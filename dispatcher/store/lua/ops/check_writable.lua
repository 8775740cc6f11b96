-- Does what check_schema does, and is refused where Redis takes no writes now. Writes nothing.
--
-- now       as for check_schema
-- commands  a JSON list of the commands that the user of Redis must be allowed
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

return { run = run, guards_itself = true, writes = false }
