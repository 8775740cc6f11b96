-- The one way in which a job changes its state.

local schema = require('schema')
local text = require('lib/text')
local holds = require('lib/holds')
local ledger = require('lib/ledger')
local places = require('lib/places')
local record = require('lib/record')
local numbers = require('lib/numbers')
local counters = require('lib/counters')
local campaigns = require('lib/campaigns')
local timeline = require('lib/timeline')
local alert_jobs = require('lib/alert_jobs')
local webhooks = require('lib/webhooks')

local M = {}

local field = schema.field

function M.overdue(call, job)
  return job.expires and job.expires <= call.now
end

-- Says to whoever waits or watches that the job has come to where it is: by the place in its timeline.
function M.announce(call, job)
  webhooks.tell_of_job(call, job)
  redis.call('PUBLISH', job.key, text.int(job.events - 1))
end

-- A call begins or ends: whose number it is, and what it reserves.
local function change_call(call, job, to, cost)
  local before, after = schema.calling[job.state], schema.calling[to]
  if before and not after then
    numbers.hang_up(call, job)
    ledger.settle(call, job, cost)
  elseif after and not before and to ~= 'dialing' then
    ledger.reserve_again(call, job)
  end
end

local function write_state(call, job, to, how)
  job.state, job.reason, job.hold = to, how.reason or '', how.hold or how.reason
  record.set(job, field.state, to)
  record.set_due(job, job.due)
  if job.reason == '' then
    record.remove(job, field.reason)
  else
    record.set(job, field.reason, job.reason)
  end
  if to == 'held' then
    record.set(job, field.hold, job.hold)
  else
    record.remove(job, field.hold)
  end
  if schema.terminal[to] then
    record.set_finished(job, call.now)
    record.remove(job, field.token)
    if job.fields[field.code] then
      record.set(job, field.code, schema.code_removed) -- nobody is told it any more
    end
  end
end

-- Moves a job, saves it and says so. `how`: actor, why, reason, hold (the name of the one that keeps it;
-- left out: the reason), next_at (when something happens next), cost (of the call that ends, in units;
-- left out: nobody knows). Operations look before they move; a state that follows by no rule is a bug of
-- theirs.
function M.move(call, job, to, how)
  if not schema.transitions[job.state][to] then
    error('job ' .. job.id .. ' cannot go from ' .. job.state .. ' to ' .. to)
  end
  local state, reason = job.state, job.reason
  places.leave(call, job)
  change_call(call, job, to, how.cost)
  if to ~= 'dialing' then
    holds.end_probe(call, job)
  end
  write_state(call, job, to, how)
  places.arrive(call, job, how.next_at)
  campaigns.move(call, job, state, reason)
  if schema.terminal[to] then
    counters.add_outcome(call, job)
  elseif to == 'dialing' then
    counters.add(call, 'attempts')
  end
  timeline.add(call, job, how.actor, how.why)
  record.save(job)
  alert_jobs.moved(call, job)
  M.announce(call, job)
end

local function expire(call, job, how, why)
  how.why, how.next_at = why, nil
  M.move(call, job, 'expired', how)
end

-- Into the line of the ready, or out of time.
function M.queue(call, job, how)
  if M.overdue(call, job) then
    expire(call, job, how, 'the deadline passed')
  else
    how.next_at = job.expires
    M.move(call, job, 'queued', how)
  end
end

-- Not before `due`; where the deadline comes first the job ends now, and says so.
function M.schedule(call, job, due, how)
  job.due = due
  if job.expires and due >= job.expires then
    expire(call, job, how, 'the next attempt would come after the deadline; ' .. (how.why or ''))
  else
    how.next_at = due
    M.move(call, job, 'scheduled', how)
  end
end

-- Parks a job behind a hold, whose name it keeps: it is released when that very hold ends.
function M.hold(call, job, name, actor)
  M.move(call, job, 'held', {
    actor = actor, why = holds.get(call, name).why, reason = holds.reason_of(name), hold = name,
    next_at = job.expires,
  })
end

return M
