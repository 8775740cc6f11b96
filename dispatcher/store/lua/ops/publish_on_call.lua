-- Publishes who is on call.
--
-- actor
-- config    JSON
-- expected  the version that whoever changes it has seen, 0 for none; left out: whatever is there
-- answer    the version that it has now: where it says the same as before, that of before; 0: another one
--           is there than was expected

local schema = require('schema')
local text = require('lib/text')
local audit = require('lib/audit')
local events = require('lib/events')

local key, field = schema.key, schema.on_call

local function run(call)
  local args, name = call.args, key.on_call(call)
  local now = tonumber(redis.call('HGET', name, field.version) or nil) or 0
  if args.expected and tonumber(args.expected) ~= now then
    return 0
  end
  redis.call('HDEL', name, field.refused, field.refused_at)
  if redis.call('HGET', name, field.config) == args.config then
    return now
  end
  now = now + 1
  redis.call('HSET', name, field.version, text.int(now), field.config, args.config, field.at, text.int(call.now), field.by, args.actor)
  local versions = key.on_call_versions(call)
  redis.call('LPUSH', versions, cjson.encode({ version = now, at = text.int(call.now), by = args.actor }))
  redis.call('LTRIM', versions, 0, schema.on_call_versions - 1)
  audit.write(call, args.actor, 'chains.publish', 'chains', '', { version = now })
  events.tell(call, 'chains.published', { version = now, by = args.actor, at = call.now })
  return now
end

return { run = run }
