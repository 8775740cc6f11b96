-- The news of a stoppage were told. Those that came meanwhile stay.
--
-- kind, at  of what was told

local schema = require('schema')

local key, field = schema.key, schema.stoppage

local function run(call)
  local name = key.stoppage(call)
  local found = redis.call('HMGET', name, field.news, field.news_at)
  if found[1] == call.args.kind and found[2] == call.args.at then
    redis.call('HDEL', name, field.news, field.news_at, field.news_since, field.news_cause, field.news_why,
      field.news_remedy, field.news_until)
  end
end

return { run = run, flags = { 'allow-oom' } }
