-- uses _limiter.lua
-- Chooses which ready jobs a message goes out for: the most urgent first, in turn between lines
-- (campaigns, producers), oldest first within one, and only what the limiter can serve at once: a slot
-- taken by a job that then waits in a worker cannot be given to a more urgent one. What a gate stops
-- is parked behind it instead, a batch at a time.
--
-- Strict between priorities, but every 10th turn is `normal`'s and every 20th `bulk`'s where they
-- wait, so that no flood above starves them.
--
-- ARGV[2]  most to choose or park in this call
-- ARGV[3]  ms after which a message that nobody took up counts as lost
-- answer   id, priority, id, priority, …

-- ms of work that are out. More, and a worker that dies takes more slots with it; less, and the way to
-- a worker shows. The workers' feeders keep it up.
local HORIZON = 250
local OVERDUE = 300 -- ms after which a message that nobody took up holds no place any more
local AT_MOST = 4 -- times the window are out all the same, where no worker takes anything up

local most = tonumber(ARGV[2])
local chosen = {}

-- How many may be out at once. Urgent ones have room of their own, or those fed before would block them.
local function window()
  local least, most_out = tonumber(LIMITS.least) or 16, tonumber(LIMITS.window) or 16
  if math.max(RATE and PACE.tat or 0, PACE.blocked) > EXACT + 2 * HORIZON then
    return 0
  elseif RATE then
    return math.min(most_out, math.ceil(HORIZON / spacing()) + 1)
  end
  return math.min(most_out, math.max(least, PACE.gap > 0 and math.ceil(HORIZON / PACE.gap) or 0))
end

-- How many places are left: those that are out count, unless they should have been taken up by now.
local function places(size)
  local out = redis.call('ZCARD', key('fed'))
  return math.min(size - redis.call('ZCOUNT', key('fed'), NOW - OVERDUE, '+inf'), AT_MOST * size - out)
end

local function order_of_turn()
  local turn = redis.call('INCR', key('turn'))
  if turn % 20 == 15 then
    return { 'bulk', 'urgent', 'normal' }
  elseif turn % 10 == 0 then
    return { 'normal', 'urgent', 'bulk' }
  end
  return PRIORITIES
end

-- The oldest of the line whose turn it is, which has had its turn then; nil where none waits.
local function first_of(priority)
  local lines = key('lines', priority)
  local line = redis.call('ZRANGE', lines, 0, 0)[1]
  while line do
    local ready = key('ready', priority, line)
    local job = load_all(ready, redis.call('ZRANGE', ready, 0, 0))[1]
    if job then
      redis.call('ZINCRBY', lines, 1, line)
      return job
    elseif redis.call('EXISTS', ready) == 0 then
      redis.call('ZREM', lines, line)
    end
    line = redis.call('ZRANGE', lines, 0, 0)[1]
  end
end

local function first(priorities)
  for _, priority in ipairs(priorities) do
    local job = first_of(priority)
    if job then
      return job
    end
  end
end

local function choose(job)
  begin_trial(job)
  step_out_of_line(job)
  redis.call('ZADD', key('fed'), NOW + HORIZON, job.id)
  redis.call('ZADD', key('next', 'queued'), math.min(job.expires or math.huge, NOW + ARGV[3]), job.id)
  chosen[#chosen + 1] = job.id
  chosen[#chosen + 1] = job.prio
end

local everything_stops = closed_gate() ~= nil
local size = everything_stops and most or window()
local room = everything_stops and size or places(size)
-- Urgent jobs may go twice as far as the others; and where they do, the others have their shares of it.
local urgent_room = room + size

local function waits(...)
  local lines = {}
  for _, priority in ipairs({ ... }) do
    lines[#lines + 1] = key('lines', priority)
  end
  return redis.call('EXISTS', unpack(lines)) > 0
end

local function may_choose()
  return room > 0 or (urgent_room > 0 and waits('urgent'))
end

for _ = 1, waits(unpack(PRIORITIES)) and most or 0 do
  local job = may_choose() and first(order_of_turn())
  if not job then
    break
  end
  local gate = closed_gate(job)
  if gate then
    hold(job, gate, 'dispatcher')
  else
    choose(job)
    room = room - 1
    urgent_room = urgent_room - 1
  end
end
return chosen
