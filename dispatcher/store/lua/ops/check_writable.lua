-- Does what check_schema does, and is refused where Redis takes no writes now. Writes nothing.
--
-- commands  a JSON list of the commands that the user of Redis must be allowed
-- answer    the rules of its ACL that are missing, such as '+zadd'

local rights = require('lib/rights')

local function run(call)
  return rights.missing(call)
end

return { run = run, writes = false }
