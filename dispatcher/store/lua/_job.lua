-- Stands before every operation: the names of the keys, the clock, and the one way a job changes.
--
-- KEYS[1]  namespace of the account, such as {vd}; all keys are derived from it and share its slot
-- ARGV[1]  now in milliseconds, or '' for Redis' own clock
-- TRANSITIONS is put before this text by the loader: state -> set of states that may follow
--
-- ns:job:<id>             hash   the record; values over PIECE bytes are cut, since one long value
--                                would turn the compact hash into its roomy form (three times the
--                                memory)
-- ns:idx:<state>[:<why>]  zset   id by creation; each job stands in exactly one
-- ns:reasons              set    the <state>[:<why>] that were ever used
-- ns:next:<state>         zset   id by the moment something happens next
-- ns:ready:<priority>     zset   queued, not fed; id by due time
-- ns:held:<why>:<prio>    zset   held; id by due time
-- ns:fed                  zset   queued, message sent, not claimed; id by due time
-- ns:tag:<tag>            zset   id by creation
-- ns:recipients           zset   <reversed digits>:<id>, all of score 0, so that last digits are a range
-- ns:calls:<bucket>       hash   callid -> id
-- ns:gates                hash   gate -> JSON {since, why, required}; a gate that is there is closed
-- ns:limits               hash   what the workers run with
-- Retention: a job's keys go with the job (purge.lua); the rest are bounded by what is alive.

local PIECE = 60
local ROOT = KEYS[1]
local TERMINAL = { completed = true, failed = true, expired = true, cancelled = true }
local PRIORITIES = { 'urgent', 'normal', 'bulk' }

local function key(...)
  return ROOT .. ':' .. table.concat({ ... }, ':')
end

local function clock()
  if ARGV[1] ~= '' then
    return tonumber(ARGV[1])
  end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local NOW = clock()

-- Numbers go into strings by %d: Lua would write large ones as 1.7e+12.
local function int(number)
  return string.format('%d', number)
end

local function put(id, pairs_)
  local out = {}
  for i = 1, #pairs_, 2 do
    local field, value = pairs_[i], tostring(pairs_[i + 1])
    out[#out + 1] = field
    out[#out + 1] = string.sub(value, 1, PIECE)
    for piece = 1, math.ceil(#value / PIECE) - 1 do
      out[#out + 1] = field .. '~' .. piece
      out[#out + 1] = string.sub(value, piece * PIECE + 1, (piece + 1) * PIECE)
    end
  end
  redis.call('HSET', key('job', id), unpack(out))
end

-- Where a long value may stand already: pieces that a shorter one does not overwrite would be left.
local function replace(id, pairs_)
  local piece, removed = 1, nil
  repeat
    local old = {}
    for i = 1, #pairs_, 2 do
      old[#old + 1] = pairs_[i] .. '~' .. piece
    end
    removed = redis.call('HDEL', key('job', id), unpack(old))
    piece = piece + 1
  until removed == 0
  put(id, pairs_)
end

local function whole(id, field)
  local value, piece = '', 0
  local part = redis.call('HGET', key('job', id), field)
  while part do
    value = value .. part
    piece = piece + 1
    part = redis.call('HGET', key('job', id), field .. '~' .. piece)
  end
  return value
end

local CORE = { 'state', 'reason', 'prio', 'created', 'due', 'expires', 'n', 'spent', 'moves', 'span' }

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

-- Where a waiting job stands in line, or nil.
local function line_key(job)
  if job.state == 'queued' then
    return key('ready', job.prio)
  elseif job.state == 'held' then
    return key('held', job.reason, job.prio)
  end
end

local function leave(job)
  redis.call('ZREM', index_key(job), job.id)
  redis.call('ZREM', key('next', job.state), job.id)
  local line = line_key(job)
  if line then
    redis.call('ZREM', line, job.id)
  end
  if job.state == 'queued' then
    redis.call('ZREM', key('fed'), job.id)
  end
end

local function arrive(job, next_at)
  redis.call('ZADD', index_key(job), job.created, job.id)
  redis.call('SADD', key('reasons'), kind_of(job.state, job.reason))
  if next_at then
    redis.call('ZADD', key('next', job.state), next_at, job.id)
  end
  local line = line_key(job)
  if line then
    redis.call('ZADD', line, job.due, job.id)
  end
end

-- One line of the timeline: ms since creation, state and reason, who (one word), why. A clock that
-- steps back, as after a failover, counts as standing still.
local function note(job, actor, why)
  local who = string.gsub(actor, '%s', '_')
  local entry = int(math.max(NOW - job.created, 0)) .. ' ' .. kind_of(job.state, job.reason) .. ' ' .. who
  if why and why ~= '' then
    entry = entry .. ' ' .. why
  end
  put(job.id, { 't' .. int(job.moves), entry })
  job.moves = job.moves + 1
  redis.call('HSET', key('job', job.id), 'moves', int(job.moves))
end

-- The only way from one state to another. Operations look before they write; a state that follows by
-- no rule is a bug of theirs.
local function move(job, to, reason, next_at, actor, why)
  if not TRANSITIONS[job.state][to] then
    error('job ' .. job.id .. ' cannot go from ' .. job.state .. ' to ' .. to)
  end
  leave(job)
  job.state, job.reason = to, reason or ''
  arrive(job, next_at)
  local fields = { 'state', to, 'reason', job.reason, 'due', int(job.due) }
  if TERMINAL[to] then
    fields[#fields + 1] = 'finished'
    fields[#fields + 1] = int(NOW)
  end
  redis.call('HSET', key('job', job.id), unpack(fields))
  note(job, actor, why)
  redis.call('PUBLISH', key('job', job.id), to)
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

-- The gate that stops everything now, or nil.
local function closed_gate()
  local gates = redis.call('HKEYS', key('gates'))
  table.sort(gates)
  return gates[1]
end

local function gate_why(gate)
  local text = redis.call('HGET', key('gates'), gate)
  return text and cjson.decode(text).why or gate
end

-- Bucketed, so that small hashes stay compact: 4096 buckets of about 240 at 1,000,000 jobs would not,
-- 65536 of about 15 do.
local function calls_key(callid)
  return key('calls', string.sub(redis.sha1hex(callid), 1, 4))
end
