-- Sets the day that daily spending limits count; Redis knows no time zones. The first one of several
-- that set the same day begins it, with nothing spent.
--
-- starts, ends  ms since the epoch
-- zone
-- answer        1, or 0 where that day has begun

local schema = require('schema')
local text = require('lib/text')
local spending = require('lib/spending')

local key = schema.key

local function run(call)
  local args, day = call.args, spending.limits(call)[schema.spending_day]
  if day and day[2] == tonumber(args.ends) and day[3] == args.zone then
    return 0
  end
  -- It counts from now on: where a limit was set in the middle of a day, what was dialled before is not its own.
  local since = text.int(math.max(call.now, tonumber(args.starts)))
  redis.call('HSET', key.spending_limits(call), schema.spending_day, since .. ' ' .. args.ends .. ' ' .. args.zone)
  redis.call('DEL', key.spent(call, 'day'))
  return 1
end

return { run = run }
