-- Takes the news of a stoppage that people are to be told by mail, for as long as a lease.
--
-- lease   ms
-- answer  kind, when it became so, since when it lasts, cause, why, remedy; empty: there are none, or
--         somebody else has them

local schema = require('schema')
local text = require('lib/text')

local key, field = schema.key, schema.stoppage

local function run(call)
  local known = text.pairs_of(redis.call('HGETALL', key.stoppage(call)))
  local left = (tonumber(known[field.news_until]) or 0) - call.now
  local lease = tonumber(call.args.lease)
  if not known[field.news] or (left > 0 and left <= lease) then -- longer: the clock went back
    return {}
  end
  redis.call('HSET', key.stoppage(call), field.news_until, text.int(call.now + lease))
  return { known[field.news], known[field.news_at], known[field.news_since], known[field.news_cause], known[field.news_why],
    known[field.news_remedy] }
end

return { run = run, flags = { 'allow-oom' } }
