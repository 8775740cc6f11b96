-- Whether a job may be called now, and the claim of one that may: the right of one worker to make one request
-- for it, which is written before anybody is asked. Everything that forbids a call is looked at here, at the
-- moment of dialling; all but the limiter, whose slot the caller has (ops/take.lua).
-- The attempt's number is the fencing token: it is never given twice.

local schema = require('schema')
local costs = require('lib/costs')
local holds = require('lib/holds')
local money = require('lib/money')
local moves = require('lib/moves')
local budget = require('lib/budget')
local config = require('lib/config')
local ledger = require('lib/ledger')
local allowed = require('lib/allowed')
local record = require('lib/record')
local numbers = require('lib/numbers')
local counters = require('lib/counters')
local spending = require('lib/spending')
local campaigns = require('lib/campaigns')
local unusual = require('lib/unusual')
local do_not_call = require('lib/do_not_call')

local M = {}

local field, setting = schema.field, schema.config

local function fail(call, job, why, reason)
  moves.move(call, job, 'failed', { reason = reason or 'not_allowed', actor = call.args.actor, why = why })
  return 'moved'
end

local function hold(call, job, name)
  moves.hold(call, job, name, call.args.actor)
  return 'moved'
end

-- What follows are the things that forbid a call, in order: each answers nil, or what is to be done first
-- ('hours' and the text: its calling window is to be set; 'day': the day that spending limits count), or
-- 'moved' where the job went somewhere else.

local function too_late(call, job)
  if moves.overdue(call, job) then
    moves.move(call, job, 'expired', { actor = call.args.actor, why = 'the deadline passed before it was dialled' })
    return 'moved'
  end
end

-- Before all that lets the job wait: it ends as soon as its turn comes.
local function on_the_list(call, job)
  local digits, place = do_not_call.refuses(call, job)
  if digits then
    counters.add(call, 'do_not_call.claim')
    local who = digits == job.fields[field.to] and 'the number' or 'participant ' .. place
    return fail(call, job, who .. ' is on the do-not-call list', 'do_not_call')
  end
end

local function held(call, job)
  local name = holds.stopping(call, job)
  return name and hold(call, job, name)
end

local function outside_hours(call, job)
  local fields = job.fields
  local hours = record.get(job, field.hours) or (job.priority ~= 'urgent' and config.get(call, setting.calling_hours))
  if not hours or hours == 'any' then
    return nil
  end
  local opens, closes = tonumber(fields[field.opens]), tonumber(fields[field.closes])
  local open = record.get(job, field.window_of) == hours and closes and call.now >= opens and call.now < closes
  if not open then
    return 'hours', hours
  end
end

local function not_allowed(call, job)
  local kind, what = allowed.refusal(call, job.tariff, record.get(job, field.number_types))
  if kind then
    what = kind == 'type' and what .. ' numbers' or what
    return fail(call, job, 'the settings of the dispatcher do not allow calls to ' .. what)
  end
end

local function day_over(call)
  return spending.day_is_over(call) and 'day' or nil
end

local function too_expensive(call, job)
  local likely, reserve = costs.price(call, job.tariff)
  local most = config.number(call, setting.spend_per_call)
  job.reserve = reserve
  if most and likely > most then
    return fail(call, job, string.format(
      'too expensive: a call of this kind (%s) is expected to cost %s credits, the limit is %s',
      job.tariff, money.credits(likely), money.credits(most)))
  end
end

local function number_protected(call, job)
  local at, why = numbers.protected(call, job)
  if at then
    moves.schedule(call, job, at, { actor = call.args.actor, why = why })
    return 'moved'
  end
end

-- What cannot be paid for starts a hold: the jobs behind this one are parked without being looked at.
local function unaffordable(call, job)
  local name, why, needed = budget.unaffordable(call, job, job.reserve)
  if name then
    holds.start(call, name, why, needed)
    return hold(call, job, name)
  end
end

local function unusual_now(call, job)
  local name = unusual.about_to_call(call, job)
  return name and hold(call, job, name)
end

local GUARDS = {
  too_late, on_the_list, held, outside_hours, not_allowed, day_over, too_expensive, number_protected, unaffordable,
  unusual_now,
}

-- What keeps a queued job from being called now, or nil.
function M.forbids(call, job)
  for _, guard in ipairs(GUARDS) do
    local what, text = guard(call, job)
    if what then
      return what, text
    end
  end
end

-- Begins an attempt of a job that nothing forbids.
function M.claim(call, job)
  job.attempts = job.attempts + 1
  record.set(job, field.attempts, job.attempts)
  record.set(job, field.token, call.args.token)
  record.set_attempt(job, job.attempts, 'sent', call.now)
  if call.args.provider then
    record.set_attempt(job, job.attempts, 'provider', call.args.provider)
  end
  campaigns.begin_attempts(call, job, job.attempts - 1)
  numbers.begin_call(call, job)
  ledger.reserve(call, job, job.reserve)
  holds.begin_probe(call, job)
  moves.move(call, job, 'dialing', { actor = call.args.actor, next_at = call.now + call.args.lease })
end

return M
