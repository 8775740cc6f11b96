-- Tells what enqueue would answer for requests, and writes nothing.
--
-- requests  a JSON list of { id, fingerprint }
-- answer    for each 'new', 'same' or 'other', as enqueue

local existing = require('lib/existing')

local function run(call)
  local answers = {}
  for i, request in ipairs(cjson.decode(call.args.requests)) do
    answers[i] = existing.find(call, request[1], request[2])
  end
  return answers
end

return { run = run, flags = { 'no-writes' } }
