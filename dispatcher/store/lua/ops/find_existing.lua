-- Tells what enqueue would answer for requests, and writes nothing.
--
-- jobs    a JSON list, as of enqueue
-- answer  for each 'new', 'same', 'other', or what is refused of it, as enqueue

local schema = require('schema')
local existing = require('lib/existing')

local function run(call)
  local answers, rows = {}, cjson.decode(call.args.jobs)
  existing.look_for(call, rows)
  for i, row in ipairs(rows) do
    local answer = existing.find(call, row.id, row.fields[schema.field.fingerprint])
    answers[i] = existing.allowed(call, answer, row)
  end
  return answers
end

return { run = run, flags = { 'no-writes' } }
