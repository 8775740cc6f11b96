-- uses _costs.lua
-- Writes what became of attempt n, if that is still the job's question; what comes too late to
-- change the job is kept with its attempt.
--
-- ARGV[2]  id
-- ARGV[3]  attempt
-- ARGV[4]  state it goes to
-- ARGV[5]  reason, or ''
-- ARGV[6]  ms until something happens next, or '' (the deadline, if any)
-- ARGV[7]  1 if the attempt is spent; counted once, when the job leaves `dialing`, and given back
--          where it turns out later that nobody was asked
-- ARGV[8]  actor
-- ARGV[9]  why
-- ARGV[10] gates that what the provider said proves to be open, commas between
-- ARGV[11] failure of the provider: 'clear' (nobody was called), 'unclear', or ''
-- ARGV[12…] fields and values to keep: `<n>.…` belongs to the attempt, the rest to the job
-- answer   {'moved' | 'late' | 'other' (it is of another call) | 'gone', state}

local OPEN = { dialing = true, uncertain = true, in_progress = true }
local CALLED = { placed = true, answered = true, no_answer = true, call_failed = true }

local id, n, to = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local spent, actor, why = ARGV[7] == '1', ARGV[8], ARGV[9]
local job = load(id)
if not job then
  return { 'gone', '' }
end

if job.n == n then
  redis.call('ZREM', key('connections'), id) -- the request is over, whatever it brought
end

local function add(list, field, value)
  list[#list + 1] = field
  list[#list + 1] = value
end

local own, all, given = {}, {}, {}
for i = 12, #ARGV, 2 do
  add(all, ARGV[i], ARGV[i + 1])
  given[ARGV[i]] = ARGV[i + 1]
  if string.match(ARGV[i], '^%d+%.') then
    add(own, ARGV[i], ARGV[i + 1])
  end
end

local RESULT, COST, CALLID = int(n) .. '.result', int(n) .. '.cost', int(n) .. '.callid'
local known, cost_so_far, made, since, reserved =
  unpack(redis.call('HMGET', key('job', id), RESULT, COST, CALLID, 'since', int(n) .. '.exp'))
if job.n == n then
  job.reserved = tonumber(reserved or nil)
end

-- The call that an attempt made is known once and for all.
if made and given[CALLID] and given[CALLID] ~= rest_of(id, CALLID, made) then
  return { 'other', job.state }
end

local function keep(list)
  replace(id, list)
  for i = 1, #list, 2 do
    if string.match(list[i], '^%d+%.callid$') then
      for callid in string.gmatch(list[i + 1], '[^,]+') do
        redis.call('HSET', calls_key(callid), callid, id)
      end
    end
  end
end

local function says_something_new(list)
  for i = 1, #list, 2 do
    if whole(id, list[i]) ~= list[i + 1] then
      return true
    end
  end
end

local called = CALLED[given[RESULT]]
local ended = called and given[RESULT] ~= 'placed'
local unknown = not known or known == 'maybe_placed'
local undecided = unknown or ((known == 'outcome_unknown' or known == 'placed') and ended)

-- A worker settles an attempt that Redis knows nothing of: Redis was killed and lost the claim with
-- its last moments. The worker has asked the provider, so its claim stands.
if job.n < n and WAITING[job.state] then
  if job.state ~= 'queued' then
    move(job, 'queued', '', nil, 'dispatcher', 'it was due when Redis was killed')
  end
  job.n = n
  put(id, { 'n', int(n), int(n) .. '.sent', int(NOW) })
  move(job, 'dialing', '', NOW, 'dispatcher', 'Redis had lost this claim')
  pick_up(job)
end

-- It was given up as uncertain and is to be dialled again, and was not yet: evidence saves the call.
-- Where a person wished it to be dialled again, that nobody was reached is no reason not to.
local matters = n > tonumber(since or 0) or to == 'completed' or to == 'in_progress'
local saved = WAITING[job.state] and known == 'maybe_placed' and called and matters

-- What the attempt cost, in units, where that is said, or follows: nothing, if nobody was asked.
local said = given[COST]
local cost = said and math.max(0, units(said) or 0)
local known_cost = units(cost_so_far or nil)
if said and not known_cost then
  learn(job.tariff, cost)
end
cost = cost or (not spent and 0) or nil

-- What the provider's answer says about the provider itself.
local function judge()
  if ARGV[10] ~= '' and redis.call('DEL', key('breaker')) then
    for name in string.gmatch(ARGV[10], '[^,]+') do
      if GATES[name] and GATES[name].trial == id then
        reopen(name, 'a call went through')
      end
    end
  elseif ARGV[11] ~= '' then
    count_failure(ARGV[11], id, why)
  end
end

local under_way = job.n == n and OPEN[job.state] -- then its reservation still stands

if job.n ~= n or not (OPEN[job.state] or saved) or not TRANSITIONS[job.state][to] then
  if undecided and says_something_new(own) then
    if job.n > n and called and unknown then
      count('second_calls')
      why = 'a call that was dialled again as unknown; ' .. why
    end
    keep(own)
    note(job, actor, 'attempt ' .. int(n) .. ', too late to matter: ' .. to .. ' ' .. why)
    if cost and not under_way then
      settle_late(job, n, cost, known_cost or 0)
    end
  elseif said and cost > (known_cost or -1) and not under_way then
    put(id, { COST, said })
    note(job, actor, 'attempt ' .. int(n) .. ', too late to matter: it cost ' .. said)
    if job.n == n then
      write_off(id)
    end
    settle_late(job, n, cost, known_cost or 0)
  end
  return { 'late', job.state }
end

judge()
job.cost = cost and math.max(0, cost - (known_cost or 0))
if to ~= 'in_progress' and to ~= 'uncertain' then
  add(all, int(n) .. '.end', int(NOW))
end
if not spent and job.state ~= 'in_progress' then
  local sent = redis.call('HGET', key('job', id), int(n) .. '.sent')
  for number in string.gmatch(whole(id, 'to'), '%d+') do
    redis.call('LREM', key('person', number), 1, sent or '') -- nobody was called
  end
end
if job.state == 'dialing' and spent then
  job.spent = job.spent + 1
elseif job.state == 'uncertain' and not spent then
  job.spent = job.spent - 1
end
add(all, 'spent', int(job.spent))
keep(all)
redis.call('HDEL', key('job', id), 'token') -- nobody asks for this claim again

local next_at = ARGV[6] ~= '' and NOW + ARGV[6] or nil
if to == 'scheduled' then
  schedule(job, next_at or NOW, actor, why)
elseif to == 'queued' then
  job.due = NOW
  queue(job, actor, why)
else
  move(job, to, ARGV[5], next_at or (not TERMINAL[to] and job.expires) or nil, actor, why)
end
if saved and to == 'in_progress' then
  pick_up(job)
elseif saved and cost then
  settle_late(job, n, cost, known_cost or 0)
end
if given.owed and TERMINAL[job.state] then
  redis.call('ZADD', key('next', 'cost'), NOW + given.owed, id)
end
return { 'moved', job.state }
