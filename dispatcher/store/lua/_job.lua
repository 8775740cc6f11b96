-- Stands before every operation, after _record.lua and _outbox.lua: what a job is, where it stands, and the
-- one way in which it changes.
--
-- TRANSITIONS is put before by the loader: state -> set of states that may follow

local NAME = 40 -- of a producer: what stands in the first piece of the first line of a timeline, always
local TERMINAL = { completed = true, failed = true, expired = true, cancelled = true }
local PRIORITIES = { 'urgent', 'normal', 'bulk' }

local CORE = {
  'state', 'reason', 'prio', 'created', 'due', 'expires', 'n', 'spent', 'moves', 'span', 'hold', 'tags', 't0',
  'tariff', 'hook',
}

-- Whose turn it is among the ready: the campaign's, or else the producer's. It comes from what never
-- changes, and need not be stored.
local function line_of(tags, actor)
  local first_piece = string.sub(tags or '', 1, PIECE)
  return string.match(',' .. first_piece, ',(campaign:[^,]+)') or string.sub(actor or '', 1, NAME)
end

local function one_word(text)
  return (string.gsub(text, '%s', '_'))
end

-- The fields that decisions need, or nil where there is no such job.
local function load(id)
  local values = redis.call('HMGET', key('job', id), unpack(CORE))
  if not values[1] then
    return nil
  end
  local job = { id = id }
  for i, field in ipairs(CORE) do
    job[field] = values[i] or nil
  end
  for _, field in ipairs({ 'created', 'due', 'expires', 'n', 'spent', 'moves', 'span' }) do
    job[field] = tonumber(job[field])
  end
  job.actor = string.sub(string.match(job.t0 or '', '^%S+ %S+ (%S+)') or '', 1, NAME)
  job.line = line_of(job.tags, job.actor)
  return job
end

local function kind_of(state, reason)
  if reason and reason ~= '' then
    return state .. ':' .. reason
  end
  return state
end

local function index_key(job)
  return key('idx', kind_of(job.state, job.reason))
end

local function ready_key(job)
  return key('ready', job.prio, job.line)
end

local function held_key(job)
  return key('held', job.hold, job.prio)
end

-- A line that comes anew starts one turn behind the one whose turn it is: it neither waits for what
-- the others have had, nor makes up for the time when it asked for nothing, nor goes before them each
-- time where it comes with one job after another.
local function stand_in_line(job)
  local lines = key('lines', job.prio)
  if not redis.call('ZSCORE', lines, job.line) then
    local first = redis.call('ZRANGE', lines, 0, 0, 'WITHSCORES')
    redis.call('ZADD', lines, first[2] and first[2] + 1 or 0, job.line)
  end
  redis.call('ZADD', ready_key(job), job.due, job.id)
end

local function step_out_of_line(job)
  redis.call('ZREM', ready_key(job), job.id)
  if redis.call('EXISTS', ready_key(job)) == 0 then
    redis.call('ZREM', key('lines', job.prio), job.line)
  end
end

-- Whether a call of ours may be ringing: only one to a number at a time.
local CALLING = { dialing = true, uncertain = true, in_progress = true }

-- Where evidence brings back a call, another may have the number meanwhile: it keeps it.
local function pick_up(job)
  for number in string.gmatch(whole(job.id, 'to'), '%d+') do
    redis.call('SET', key('busy', number), job.id, 'PX', 86400000, 'NX')
  end
end

-- Ends the search for what a call cost.
local function write_off(id)
  redis.call('ZREM', key('next', 'cost'), id)
  redis.call('HDEL', key('job', id), 'owed')
end

local function count(what)
  redis.call('HINCRBY', key('counts'), what, 1)
end

local function hang_up(job)
  for number in string.gmatch(whole(job.id, 'to'), '%d+') do
    if redis.call('GET', key('busy', number)) == job.id then
      redis.call('DEL', key('busy', number))
    end
  end
end

-- What waits is counted by what it will cost, so that a forecast need not look at every job.
local WAITING = { scheduled = true, queued = true, held = true }

local function count_waiting(job, by)
  if WAITING[job.state] and job.tariff then
    redis.call('HINCRBY', key('waiting'), job.state .. ':' .. job.tariff, by)
  end
end

local function leave(job)
  count_waiting(job, -1)
  redis.call('ZREM', index_key(job), job.id)
  redis.call('ZREM', key('next', job.state), job.id)
  if job.state == 'queued' then
    if redis.call('ZREM', key('fed'), job.id) == 0 then
      step_out_of_line(job)
    end
  elseif job.state == 'held' then
    redis.call('ZREM', held_key(job), job.id)
  end
end

local function arrive(job, next_at)
  count_waiting(job, 1)
  redis.call('ZADD', index_key(job), job.created, job.id)
  redis.call('SADD', key('reasons'), kind_of(job.state, job.reason))
  if next_at then
    redis.call('ZADD', key('next', job.state), next_at, job.id)
  end
  if job.state == 'queued' then
    stand_in_line(job)
  elseif job.state == 'held' then
    redis.call('ZADD', held_key(job), job.due, job.id)
    redis.call('SADD', key('holds'), job.hold)
  end
end

-- One line of the timeline: ms since creation, state and reason, who (one word), why. A clock that
-- steps back, as after a failover, counts as standing still. `fields`, if any, are written with it.
local function note(job, actor, why, fields)
  local at = int(math.max(NOW - job.created, 0))
  local entry = at .. ' ' .. kind_of(job.state, job.reason) .. ' ' .. one_word(actor)
  if why and why ~= '' then
    entry = entry .. ' ' .. why
  end
  local line = 't' .. int(job.moves)
  job.moves = job.moves + 1
  local written = cut({ line, entry, 'moves', int(job.moves) })
  for _, value in ipairs(fields or {}) do
    written[#written + 1] = value
  end
  redis.call('HSET', key('job', job.id), unpack(written))
end

local take_up, settle_up -- of _ledger.lua
local end_trial -- of _gates.lua

-- Says to whoever waits or watches that the job has come to where it is: by the place in its timeline.
local function announce(job)
  local place = int(job.moves - 1)
  if (job.hook or told().targets > 0) and (TERMINAL[job.state] or told().every) then
    -- The moment of creation is in it, since a job whose record was forgotten may be made anew.
    local event = {
      id = 'msg_' .. job.id .. '-' .. int(job.created) .. '-' .. place, type = 'job.' .. job.state, at = NOW,
    }
    tell_targets(event, key('job', job.id), job.hook and whole(job.id, 'hook'))
  end
  redis.call('PUBLISH', key('job', job.id), place)
end

-- An end counts for good, and in its minute.
local function tally(job)
  local kind = kind_of(job.state, job.reason)
  count('ended.' .. kind)
  local hour, minute = key('ended', int(NOW / 3600000)), int(NOW / 60000 % 60)
  if redis.call('HINCRBY', hour, minute .. ':' .. kind, 1) == 1 then
    redis.call('EXPIRE', hour, 86400)
  end
end

-- The only way from one state to another. Operations look before they write; a state that follows by
-- no rule is a bug of theirs.
local function move(job, to, reason, next_at, actor, why)
  if not TRANSITIONS[job.state][to] then
    error('job ' .. job.id .. ' cannot go from ' .. job.state .. ' to ' .. to)
  end
  leave(job)
  if CALLING[job.state] and not CALLING[to] then
    hang_up(job)
    settle_up(job)
  elseif CALLING[to] and not CALLING[job.state] then
    take_up(job)
  end
  end_trial(job, to)
  job.state, job.reason, job.hold = to, reason or '', job.gate or reason
  arrive(job, next_at)
  local fields = { 'state', to, 'reason', job.reason, 'due', int(job.due) }
  if TERMINAL[to] then
    fields[#fields + 1] = 'finished'
    fields[#fields + 1] = int(NOW)
    tally(job)
  elseif to == 'held' then
    fields[#fields + 1] = 'hold'
    fields[#fields + 1] = job.hold
  elseif to == 'dialing' then
    count('attempts')
  end
  note(job, actor, why, fields)
  announce(job)
end

local function overdue(job)
  return job.expires and job.expires <= NOW
end

-- The jobs of these ids. One whose record was deleted by hand leaves its line, and stops nothing.
local function load_all(line, ids)
  local jobs = {}
  for _, id in ipairs(ids) do
    local job = load(id)
    if job then
      jobs[#jobs + 1] = job
    else
      redis.call('ZREM', line, id)
      redis.call('ZREM', key('fed'), id)
    end
  end
  return jobs
end

-- Up to `most` jobs of a state whose next moment has come, the earliest first.
local function come(state, most)
  local line = key('next', state)
  return load_all(line, redis.call('ZRANGEBYSCORE', line, '-inf', NOW, 'LIMIT', 0, most))
end

-- Into the line of the ready, or out of time.
local function queue(job, actor, why)
  if overdue(job) then
    move(job, 'expired', '', nil, actor, 'the deadline passed first')
  else
    move(job, 'queued', '', job.expires, actor, why)
  end
end

-- Not before `due`; where the deadline comes first the job ends now, and says so.
local function schedule(job, due, actor, why)
  job.due = due
  if job.expires and due >= job.expires then
    move(job, 'expired', '', nil, actor, 'the next attempt would come after the deadline; ' .. why)
  else
    move(job, 'scheduled', '', due, actor, why)
  end
end

-- Bucketed, so that small hashes stay compact: 4096 buckets of about 240 at 1,000,000 jobs would not,
-- 65536 of about 15 do.
local function calls_key(callid)
  return key('calls', string.sub(redis.sha1hex(callid), 1, 4))
end
