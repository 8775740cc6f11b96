-- What people do to jobs, one or many: what forbids it, and how it is done. Previews, single actions and
-- bulk actions follow the same rules.
--
-- Options say how: `named` (a set of what is left out unless it is selected by name: `cancelled`, `expired`,
-- `uncertain`), `lifetime` (ms until a new deadline), `priority`, `tag` (marks the jobs that are reopened)
--
-- Each action has `refuses(call, job, options)`, which returns why not in one word, or nil, and
-- `perform(call, job, options, actor, why)`, which is not called otherwise:
--   gone       there is no such job         reached    somebody was reached
--   not_ended  it is under way or waits     uncertain  a call may be under way, nobody knows
--   cancelled  somebody did not want it     overdue    its deadline passed
--   ended      it is over                   calling    a call is under way
--   known      what came of it is known       code       its code was removed when it ended
--   do_not_call  a number is on the do-not-call list
--   alert      it is a call of an alert, whose chain calls again: as urgent as it is

local schema = require('schema')
local text = require('lib/text')
local moves = require('lib/moves')
local indexing = require('lib/indexing')
local places = require('lib/places')
local record = require('lib/record')
local entries = require('lib/entries')
local timeline = require('lib/timeline')
local do_not_call = require('lib/do_not_call')

local M = { retry = {}, cancel = {}, reached = {}, prioritise = {} }

local key, field = schema.key, schema.field

local function ended_or_calling(job)
  return schema.terminal[job.state] and 'ended' or 'calling'
end

local function stands_so(call, job, options)
  local named = options.named
  if job.state == 'completed' then
    return 'reached'
  elseif not schema.terminal[job.state] and job.state ~= 'uncertain' then
    return 'not_ended'
  elseif job.fields[field.alert] then
    return 'alert'
  elseif job.state == 'uncertain' then
    return not named.uncertain and 'uncertain' or nil
  elseif job.fields[field.code] then
    return 'code'
  elseif job.state == 'cancelled' and not named.cancelled then
    return 'cancelled'
  elseif (job.state == 'expired' or moves.overdue(call, job)) and not (options.lifetime or named.expired) then
    return 'overdue'
  end
end

function M.retry.refuses(call, job, options)
  return stands_so(call, job, options) or (do_not_call.refuses(call, job) and 'do_not_call') or nil
end

-- Tags of the job's own are what its producer gave it; that of the action which reopened it last goes last.
local function mark(call, job, tag)
  local kept = {}
  for each in text.items(record.get(job, field.tags)) do
    if #each == #tag and string.match(each, '^retry:%w+$') then
      indexing.remove(call, 'by_tag', each, job.created, job.id)
    else
      kept[#kept + 1] = each
    end
  end
  kept[#kept + 1] = tag
  indexing.add(call, 'by_tag', tag, job.created, job.id)
  record.set(job, field.tags, table.concat(kept, ','))
end

-- A deliberate new attempt, all history kept. The count of spent attempts starts anew, and so does the
-- deadline, by its first length or a new one.
function M.retry.perform(call, job, options, actor, why)
  local lifetime = options.lifetime or job.lifetime
  if lifetime then
    job.expires = call.now + lifetime
    record.set(job, field.expires, job.expires)
    record.set(job, field.lifetime, lifetime)
  end
  if job.state == 'uncertain' then
    record.set_attempt(job, job.attempts, 'ended', call.now)
  end
  record.set(job, field.spent, 0)
  record.set(job, field.counted_from, job.attempts)
  places.end_cost_check(call, job)
  for _, name in ipairs({ field.finished, field.outcome, field.duration }) do
    record.remove(job, name)
  end
  if options.tag then
    mark(call, job, options.tag)
  end
  job.due = call.now
  moves.move(call, job, 'queued', { actor = actor, why = why, next_at = job.expires })
end

function M.cancel.refuses(_, job)
  if not schema.transitions[job.state].cancelled then
    return ended_or_calling(job)
  end
end

function M.cancel.perform(call, job, _, actor, why)
  moves.move(call, job, 'cancelled', { actor = actor, why = why })
end

-- A person has asked the one who was called.
function M.reached.refuses(_, job)
  if job.state ~= 'uncertain' and not (job.state == 'failed' and job.reason == 'outcome_unknown') then
    return 'known'
  end
end

function M.reached.perform(call, job, _, actor, why)
  record.set(job, field.outcome, 'MARKED AS REACHED')
  moves.move(call, job, 'completed', { actor = actor, why = why, reason = 'marked_reached' })
end

function M.prioritise.refuses(_, job)
  if not schema.waiting[job.state] then
    return ended_or_calling(job)
  elseif job.fields[field.alert] then
    return 'alert'
  end
end

function M.prioritise.perform(call, job, options, actor, why)
  entries.write_of(call, key.due(call, job.state))
  local next_at = redis.call('ZSCORE', key.due(call, job.state), job.id) or nil
  places.leave(call, job)
  record.set_priority(job, options.priority)
  places.arrive(call, job, next_at)
  timeline.add(call, job, actor, 'priority set to ' .. job.priority .. (why ~= '' and ': ' .. why or ''))
  record.save(job)
end

-- Whether somebody may have been called, and nobody knows.
function M.unknown(call, job)
  return M.reached.refuses(call, job) == nil
end

return M
