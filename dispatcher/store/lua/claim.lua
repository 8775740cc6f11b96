-- uses _limiter.lua, _costs.lua, _budget.lua
-- Gives one worker the right to make one request for a job now, and writes that it is about to.
-- Everything that forbids a call is looked at here, at the moment of dialling.
-- The attempt's number is the fencing token: it is never given twice.
--
-- ARGV[2]  id
-- ARGV[3]  token of this claim: the same token asks again for the same answer (a lost reply)
-- ARGV[4]  ms of the lease
-- ARGV[5]  actor
-- ARGV[6]  slot reserved by an earlier call with this token, or ''
-- answer   'gone' | state (nothing to do) | {'wait', ms, slot} | {'hours', text, record}: its window
--          is to be set first (admit.lua) | {'day', zone, ''}: the day that spending limits count is to
--          be set first (begin_day.lua) | {moment it is booked at ('' without a limit), attempt, record as
--          field, value, …}

local DAY = 86400000
local BUSY_AGAIN = 5000 -- ms until a job whose number is on another call of ours is looked at again

local id, token, actor = ARGV[2], ARGV[3], ARGV[5]
local job = load(id)
if not job then
  return 'gone'
end

local function granted()
  return { RATE and exact(EXACT) or '', job.n, redis.call('HGETALL', key('job', id)) }
end

if job.state == 'dialing' and redis.call('HGET', key('job', id), 'token') == token then
  return granted()
elseif job.state ~= 'queued' then
  return job.state
elseif overdue(job) then
  move(job, 'expired', '', nil, actor, 'the deadline passed before it was dialled')
  return 'expired'
end

local gate = closed_gate(job)
if gate then
  hold(job, gate, actor)
  return 'held'
end

local asked, opens, closes, within =
  unpack(redis.call('HMGET', key('job', id), 'hours', 'opens', 'closes', 'within'))
local hours = asked or (job.prio ~= 'urgent' and LIMITS.hours)
local open = within == hours and closes and NOW >= tonumber(opens) and NOW < tonumber(closes)
if hours and hours ~= 'any' and not open then
  return { 'hours', hours, redis.call('HGETALL', key('job', id)) }
end

for country in string.gmatch(string.match(job.tariff, ':(.*)$'), '[^,]+') do
  local function lists(field)
    return LIMITS[field] and string.find(',' .. LIMITS[field] .. ',', ',' .. country .. ',', 1, true)
  end
  if lists('blocked') or (LIMITS.countries and not lists('countries')) then
    local why = 'calls to ' .. country .. ' are not allowed by the settings of the dispatcher'
    move(job, 'failed', 'not_allowed', nil, actor, why)
    return 'failed'
  end
end

if day_is_over(LIMITS) then
  return { 'day', LIMITS.zone or 'UTC', '' }
end

local likely, reserve = price(job.tariff, LIMITS.expected)
local dearest = tonumber(LIMITS.spend_call)
if dearest and likely > dearest then
  local why = string.format('too dear: a call of this kind (%s) is expected to cost %s credits, the limit is %s',
    job.tariff, credits(likely), credits(dearest))
  move(job, 'failed', 'not_allowed', nil, actor, why)
  return 'failed'
end

local digits = {}
for number in string.gmatch(whole(id, 'to'), '%d+') do
  digits[#digits + 1] = number
end

-- When a number may be called next, and why not now; nil: now.
local function protected(number)
  local busy = LIMITS.alone and redis.call('GET', key('busy', number))
  if busy and busy ~= id then
    return NOW + BUSY_AGAIN, 'another call to this number is under way'
  end
  local calls = key('person', number)
  local per_day, gap = tonumber(LIMITS.per_day), tonumber(LIMITS.gap)
  local nth = per_day and redis.call('LINDEX', calls, per_day - 1)
  if nth and nth + DAY > NOW then
    return nth + DAY, 'this number was called ' .. int(per_day) .. ' times within a day'
  end
  local last = gap and job.prio ~= 'urgent' and redis.call('LINDEX', calls, 0)
  if last and last + gap > NOW then
    return last + gap, 'this number was called less than ' .. int(gap / 1000) .. ' s ago'
  end
end

for _, number in ipairs(digits) do
  local at, why = protected(number)
  if at then
    schedule(job, at, actor, why)
    return job.state
  end
end

-- What cannot be paid for closes its gate: the jobs behind this one are parked without being looked at.
local function unaffordable()
  local why, need = beyond_budget(LIMITS.floor, reserve)
  if why then
    return 'credit', why, need
  end
  local scope, words = beyond_limit(job, reserve, LIMITS)
  return scope and 'limit:' .. scope, words, reserve
end

local unpaid, words, need = unaffordable()
if unpaid then
  shut(unpaid, words, need / UNITS)
  hold(job, unpaid, actor)
  return 'held'
end

local wait, slot = take_slot('dial', tonumber(ARGV[6]), id)
if wait > 0 then
  if slot then
    redis.call('ZADD', key('fed'), 'XX', math.max(slot, NOW), id) -- somebody is there, and waits for it
    wait = RATE and come_back(wait) or wait
  end
  return { 'wait', exact(wait), slot and exact(slot) or '' }
end

job.n = job.n + 1
for _, number in ipairs(digits) do
  redis.call('SET', key('busy', number), id, 'PX', DAY)
  if LIMITS.per_day or LIMITS.gap then
    local calls = key('person', number)
    redis.call('LPUSH', calls, int(NOW))
    -- One more than counts: the latest is taken back where it turns out that nobody was called.
    redis.call('LTRIM', calls, 0, tonumber(LIMITS.per_day) or 1)
    redis.call('PEXPIRE', calls, LIMITS.per_day and DAY or LIMITS.gap)
  end
end
put(id, { 'n', int(job.n), 'token', token, int(job.n) .. '.sent', int(NOW), int(job.n) .. '.exp', int(reserve) })
job.reserve = reserve
count_spending(job, job.n, reserve)
begin_trial(job)
move(job, 'dialing', '', NOW + ARGV[4], actor, '')
return granted()
