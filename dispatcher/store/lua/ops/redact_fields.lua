-- Changes texts in a record that still has them.
--
-- kind    `bulk_action` or `api_key`
-- id
-- fields  a JSON object: the texts by field
-- answer  1 if the record is there

local schema = require('schema')

local function run(call)
  local args = call.args
  local name = args.kind == 'api_key' and schema.key.api_key(call, args.id) or schema.key.bulk_action(call, args.id)
  local known = redis.call('EXISTS', name)
  for field, text in pairs(cjson.decode(args.fields)) do
    if redis.call('HGET', name, field) then
      redis.call('HSET', name, field, text)
    end
  end
  return known
end

return { run = run, flags = { 'allow-oom' } }
