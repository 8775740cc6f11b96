-- Keeps a new API key.
--
-- id
-- created  ms since the epoch
-- fields   a JSON object: the key's fields
-- actor    the person who makes it, if any
-- facts    what the audit tells of it, a JSON object
-- Retention: for good, so that the list says what a name could do and until when.

local schema = require('schema')
local audit = require('lib/audit')

local function run(call)
  local args, flat = call.args, {}
  for name, value in pairs(cjson.decode(args.fields)) do
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  redis.call('HSET', schema.key.api_key(call, args.id), unpack(flat))
  redis.call('ZADD', schema.key.api_keys(call), args.created, args.id)
  if args.actor then
    local facts = cjson.decode(args.facts)
    audit.write(call, args.actor, 'keys.create', 'key:' .. args.id, facts.note or '', facts)
  end
  return 1
end

return { run = run }
