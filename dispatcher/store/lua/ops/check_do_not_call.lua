-- What the do-not-call list has of a number, or of a hash.
--
-- to      digits, or
-- hash
-- answer  { hash, JSON as lib/do_not_call.lua says, … } of each hash that it has; nothing while it was never used

local schema = require('schema')
local do_not_call = require('lib/do_not_call')

local function run(call)
  local list = schema.key.do_not_call(call)
  if redis.call('HLEN', list) == 0 then
    return {}
  end
  local hashes, answer = call.args.hash and { call.args.hash } or do_not_call.hashes(call, call.args.to), {}
  for _, hash in ipairs(hashes) do
    local found = redis.call('HGET', list, hash)
    if found then
      answer[#answer + 1] = hash
      answer[#answer + 1] = found
    end
  end
  return answer
end

return { run = run, flags = { 'no-writes' } }
