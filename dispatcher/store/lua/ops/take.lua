-- Gives a worker the jobs that it dials next: brings those that are due into line, takes one after another in
-- its turn, and claims each that nothing forbids (lib/claiming.lua), with the moment at which its request may
-- go out. What a hold stops is parked behind it.
--
-- most      jobs that the worker can dial at once
-- token     of this take: the same token asks again for the same claims (a lost reply)
-- lease     ms
-- actor
-- reading   of the limiter's time, as the worker was told at its latest answer, if any
-- passed    ms since then, by a clock that nobody sets
-- provider  that is asked, to be kept with the attempts
-- answer    {reading, ms until it is worth asking again ('': when something new comes), the priority whose
--           workers are to be woken since there is more than this one can dial, or '', the zone whose day is to be
--           set first (begin_spending_day), or '', claims, hours}
--           claims: {id, attempt, ms until its request goes out, what it is booked by, record, …}
--           hours: {id, text, record, …} of jobs whose calling window is to be set (set_calling_window)
--           a record is a JSON object

local schema = require('schema')
local due = require('lib/due')
local pace = require('lib/pace')
local text = require('lib/text')
local holds = require('lib/holds')
local lines = require('lib/lines')
local turns = require('lib/turns')
local config = require('lib/config')
local places = require('lib/places')
local record = require('lib/record')
local damaged = require('lib/damaged')
local wakeup = require('lib/wakeup')
local limiter = require('lib/limiter')
local claiming = require('lib/claiming')

local key = schema.key
local URGENT = { 'urgent' }
local AHEAD = 25 -- ms that a claim may come before its request
local MOST_LOOKED_AT = 100 -- jobs in one step: what holds stop, and what is over, comes to an end

local function add_claim(call, job, at, claims)
  local many = #claims
  claims[many + 1], claims[many + 2] = job.id, job.attempts
  claims[many + 3] = text.exact(math.max(0, at - pace.time(call)))
  claims[many + 4] = limiter.rate(call) and text.micros(at) or ''
  claims[many + 5] = record.to_json(job)
end

local function add_hours(call, job, hours, answer)
  places.set_aside(call, job)
  for _, value in ipairs({ job.id, hours, record.to_json(job) }) do
    answer.hours[#answer.hours + 1] = value
  end
end

-- What an earlier take with this token claimed: its reply was lost.
local function taken_before(call, answer)
  for id in text.items(redis.call('GET', key.taken(call, call.args.token)) or nil) do
    local _, job = damaged.try(call, id, record.load, id)
    if job and job.state == 'dialing' and job.fields[schema.field.token] == call.args.token then
      add_claim(call, job, pace.time(call), answer.claims)
    end
  end
  return #answer.claims > 0
end

local function remember(call, answer)
  local ids = {}
  for place = 1, #answer.claims, 5 do
    ids[#ids + 1] = answer.claims[place]
  end
  if ids[1] then
    redis.call('SET', key.taken(call, call.args.token), table.concat(ids, ','), 'PX', call.args.lease)
  end
end

-- The moment of the next request, and the only priority that it is for, if an urgent job may go before others' turn;
-- or nil and in how many ms to ask again.
local function next_request(call)
  if holds.stopping(call) then
    return 0
  end
  local at, again = limiter.next_request(call, AHEAD)
  if not at and limiter.bursts(call) and lines.any(call, URGENT) then
    at, again = limiter.next_request(call, AHEAD, true)
    return at, at and 'urgent' or again
  end
  return at, again
end

-- Claims a job for this moment, unless something forbids it: answers what.
local function claim(call, job, at, answer)
  local what, hours = claiming.forbids(call, job)
  if not what then
    limiter.book(call, at, job.id, job.priority == 'urgent')
    claiming.claim(call, job)
    add_claim(call, job, at, answer.claims)
    answer.left = answer.left - 1
  elseif what == 'hours' then
    add_hours(call, job, hours, answer)
  elseif what == 'day' then
    answer.day = config.get(call, schema.config.zone)
  end
  return what
end

-- Takes the next job in its turn; false where there is no use in going on.
local function take_one(call, answer)
  local at, again = next_request(call)
  local job, ready
  if at then
    job, ready = turns.next_job(call, again)
  end
  if not job then
    answer.again = not at and again or due.next_in(call)
    return false
  end
  local done, what = damaged.try(call, job.id, claim, job, at, answer)
  if not done then
    limiter.release_connection(call, job.id)
    places.put_aside(call, job.id, ready)
  end
  return what ~= 'day'
end

local function take(call, answer)
  due.queue(call, answer.left)
  for _ = 1, MOST_LOOKED_AT do
    if answer.left == 0 or not take_one(call, answer) then
      return
    end
  end
  answer.again = 0
end

-- Where there is more to dial than this worker can, others are woken.
local function wake_others(call, answer)
  local priority = answer.left == 0 and limiter.next_request(call, AHEAD) and wakeup.most_urgent(call)
  if priority then
    return wakeup.tell(call, priority) or ''
  end
  wakeup.heard(call)
  return ''
end

local function run(call)
  pace.follow(call)
  local answer = { claims = {}, hours = {}, left = tonumber(call.args.most) }
  if not taken_before(call, answer) then
    take(call, answer)
    remember(call, answer)
  end
  turns.save(call)
  pace.save(call)
  local woken, again = wake_others(call, answer), answer.again and text.exact(answer.again) or ''
  return { pace.reading(call), again, woken, answer.day or '', answer.claims, answer.hours }
end

return { run = run }
