-- Does what every operation does first: looks whether the records are of our schema; and whether the user
-- of Redis has all rights that the operations need.
--
-- answer  the rules of its ACL that are missing, such as '+zadd'

local rights = require('lib/rights')

local function run(call)
  return rights.missing(call)
end

return { run = run, flags = { 'no-writes' } }
