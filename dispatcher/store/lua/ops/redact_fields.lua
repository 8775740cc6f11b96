-- Changes texts in a record that still has them.
--
-- kind    `bulk_action`, `api_key` or `alert`: the name of its key
-- id
-- fields  a JSON object: the texts by field
-- answer  1 if the record is there

local schema = require('schema')

local function run(call)
  local args = call.args
  local name = schema.key[args.kind](call, args.id)
  local known = redis.call('EXISTS', name)
  for field, text in pairs(cjson.decode(args.fields)) do
    if redis.call('HGET', name, field) then
      redis.call('HSET', name, field, text)
    end
  end
  return known
end

return { run = run, flags = { 'allow-oom' } }
