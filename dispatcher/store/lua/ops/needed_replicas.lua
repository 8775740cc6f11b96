-- Tells on how many replicas a claim must be, and whether a producer is answered only then.
--
-- answer  {how many, 1 if producers wait for them, why the hold `replicas` stands ('' where it does not)}

local schema = require('schema')
local config = require('lib/config')
local holds = require('lib/holds')
local replicas = require('lib/replicas')

local function run(call)
  local hold = holds.get(call, 'replicas')
  local durable = config.get(call, schema.config.accept_durable) and 1 or 0
  return { replicas.needed(call), durable, hold and hold.why or '' }
end

return { run = run, flags = { 'no-writes' } }
