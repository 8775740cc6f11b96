-- Gives one worker the right to make one request for a job now, and writes that it is about to.
-- Everything that forbids a call is looked at here, at the moment of dialling.
-- The attempt's number is the fencing token: it is never given twice.
--
-- id
-- token     of this claim: the same token asks again for the same answer (a lost reply)
-- lease     ms
-- actor
-- slot      reserved by an earlier call with this token, if any
-- reading   of the limiter's time, as the worker was told at its latest answer, if any
-- passed    ms since then, by a clock that nobody sets
-- provider  that is asked, to be kept with the attempt
-- answer    'gone' | state (nothing to do) | {'wait', ms, slot, reading} | {'hours', text, record}: its window is
--           to be set first (set_calling_window) | {'day', zone, ''}: the day that spending limits count is
--           to be set first (begin_spending_day) | {reading it is booked by ('' without a limit), attempt,
--           record}; a record is a JSON object

local schema = require('schema')
local pace = require('lib/pace')
local text = require('lib/text')
local costs = require('lib/costs')
local holds = require('lib/holds')
local money = require('lib/money')
local moves = require('lib/moves')
local budget = require('lib/budget')
local config = require('lib/config')
local ledger = require('lib/ledger')
local allowed = require('lib/allowed')
local record = require('lib/record')
local limiter = require('lib/limiter')
local numbers = require('lib/numbers')
local counters = require('lib/counters')
local spending = require('lib/spending')
local campaigns = require('lib/campaigns')
local unusual = require('lib/unusual')
local do_not_call = require('lib/do_not_call')

local field, setting = schema.field, schema.config

local function granted(call, job)
  return { limiter.rate(call) and pace.reading(call) or '', job.attempts, record.to_json(job) }
end

local function fail(call, job, why, reason)
  moves.move(call, job, 'failed', { reason = reason or 'not_allowed', actor = call.args.actor, why = why })
  return job.state
end

local function hold(call, job, name)
  moves.hold(call, job, name, call.args.actor)
  return job.state
end

-- What follows are the things that forbid a call, in order: each answers for the operation, or nil.

local function too_late(call, job)
  if moves.overdue(call, job) then
    moves.move(call, job, 'expired', { actor = call.args.actor, why = 'the deadline passed before it was dialled' })
    return job.state
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
  return not open and { 'hours', hours, record.to_json(job) } or nil
end

local function not_allowed(call, job)
  local kind, what = allowed.refusal(call, job.tariff, record.get(job, field.number_types))
  if kind then
    what = kind == 'type' and what .. ' numbers' or what
    return fail(call, job, 'the settings of the dispatcher do not allow calls to ' .. what)
  end
end

local function day_over(call)
  return spending.day_is_over(call) and { 'day', config.get(call, setting.zone), '' } or nil
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
    return job.state
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

local function no_slot(call, job)
  local wait, slot = limiter.take_slot(call, 'dial', tonumber(call.args.slot), job.id)
  if wait == 0 then
    return nil
  elseif slot then
    -- somebody is there, and waits for it
    redis.call('ZADD', schema.key.dispatched(call), 'XX', math.max(pace.by_clock(call, slot), call.now), job.id)
    wait = limiter.rate(call) and limiter.come_back(call, wait) or wait
  end
  return { 'wait', text.exact(wait), slot and text.exact(slot) or '', pace.reading(call) }
end

local function begin_attempt(call, job)
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
  return granted(call, job)
end

local function run(call)
  config.read_all(call)
  local job = record.load(call, call.args.id)
  if not job then
    return 'gone'
  elseif job.state == 'dialing' and job.fields[field.token] == call.args.token then
    return granted(call, job)
  elseif job.state ~= 'queued' then
    return job.state
  end
  return too_late(call, job)
    or on_the_list(call, job)
    or held(call, job)
    or outside_hours(call, job)
    or not_allowed(call, job)
    or day_over(call)
    or too_expensive(call, job)
    or number_protected(call, job)
    or unaffordable(call, job)
    or unusual_now(call, job)
    or no_slot(call, job)
    or begin_attempt(call, job)
end

return { run = run }
