-- What the do-not-call list has of a number, or of a hash.
--
-- to      digits, or
-- hash
-- answer  { hash, JSON as lib/do_not_call.lua says, '' where it has none }; nothing while it was never used

local schema = require('schema')
local do_not_call = require('lib/do_not_call')

local function run(call)
  local list = schema.key.do_not_call(call)
  if redis.call('HLEN', list) == 0 then
    return {}
  end
  local hash = call.args.hash or do_not_call.hash(call, call.args.to)
  return { hash, redis.call('HGET', list, hash) or '' }
end

return { run = run, flags = { 'no-writes' } }
