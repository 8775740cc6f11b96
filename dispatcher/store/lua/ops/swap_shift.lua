-- Has somebody else on call than a rota says, for a while, or ends that.
--
-- actor
-- id      of the swap
-- shift   JSON { rota, who, start, end, why, by, until (ms since the epoch) }; left out: the swap ends
-- answer  1 if it was done: 0 where there is no such swap
--
-- Retention: those that are over go with the next one.

local schema = require('schema')
local audit = require('lib/audit')

local swaps_key = schema.key.swaps

local function forget_old(call)
  local swaps = swaps_key(call)
  local flat = redis.call('HGETALL', swaps)
  for i = 1, #flat, 2 do
    if tonumber(cjson.decode(flat[i + 1])['until']) < call.now - 86400000 then
      redis.call('HDEL', swaps, flat[i])
    end
  end
end

local function run(call)
  local args, swaps = call.args, swaps_key(call)
  local shift = args.shift or redis.call('HGET', swaps, args.id)
  if not shift then
    return 0
  end
  local told = cjson.decode(shift)
  audit.write(call, args.actor, args.shift and 'rota.swap' or 'rota.unswap', 'rota:' .. told.rota, told.why or '',
    { who = told.who, from = told.start, to = told['end'] })
  if args.shift then
    forget_old(call)
    redis.call('HSET', swaps, args.id, args.shift)
  else
    redis.call('HDEL', swaps, args.id)
  end
  return 1
end

return { run = run }
