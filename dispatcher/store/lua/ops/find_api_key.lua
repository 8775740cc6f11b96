-- Reads an API key, and the time by which it is judged.
--
-- id
-- answer  {ms since the epoch, field, value, …}; the time alone where there is no such key

local schema = require('schema')
local text = require('lib/text')

local function run(call)
  local found = redis.call('HGETALL', schema.key.api_key(call, call.args.id))
  table.insert(found, 1, text.int(call.now))
  return found
end

return { run = run, flags = { 'no-writes' } }
