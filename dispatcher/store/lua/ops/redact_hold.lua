-- Changes why a hold was started, where it still stands for that reason.
--
-- name
-- known   why it was started, as the caller read it
-- why     the same without what is to go
-- answer  1 if it was changed

local schema = require('schema')

local function run(call)
  local args = call.args
  local key = schema.key.holds(call)
  local text = redis.call('HGET', key, args.name)
  local facts = text and cjson.decode(text)
  if not facts or facts.why ~= args.known then
    return 0
  end
  facts.why = args.why
  redis.call('HSET', key, args.name, cjson.encode(facts))
  return 1
end

return { run = run, flags = { 'allow-oom' } }
