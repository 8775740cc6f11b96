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
-- ns:next:cost            zset   ended, its cost not told; id by when it is looked for
-- ns:usual                hash   kind of call -> ms within which most of them are over
-- ns:lines:<priority>     zset   lines (campaign or producer) with ready jobs, by how much each has had
-- ns:ready:<prio>:<line>  zset   queued, not fed; id by due time
-- ns:held:<gate>:<prio>   zset   held; id by due time
-- ns:holds                set    gates that something was held behind
-- ns:fed                  zset   queued, message sent, not claimed; id by the moment a claim is expected by
-- ns:tag:<tag>            zset   id by creation
-- ns:recipients           zset   <reversed digits>:<id>, all of score 0, so that last digits are a range
-- ns:calls:<bucket>       hash   callid -> id
-- ns:gates                hash   gate -> JSON {since, why, required, refused, ajar, trial}; a gate that is there
--                                is closed, or `ajar`: one job at a time, the `trial`, goes through
-- ns:breaker              hash   failures of the provider in `row`, and of these `clear` (nobody was called)
-- ns:notices              stream what happened to the account: `kind` and `facts` (JSON), the latest of them
-- ns:limits               hash   what the workers run with: `least` and `window` (fed at once, without a limit
--                                and at most), `rate` (per second,
--                                absent: no limit), `margin`, `share` (of checks), `recovery` (ms),
--                                `connections`, `lease` (ms), `gap` (ms), `per_day` (calls to a number),
--                                `alone` (one call to a number at a time), `countries`, `blocked`,
--                                `hours` (calling hours, as people write them), `floor` (units of
--                                credit, absent: post-paid), `expected` (units), `warn` (levels, units),
--                                `spend_day`, `spend_call` (units), `zone`, `breaker` (failures in a row),
--                                `hooks` (how many targets of webhooks), `every` (they are told of every
--                                change, not ends only)
-- ns:pace                 hash   where the limiter stands
-- ns:recent               list   moments of the latest requests, as many as the limit allows at once
-- ns:connections          zset   requests under way, by the end of their lease
-- ns:person:<digits>      list   moments of the calls to a number within a day, the latest first
-- ns:busy:<digits>        string id of the job that is calling the number
-- ns:reports              zset   what the provider reported of calls, by the moment it is applied next
-- ns:counts               hash   what is counted for good: `second_calls`, calls to people who were called
--                                already, found out when it was too late to prevent them;
--                                `callbacks.<what>`, see store/inbox.py; `ended.<state>[:<why>]`; `attempts`
--                                that were begun; `requests` to the provider, status checks among them
-- ns:notices              stream what happened to the account: `kind` and `facts` (JSON), the latest of them
-- ns:ended:<hour>         hash   <minute>:<state>[:<why>] -> how many jobs ended so, for charts; kept for a day
-- ns:console:<what>       hash   sessions of the console, failed log-ins; see workers/gateway/console
-- ns:hook:<delivery>      hash   a webhook that is to be delivered: for a job's event the record as it stood
--                                then, and in any case `@event`, `@type`, `@at`, `@seq`, `@line`, and as it
--                                comes `@facts`, `@tries`, `@since` (of these), `@error`
-- ns:hooks                zset   lines of webhooks (a target each) by the moment they are looked at next
-- ns:hooks:due:<line>     zset   deliveries by the moment of the next try
-- ns:hooks:out            zset   deliveries whose message is out, by the end of their lease
-- ns:hooks:out:<line>     zset   deliveries of a target that are out or under way, by the end of their lease
-- ns:hooks:dead           zset   deliveries that were given up, by when
-- ns:hooks:line:<line>    hash   how the target does: `failures` in a row, `until` (left alone), `slow`
-- ns:hooks:seq            string how many events there were
-- ns:hooks:notices        string the latest of ns:notices that was taken
-- ns:turn                 string how many jobs were fed, for the shares of the lower priorities
-- ns:keys                 zset   API keys by creation
-- ns:apikey:<id>          hash   an API key: `hash` of its secret, `name`, `scopes`, `created`, `expires`,
--                                `revoked`, `used`, `rate`, `note`
-- ns:quota:<key>          string when all of an API key's rate is free again
-- ns:audit, ns:act…       what people did (_audit.lua), and acts on many jobs (_bulk.lua)
-- Retention: a job's keys go with the job (purge.lua); the rest are bounded by what is alive.

local PIECE = 60
local NAME = 40 -- of a producer: what stands in the first piece of the first line of a timeline, always
local ROOT = KEYS[1]
local TERMINAL = { completed = true, failed = true, expired = true, cancelled = true }
local PRIORITIES = { 'urgent', 'normal', 'bulk' }

-- Written out, since a table for each name would cost a claim as much as ten reads.
local function key(first, second, third)
  if third then
    return ROOT .. ':' .. first .. ':' .. second .. ':' .. third
  elseif second then
    return ROOT .. ':' .. first .. ':' .. second
  end
  return ROOT .. ':' .. first
end

local function clock()
  if ARGV[1] ~= '' then
    return tonumber(ARGV[1])
  end
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000
end

local EXACT = clock() -- with fractions: at 200 a second, slots are 5 ms apart
local NOW = math.floor(EXACT)

-- Numbers go into strings by %d: Lua would write large ones as 1.7e+12.
local function int(number)
  return string.format('%d', number)
end

local function cut(pairs_)
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
  return out
end

local function put(id, pairs_)
  redis.call('HSET', key('job', id), unpack(cut(pairs_)))
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

-- The value that begins with this first piece: one that is not full is the last.
local function rest_of(id, field, part)
  local value, piece = '', 0
  while part do
    value = value .. part
    piece = piece + 1
    part = #part == PIECE and redis.call('HGET', key('job', id), field .. '~' .. piece)
  end
  return value
end

local function whole(id, field)
  return rest_of(id, field, redis.call('HGET', key('job', id), field))
end

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

-- What happens to the account and concerns no single job: kinds are dotted, such as `gate.closed`.
local NOTICES = 1000
local TOLD_NOW = {} -- kind, facts, kind, facts, …: what this operation told

local function tell(kind, facts)
  local text = cjson.encode(facts)
  redis.call('XADD', key('notices'), 'MAXLEN', '~', NOTICES, '*', 'kind', kind, 'facts', text)
  TOLD_NOW[#TOLD_NOW + 1] = kind
  TOLD_NOW[#TOLD_NOW + 1] = text
end

local take_up, settle_up -- of _ledger.lua
local end_trial -- of _gates.lua

-- Webhooks: what is to be told is written in the very step that makes it true. A target of the
-- account's is a line named by its place in the settings; those of jobs share a line by origin.
local TOLD

local function know_targets(targets, every)
  TOLD = { targets = tonumber(targets or nil) or 0, every = every }
end

local function told()
  if not TOLD then
    know_targets(unpack(redis.call('HMGET', key('limits'), 'hooks', 'every')))
  end
  return TOLD
end

local function look_at_line(line, at)
  redis.call('ZADD', key('hooks'), 'LT', at, line)
end

local function hook(event, target, line, record)
  local id = event.id .. ':' .. target
  if record then
    redis.call('COPY', record, key('hook', id))
  end
  redis.call('HSET', key('hook', id), '@event', event.id, '@type', event.type, '@at', int(event.at), '@since',
    int(NOW), '@seq', event.seq, '@line', line, '@tries', '0', '@facts', event.facts or '')
  redis.call('ZADD', key('hooks', 'due', line), NOW, id)
  look_at_line(line, NOW)
end

-- One event for each target that wants it; `own` is a job's own URL.
local function tell_targets(event, record, own)
  event.seq = int(redis.call('INCR', key('hooks', 'seq')))
  for target = 1, told().targets do
    hook(event, int(target), int(target), record)
  end
  if own then
    hook(event, 'job', string.lower(string.match(own, '^%a+://[^/?#]+') or own), record)
  end
  redis.call('PUBLISH', key('hooks'), '')
end

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
