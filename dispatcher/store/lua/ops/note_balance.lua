-- Keeps the balance that was seen, and what follows: holds that end, warnings. The provider has
-- answered and knows the account, so that one call may try whether calls work again, too.
--
-- balance           units
-- spent, estimated  the ledger as it stood when the check began (begin_balance_check)
-- next_in           ms until the next check while all is well
-- answer            what was told, as kind, facts (JSON), kind, facts, …

local schema = require('schema')
local text = require('lib/text')
local holds = require('lib/holds')
local budget = require('lib/budget')
local config = require('lib/config')
local events = require('lib/events')
local credits = require('lib/credits')

local key, credit = schema.key, schema.credit
local RISEN = 1.1 -- times a level: above it, its warning may come again

-- The lowest level that the balance is at or below.
local function low_level(call, balance)
  local low
  for level in text.items(config.get(call, schema.config.credit_warnings)) do
    local units = tonumber(level)
    if balance <= units and (not low or units < low) then
      low = units
    end
  end
  return low
end

local function warn(call, balance)
  local name, low = key.credit(call), low_level(call, balance)
  local warned = tonumber(redis.call('HGET', name, credit.warned) or nil)
  if warned and balance > warned * RISEN then
    -- It rose above that level; it may still be below a higher one, which was told before.
    redis.call('HDEL', name, credit.warned)
    if low then
      redis.call('HSET', name, credit.warned, text.int(low))
    end
  elseif low and (not warned or low < warned) then
    redis.call('HSET', name, credit.warned, text.int(low))
    events.tell(call, 'credit.low', { balance = balance / schema.units, level = low / schema.units, at = call.now })
  end
end

local function run(call)
  local args, balance = call.args, tonumber(call.args.balance)
  local estimated = math.max(0, credits.read(call).estimated - args.estimated)
  credits.set(call, credit.balance, text.int(balance), credit.checked, text.int(call.now),
    credit.spent_at_check, args.spent, credit.estimated, text.int(estimated), credit.misses, '0')
  for _, name in ipairs({ 'auth', 'provider_down' }) do
    if holds.closed(call, name) then
      holds.half_open(call, name, 'the provider answers again: one call at a time is tried')
    end
  end
  budget.reconsider_credit(call, true)
  warn(call, balance)
  budget.schedule_check(call, args.next_in)
  return events.told(call)
end

return { run = run }
