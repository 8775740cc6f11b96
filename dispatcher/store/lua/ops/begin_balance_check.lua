-- Gives one caller the right to check the balance now. While all is well checks are sparse, and come
-- sooner where much was spent since the last one, where a warning is near, or where calls fail; while a
-- hold stands that a check may end, they come on a backoff.
--
-- lease       ms for which nobody else checks, should the caller be lost
-- by_request  1: now, whatever is due
-- answer      nil: not now | {spent, estimated}: the ledger as it stands, to be given back with what is seen

local schema = require('schema')
local text = require('lib/text')
local holds = require('lib/holds')
local config = require('lib/config')
local breaker = require('lib/breaker')
local credits = require('lib/credits')
local balance_checks = require('lib/balance_checks')

local credit, setting = schema.credit, schema.config
local SOONEST = 15000 -- ms between two checks while no hold stands
local SOONEST_IN_TROUBLE = 2000

local function any_closed(call)
  for name in pairs(balance_checks.MAY_END) do
    if holds.closed(call, name) then
      return true
    end
  end
end

-- A balance that spending has brought near what matters: a quarter of the way to the floor, or a level.
local function stale(call, account)
  local since = account.spent - account.spent_at_check + account.estimated
  local balance, floor = account.balance - since, config.number(call, setting.credit_floor) or 0
  if since > 0 and since * 4 > account.balance - floor then
    return true
  end
  for level in text.items(config.get(call, setting.credit_warnings)) do
    if account.balance > tonumber(level) and balance <= tonumber(level) then
      return true
    end
  end
  return false
end

local function due_early(call, account)
  local well = not any_closed(call) and account.checked and account.misses == 0 and account.checks == 0
  if not well then
    return false
  elseif call.now >= account.checked + SOONEST and stale(call, account) then
    return true
  end
  local in_trouble = breaker.failures(call) >= breaker.most(call)
  return in_trouble and call.now >= account.checked + SOONEST_IN_TROUBLE
end

local function run(call)
  local account = credits.read(call)
  if not call.args.by_request and account.next_check > call.now and not due_early(call, account) then
    return nil
  end
  credits.set(call, credit.next_check, text.int(call.now + call.args.lease))
  return { text.int(account.spent), text.int(account.estimated) }
end

return { run = run }
