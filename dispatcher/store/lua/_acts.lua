-- What people do to jobs, one or many: what forbids it, and how it is done. Stands before the operations
-- that preview, do one, and do many; so the same rules hold for all of them.
--
-- A wish says how: `named` (a set of what is left out unless it is meant by name: `cancelled`, `expired`,
-- `uncertain`), `span` (ms until a new deadline), `priority`, `tag` (marks the jobs that are reopened)
--
-- Each act has `refuses(job, wish)`, which returns why not in one word, or nil, and
-- `perform(job, wish, actor, why)`, which is not called otherwise:
--   gone       there is no such job         reached    somebody was reached
--   not_ended  it is under way or waits     uncertain  a call may be under way, nobody knows
--   cancelled  somebody did not want it     overdue    its deadline passed
--   ended      it is over                   calling    a call is under way
--   known      what came of it is known

local ACTS = { retry = {}, cancel = {}, reached = {}, prioritise = {} }

function ACTS.retry.refuses(job, wish)
  if job.state == 'completed' then
    return 'reached'
  elseif job.state == 'uncertain' then
    return not wish.named.uncertain and 'uncertain' or nil
  elseif not TERMINAL[job.state] then
    return 'not_ended'
  elseif job.state == 'cancelled' and not wish.named.cancelled then
    return 'cancelled'
  elseif (job.state == 'expired' or overdue(job)) and not (wish.span or wish.named.expired) then
    return 'overdue'
  end
end

-- Tags of the job's own are what its producer gave it; that of the act which reopened it last goes last.
local function mark(job, tag)
  local kept = {}
  for each in string.gmatch(whole(job.id, 'tags'), '[^,]+') do
    if #each == #tag and string.match(each, '^retry:%w+$') then
      redis.call('ZREM', key('tag', each), job.id)
    else
      kept[#kept + 1] = each
    end
  end
  kept[#kept + 1] = tag
  redis.call('ZADD', key('tag', tag), job.created, job.id)
  job.tags = table.concat(kept, ',')
  job.line = line_of(job.tags, job.actor)
  replace(job.id, { 'tags', job.tags })
end

-- A deliberate new attempt, all history kept. The count of spent attempts starts anew, and so does the
-- deadline, by its first length or a new one.
function ACTS.retry.perform(job, wish, actor, why)
  local name, span = key('job', job.id), wish.span or job.span
  if span then
    job.expires = NOW + span
    redis.call('HSET', name, 'expires', int(job.expires), 'span', int(span))
  end
  if job.state == 'uncertain' then
    redis.call('HSET', name, int(job.n) .. '.end', int(NOW))
  end
  redis.call('HSET', name, 'spent', '0', 'since', int(job.n))
  write_off(job.id)
  redis.call('HDEL', name, 'finished', 'outcome', 'duration')
  if wish.tag then
    mark(job, wish.tag)
  end
  job.due = NOW
  move(job, 'queued', '', job.expires, actor, why)
end

function ACTS.cancel.refuses(job)
  if not TRANSITIONS[job.state].cancelled then
    return TERMINAL[job.state] and 'ended' or 'calling'
  end
end

function ACTS.cancel.perform(job, _, actor, why)
  move(job, 'cancelled', '', nil, actor, why)
end

-- A person has asked the one who was called.
function ACTS.reached.refuses(job)
  if job.state ~= 'uncertain' and not (job.state == 'failed' and job.reason == 'outcome_unknown') then
    return 'known'
  end
end

function ACTS.reached.perform(job, _, actor, why)
  replace(job.id, { 'outcome', 'MARKED AS REACHED' })
  move(job, 'completed', 'marked_reached', nil, actor, why)
end

function ACTS.prioritise.refuses(job)
  if not WAITING[job.state] then
    return TERMINAL[job.state] and 'ended' or 'calling'
  end
end

function ACTS.prioritise.perform(job, wish, actor, why)
  local next_at = redis.call('ZSCORE', key('next', job.state), job.id) or nil
  if redis.call('ZSCORE', key('fed'), job.id) then
    next_at = job.expires -- its message is forgotten: it stands in line anew
  end
  leave(job)
  job.prio = wish.priority
  redis.call('HSET', key('job', job.id), 'prio', job.prio)
  arrive(job, next_at)
  note(job, actor, 'priority ' .. job.prio .. (why ~= '' and ': ' .. why or ''))
end

-- Whether somebody may have been called, and nobody knows.
local function unknown(job)
  return ACTS.reached.refuses(job) == nil
end
