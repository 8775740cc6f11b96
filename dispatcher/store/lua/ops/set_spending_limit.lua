-- Sets what may be spent within a scope. What was counted so far stays where a limit only changes.
--
-- scope   tag:<tag> or client:<producer>
-- units   left out: no limit any more
-- period  day or total
-- actor   the person who sets it, if any
-- note
-- answer  1 if there was a limit

local schema = require('schema')
local text = require('lib/text')
local audit = require('lib/audit')
local money = require('lib/money')
local spending = require('lib/spending')

local key = schema.key

local function shown(amount, period)
  return amount and money.credits(amount) .. '/' .. period
end

local function write_audit(call, before)
  local args = call.args
  audit.write(call, args.actor, args.units and 'limit.set' or 'limit.clear', args.scope, args.note, {
    before = before and shown(before[1], before[3]), limit = shown(tonumber(args.units), args.period),
  })
end

local function run(call)
  local args, before = call.args, spending.limits(call)[call.args.scope]
  local same_period = before and before[3] == args.period
  if not args.units or (before and not same_period) then
    redis.call('HDEL', key.spent(call, 'day'), args.scope)
    redis.call('HDEL', key.spent(call, 'total'), args.scope)
  end
  if args.units then
    -- From the next ms on, so that a call that is claimed in this one is either counted twice, or never.
    local since = text.int(same_period and before[2] or call.now + 1)
    redis.call('HSET', key.spending_limits(call), args.scope, args.units .. ' ' .. since .. ' ' .. args.period)
  else
    redis.call('HDEL', key.spending_limits(call), args.scope)
  end
  if args.actor and (before or args.units) then
    write_audit(call, before)
  end
  return before and 1 or 0
end

return { run = run }
