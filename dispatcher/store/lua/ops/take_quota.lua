-- Counts uses of an API key against its rate: GCRA, a whole period's worth at once.
--
-- id
-- uses    that are wanted; negative: that many are given back
-- most    uses in a period
-- period  ms
-- answer  {uses granted, ms until one more is}
-- Retention: until all of it is free again.

local schema = require('schema')
local text = require('lib/text')

local function run(call)
  local args, name = call.args, schema.key.quota(call, call.args.id)
  local wanted, period = tonumber(args.uses), tonumber(args.period)
  local each = period / tonumber(args.most)
  local kept = tonumber(redis.call('GET', name) or nil) or 0
  local free_at = math.max(call.exact, math.min(kept, call.exact + period)) -- no later by a clock that went back
  local granted = wanted
  if wanted > 0 then
    -- A little more than nothing is one: what rounding took of it.
    granted = math.max(0, math.min(wanted, math.floor((call.exact + period - free_at) / each + 0.001)))
  end
  free_at = free_at + granted * each
  if free_at > call.exact then
    redis.call('SET', name, text.exact(free_at), 'PX', math.ceil(free_at - call.exact))
  else
    redis.call('DEL', name)
  end
  return { granted, text.exact(math.max(0, free_at + each - period - call.exact)) }
end

return { run = run }
