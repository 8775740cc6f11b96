-- Writes what became of attempt n, if that is still the job's question; what comes too late to change the
-- job is kept with its attempt.
--
-- answers  a JSON list, of each attempt an object:
--   id
--   attempt         n
--   token           of its claim: nothing is written where the job knows nothing of that one
--   to              state that the job goes to
--   reason          if any
--   delay           ms until something happens next; left out: the deadline, if any
--   spent           true if the attempt is spent; counted once, when the job leaves `dialing`, and given back
--                   where it turns out later that nobody was asked
--   actor
--   why             if anything is to be said
--   hold            that the provider's answer starts, if any; `credit`: the one that the budget then calls for
--   required        credits that the call needs, where the provider said so
--   proves          reasons of holds that what the provider said proves to be over, commas between
--   failure         of the provider: `clear` (nobody was called), `unclear`, or left out
--   language        that the provider refused to speak, for any job, if it did
--   throttled       true where the provider answered 429
--   callback        `came`: this is one; `due`: the call's end should have been reported by one; or left out
--   attempt_fields  to keep with the attempt
--   job_fields      to keep with the job, if any
--   booked          what its request was booked by, where the limiter is to be told how it went:
--   late, took      ms from that moment to its first byte, and from there to its answer
-- answer   for each {'moved' | 'late' | 'other' (it is of another call, or claim) | 'gone' |
--                 'damaged' (it cannot be written), state}

local schema = require('schema')
local pace = require('lib/pace')
local text = require('lib/text')
local budget = require('lib/budget')
local costs = require('lib/costs')
local holds = require('lib/holds')
local money = require('lib/money')
local moves = require('lib/moves')
local alert_jobs = require('lib/alert_jobs')
local ledger = require('lib/ledger')
local callids = require('lib/callids')
local languages = require('lib/languages')
local places = require('lib/places')
local record = require('lib/record')
local damaged = require('lib/damaged')
local events = require('lib/events')
local breaker = require('lib/breaker')
local limiter = require('lib/limiter')
local numbers = require('lib/numbers')
local counters = require('lib/counters')
local timeline = require('lib/timeline')
local campaigns = require('lib/campaigns')
local callbacks_seen = require('lib/callbacks_seen')

local field = schema.field
local SOON = 1000 -- ms until a status check looks for a cost
local ENDED = schema.results_of_an_end -- what an attempt is that called somebody, and whose call is over

-- What is said of the attempt, beside what is known of it.
local function read(call, job)
  local n, given = call.args.attempt, call.args.attempt_fields
  local told = {
    n = n, to = call.args.to, actor = call.args.actor, why = call.args.why or '', spent = call.args.spent ~= nil,
    given = given, fields = call.args.job_fields or {},
    known = record.get_attempt(job, n, 'result'),
    known_cost = money.units(record.get_attempt(job, n, 'cost')),
    latest = job.attempts == n,
    ended = ENDED[given.result],
    called = ENDED[given.result] or given.result == 'placed',
  }
  told.unknown = not told.known or told.known == 'maybe_placed'
  told.undecided = told.unknown or ((told.known == 'outcome_unknown' or told.known == 'placed') and told.ended)
  return told
end

-- The call that an attempt made is known once and for all.
local function of_another_call(job, told)
  local made, given = record.get_attempt(job, told.n, 'callid'), told.given.callid
  return made and given and given ~= made
end

-- Whether it can have cost so much; what a callback says is looked for by a status check where it is out of
-- the ordinary.
local function believes(call, job, told, cost)
  if cost == told.known_cost then
    return true
  elseif call.args.callback == 'came' and not costs.believes(call, job.tariff, cost, told.given.result == 'answered') then
    told.fields[field.cost_check], told.doubted = SOON, true
    counters.add(call, 'costs_doubted')
    return false
  elseif not budget.can_have_paid(call, cost, tonumber(record.get_attempt(job, told.n, 'reserved')) or 0) then
    events.tell(call, 'cost.not_believed', { job = job.id, cost = money.credits(cost), at = call.now })
    return false
  end
  return true
end

-- What the attempt cost, in units, where that is said, or follows: nothing, if nobody was asked.
local function work_out_cost(call, job, told)
  local cost = told.given.cost and math.max(0, money.units(told.given.cost) or 0)
  if cost and believes(call, job, told, cost) then
    told.cost = cost
    if not told.known_cost then
      costs.learn(call, job.tariff, cost, told.given.result == 'answered', call.args.callback ~= 'came')
    end
  elseif cost then
    told.given.cost = nil
  elseif not told.spent then
    told.cost = 0
  end
end

-- An attempt that Redis has lost came after this one: how this one ended was lost with it.
local function end_attempt(call, job)
  if job.state == 'dialing' then
    limiter.release_connection(call, job.id)
    job.spent = job.spent + 1
    record.set(job, field.spent, job.spent)
  end
  record.set_attempt(job, job.attempts, 'result', 'outcome_unknown')
  record.set_attempt(job, job.attempts, 'ended', call.now)
  moves.move(call, job, 'scheduled', { actor = 'dispatcher', why = 'Redis had lost how this ended', next_at = call.now })
end

-- Something is known of an attempt that Redis knows nothing of: Redis was killed and lost the claim with its
-- last moments, or was restored from a backup. The provider was asked, so the claim stands.
local function restore_claim(call, job, told)
  if job.attempts >= told.n or schema.terminal[job.state] then
    return
  elseif schema.calling[job.state] then
    end_attempt(call, job)
  end
  if job.state ~= 'queued' then
    moves.move(call, job, 'queued', { actor = 'dispatcher', why = 'it was due when Redis lost data' })
  end
  local before = job.attempts
  job.attempts, told.latest = told.n, true
  campaigns.begin_attempts(call, job, before)
  record.set(job, field.attempts, told.n)
  record.set_attempt(job, told.n, 'sent', call.now)
  moves.move(call, job, 'dialing', { actor = 'dispatcher', why = 'Redis had lost this claim', next_at = call.now })
  numbers.pick_up(call, job)
end

-- It was given up as uncertain and is to be dialled again, and was not yet: evidence saves the call.
-- Where a person asked for it to be dialled again, that nobody was reached is no reason not to.
local function saves_call(job, told)
  local counts = told.n > tonumber(job.fields[field.counted_from] or 0)
  local matters = counts or told.to == 'completed' or told.to == 'in_progress'
  return schema.waiting[job.state] and told.known == 'maybe_placed' and told.called and matters
end

-- What is told of a call counts in its campaign.
local function set_attempt(call, job, n, name, value)
  campaigns.change_attempt(call, job, n, name, value)
  record.set_attempt(job, n, name, value)
end

local function keep(call, job, told)
  for name, value in pairs(told.given) do
    set_attempt(call, job, told.n, name, value)
  end
  for callid in text.items(told.given.callid) do
    callids.add(call, callid, job.id)
  end
end

local function says_something_new(job, told)
  for name, value in pairs(told.given) do
    if record.get_attempt(job, told.n, name) ~= value then
      return true
    end
  end
end

local function note_late(call, job, told, what)
  timeline.add(call, job, told.actor, 'attempt ' .. text.int(told.n) .. ', too late to change anything: ' .. what)
end

-- Whether a line of the timeline ends with these words.
local function is_noted(job, words)
  for i = 0, job.events - 1 do
    if string.sub(record.get(job, 't' .. text.int(i)), -#words) == words then
      return true
    end
  end
end

-- Two calls were made of one attempt: of a claim that Redis lost, and that was given again. Whoever tells
-- of the other call, it is a second one, once. Its outcome is nothing to the job.
local function note_other_call(call, job, told)
  local words = 'another call was made of it, ' .. told.given.callid
  if told.called and not is_noted(job, words) then
    counters.add(call, 'second_calls')
    note_late(call, job, told, words)
    record.save(job)
  end
  return { 'other', job.state }
end

local function settle_late(call, job, told)
  if told.cost then
    ledger.settle_late(call, job, told.n, told.cost, told.known_cost or 0)
  end
end

local function keep_late(call, job, told)
  local under_way = told.latest and schema.calling[job.state] -- then its reservation still stands
  if told.undecided and says_something_new(job, told) then
    if job.attempts > told.n and told.called and told.unknown then
      counters.add(call, 'second_calls')
      told.why = 'a call that was redialled as unknown; ' .. told.why
    end
    keep(call, job, told)
    note_late(call, job, told, told.to .. ' ' .. told.why)
    if not under_way then
      settle_late(call, job, told)
    end
  elseif told.given.cost and told.cost > (told.known_cost or -1) and not under_way then
    set_attempt(call, job, told.n, 'cost', told.given.cost)
    note_late(call, job, told, 'it cost ' .. told.given.cost)
    if told.latest then
      places.end_cost_check(call, job)
    end
    settle_late(call, job, told)
  end
  if told.doubted and told.latest and schema.terminal[job.state] then
    places.schedule_cost_check(call, job, SOON)
  end
  record.save(job)
  return { 'late', job.state }
end

-- The provider refused the account, or the account this call: that holds others, whatever the job has become.
-- Returns the hold's name, if any.
local function start_hold(call, job)
  local args, required = call.args, tonumber(call.args.required)
  if args.hold == 'credit' then
    local reserved = job and tonumber(record.get_attempt(job, args.attempt, 'reserved'))
    return budget.refuse(call, job and job.tariff, args.why, required, reserved or 0)
  elseif args.hold then
    holds.start(call, args.hold, args.why, required, true)
  end
  return args.hold
end

-- What the provider's answer says about the provider itself.
local function judge_provider(call, job, told)
  local failure = call.args.failure
  if call.args.proves then
    breaker.reset(call)
    holds.finish_proven(call, job, call.args.proves, 'a call was placed')
  elseif failure then
    breaker.count(call, failure == 'clear', job.id, told.why)
  end
end

local function note_language(call)
  if call.args.language then
    languages.note_refusal(call, call.args.language)
  end
end

local function count_spent(job, told)
  if job.state == 'dialing' and told.spent then
    job.spent = job.spent + 1
  elseif job.state == 'uncertain' and not told.spent then
    job.spent = job.spent - 1
  end
  record.set(job, field.spent, job.spent)
end

local function write_attempt(call, job, told)
  if told.to ~= 'in_progress' and told.to ~= 'uncertain' then
    record.set_attempt(job, told.n, 'ended', call.now)
  end
  if not told.spent and job.state ~= 'in_progress' then
    numbers.take_back(call, job, told.n)
  end
  count_spent(job, told)
  keep(call, job, told)
  for name, value in pairs(told.fields) do
    record.set(job, name, value)
  end
  record.set(job, field.token, '') -- nobody asks for this claim again; removed when the job ends, with others
end

local function note_callback(call, job, told)
  if call.args.callback == 'came' and told.to == 'in_progress' then
    callbacks_seen.came_for(job, told.n)
  elseif call.args.callback == 'due' and told.ended then
    callbacks_seen.ended(call, job, told.n)
  end
end

local function move(call, job, told)
  local next_at = call.args.delay and call.now + call.args.delay
  local how = {
    actor = told.actor, why = told.why, reason = call.args.reason, hold = told.hold, next_at = next_at,
    cost = told.cost and math.max(0, told.cost - (told.known_cost or 0)),
  }
  if told.to == 'scheduled' then
    how.reason = nil
    moves.schedule(call, job, next_at or call.now, how)
  elseif told.to == 'queued' then
    how.reason, job.due = nil, call.now
    moves.queue(call, job, how)
  else
    how.next_at = next_at or (not schema.terminal[told.to] and job.expires) or nil
    moves.move(call, job, told.to, how)
  end
  if schema.waiting[job.state] and alert_jobs.is_past(call, job) then
    moves.move(call, job, 'cancelled', { actor = 'alert', why = 'the alert wants no more calls' })
  end
end

local function settle(call, job, told, saved)
  judge_provider(call, job, told)
  note_language(call)
  if call.args.throttled then
    counters.add(call, 'throttled')
  end
  write_attempt(call, job, told)
  note_callback(call, job, told)
  move(call, job, told)
  if saved and told.to == 'in_progress' then
    numbers.pick_up(call, job)
  elseif saved then
    settle_late(call, job, told)
  end
  local delay = told.fields[field.cost_check]
  if delay and schema.terminal[job.state] then
    places.schedule_cost_check(call, job, delay)
  end
  record.save(job)
  return { 'moved', job.state }
end

local function settle_one(call)
  local job = record.load(call, call.args.id)
  local hold = start_hold(call, job)
  if not job then
    return { 'gone', '' }
  end
  if call.args.token and job.fields[field.token] ~= call.args.token then
    return { 'other', job.state }
  end
  local told = read(call, job)
  told.hold = hold
  if told.latest and job.state == 'dialing' then
    limiter.release_connection(call, job.id) -- the request is over, whatever it brought
  end
  if of_another_call(job, told) then
    return note_other_call(call, job, told)
  end
  restore_claim(call, job, told)
  local saved = saves_call(job, told)
  work_out_cost(call, job, told)
  local asked = told.latest and (schema.calling[job.state] or saved)
  if not asked or not schema.transitions[job.state][told.to] then
    return keep_late(call, job, told)
  end
  return settle(call, job, told, saved)
end

-- Each is judged by itself.
local function run(call)
  local answers = {}
  local rows = cjson.decode(call.args.answers)
  for i, args in ipairs(rows) do
    call.args = args
    if args.booked then
      limiter.answered(call, args.booked, args.late, args.took)
    end
    if rows[2] then
      local done, answer = damaged.try(call, args.id, settle_one)
      answers[i] = done and answer or { 'damaged', '' }
    else
      answers[i] = settle_one(call) -- whoever asks for one is told what is wrong
    end
  end
  if call.pace then
    pace.save(call)
  end
  return answers
end

return { run = run, flags = { 'allow-oom' } }
