-- What the account can pay for by its balance, and by spending limits.

local schema = require('schema')
local config = require('lib/config')
local holds = require('lib/holds')
local money = require('lib/money')
local credits = require('lib/credits')
local spending = require('lib/spending')
local balance_checks = require('lib/balance_checks')

local M = {}

local credit, setting = schema.credit, schema.config

-- What may still be given out, or nil where the budget binds nobody: no balance was ever seen, or none
-- can be seen.
function M.available(account)
  if account.balance and account.misses < schema.blind_after then
    return account.balance - (account.spent - account.spent_at_check) - account.estimated - account.reserved
  end
end

-- Whether a call can have cost so much: a prepaid account pays no more than it has.
function M.can_have_paid(call, cost, reserved)
  local account = config.number(call, setting.credit_floor) and credits.read(call)
  local prepaid = account and M.available(account)
  return not prepaid or cost <= math.max(account.balance, reserved)
end

local function in_words(account, left, needed)
  local reserved = ''
  if account.reserved > 0 then
    reserved = ', ' .. money.credits(account.reserved) .. ' of it reserved for calls under way'
  end
  return 'credit ' .. money.credits(left + account.reserved) .. reserved .. ', needs ' .. money.credits(needed)
end

-- The hold of calls that the balance cannot pay for, why, and the credits that are needed; nil: it can. What
-- is left below the floor pays for none, until the floor is reached, however dear the call that met it first;
-- else only calls of this tariff are held, and cheaper ones go on. A post-paid account has no floor.
function M.beyond_credit(call, job, reserve)
  local floor = config.number(call, setting.credit_floor)
  local account = floor and credits.read(call)
  local left = floor and M.available(account)
  if left and left < floor then
    return 'credit', in_words(account, left, floor), floor / schema.units
  elseif left and left < reserve then
    return holds.of_tariff(job.tariff), in_words(account, left, reserve), reserve / schema.units
  end
end

-- The hold that a call which cannot be paid for starts, why, and the credits that it needs; nil: it can
-- be paid for.
function M.unaffordable(call, job, reserve)
  local name, why, needed = M.beyond_credit(call, job, reserve)
  if name then
    return name, why, needed
  end
  return M.beyond_limit(call, job, reserve)
end

-- The same for spending limits alone.
function M.beyond_limit(call, job, reserve)
  local scope, why = spending.exceeded(call, job, reserve)
  if scope then
    return 'limit:' .. scope, why, reserve / schema.units
  end
end

-- Whether the account pays for ordinary calls, as far as is known: where it refuses one, that was too dear.
local function pays_for_others(left, floor)
  return left and floor and left > floor
end

-- Only calls of a tariff are held from now on, whatever stopped all of them.
local function hold_tariff(call, tariff, why, required, refused)
  local name = holds.of_tariff(tariff)
  holds.start(call, name, why, required, refused)
  holds.finish(call, 'credit', why .. ': only calls of the tariff ' .. tariff .. ' are held')
  return name
end

-- Starts the hold that a call's refusal for lack of credit calls for, and returns its name: of its tariff, where
-- the account pays for other calls; of all calls, where it does not or nobody knows. `reserved`: for this call.
function M.refuse(call, tariff, why, required, reserved)
  local left, floor = M.available(credits.read(call)), config.number(call, setting.credit_floor)
  if tariff and pays_for_others(left and left + reserved, floor) and not holds.closed(call, 'credit') then
    return hold_tariff(call, tariff, why, required, true)
  end
  holds.start(call, 'credit', why, required, true, tariff)
  return 'credit'
end

-- Ends a credit hold where the ledger allows it; after a refusal only what was seen since counts, and
-- a single call tries first.
local function reconsider(call, name)
  local hold, account = holds.get(call, name), credits.read(call)
  if hold.refused and (not account.checked or account.checked <= hold.refused) then
    return
  end
  local floor, left = config.number(call, setting.credit_floor), M.available(account)
  local needed = math.max(floor or 0, hold.required * schema.units)
  if not left then
    return
  elseif floor and left < needed and name == 'credit' and hold.tariff and pays_for_others(left, floor) then
    hold_tariff(call, hold.tariff, in_words(account, left, needed), hold.required)
  elseif floor and left < needed then
    holds.explain(call, name, in_words(account, left, needed))
  elseif hold.refused then
    holds.half_open(call, name, 'credit ' .. money.credits(left) .. ': one call at a time is tried')
  else
    holds.finish(call, name, 'credit ' .. money.credits(left))
  end
end

-- Those that are half-open, too, where a new balance was seen.
function M.reconsider_credit(call, seen)
  for _, name in ipairs(holds.named(call, 'credit')) do
    if seen or holds.closed(call, name) then
      reconsider(call, name)
    end
  end
end

-- Whether credit alone keeps calls, all or those of a tariff: a top-up is all that they wait for.
local function waits_for_credit(call)
  if holds.get(call, 'auth') or holds.get(call, 'provider_down') then
    return false
  end
  for _, name in ipairs(holds.named(call, 'credit')) do
    if holds.closed(call, name) then
      return true
    end
  end
  return false
end

-- Sets when the balance is checked next: on a backoff while a hold is closed that a check may end, or
-- while checks fail.
function M.schedule_check(call, when_well)
  local account, standing, closed = credits.read(call), false, false
  for reason in pairs(balance_checks.MAY_END) do
    for _, name in ipairs(holds.named(call, reason)) do
      standing, closed = true, closed or holds.closed(call, name)
    end
  end
  local longest = waits_for_credit(call) and balance_checks.LONGEST_FOR_CREDIT or nil
  local checks, wait = account.checks, tonumber(when_well)
  if closed or account.misses > 0 then
    wait = balance_checks.backoff(checks, longest)
    checks = checks + 1
  elseif not standing then
    checks = 0
  end
  balance_checks.schedule(call, math.min(checks, 30), wait)
end

return M
