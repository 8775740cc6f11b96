-- Tells what the hashes of the do-not-call list are keyed with, or sets it while nobody is on the list.
--
-- actor
-- key     40 hex digits: the key where there is none yet, or the one to set
-- set     1 if it is to be that one
-- answer  the key that holds now

local schema = require('schema')
local audit = require('lib/audit')

local function run(call)
  local args, list = call.args, schema.key.do_not_call(call)
  if args.set and redis.call('HLEN', list) <= 1 then
    redis.call('HSET', list, schema.do_not_call_key, args.key)
  else
    redis.call('HSETNX', list, schema.do_not_call_key, args.key)
  end
  local now = redis.call('HGET', list, schema.do_not_call_key)
  if not args.set or now == args.key then
    audit.write(call, args.actor, args.set and 'dnc.key.set' or 'dnc.key.show', 'do-not-call list', '', {})
  end
  return now
end

return { run = run }
