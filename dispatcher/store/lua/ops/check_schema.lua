-- Does what every operation does first: looks whether the records are of our schema; and which rights the
-- user of Redis lacks.
--
-- commands  a JSON list of the commands that it must be allowed
-- answer    the rules of its ACL that are missing, such as '+zadd'

local rights = require('lib/rights')

local function run(call)
  return rights.missing(call)
end

return { run = run, flags = { 'no-writes' } }
