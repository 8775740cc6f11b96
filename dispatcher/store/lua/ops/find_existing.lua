-- Tells what enqueue would answer for requests, and writes nothing.
--
-- requests  a JSON list of { id, fingerprint, tariff, number_types ('' where all are ordinary) }
-- answer    for each 'new', 'same', 'other', or what of its numbers the account does not call, as enqueue

local config = require('lib/config')
local existing = require('lib/existing')

local function run(call)
  config.read_all(call)
  local answers = {}
  for i, request in ipairs(cjson.decode(call.args.requests)) do
    answers[i] = existing.allowed(call, existing.find(call, request[1], request[2]), request[3], request[4])
  end
  return answers
end

return { run = run, flags = { 'no-writes' } }
