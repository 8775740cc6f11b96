-- Chooses which ready jobs a message goes out for: the most urgent first, in turn between lines
-- (campaigns, producers), oldest first within one, and only what the limiter can serve at once: a slot
-- taken by a job that then waits in a worker cannot be given to a more urgent one. What a hold stops
-- is parked behind it instead, a batch at a time.
--
-- Strict between priorities, but every 10th turn is `normal`'s and every 20th `bulk`'s where they
-- wait, so that no flood above starves them.
--
-- most        to choose or park in this call
-- lost_after  ms after which a message that nobody took up counts as lost
-- answer      id, priority, id, priority, …

local schema = require('schema')
local pace = require('lib/pace')
local holds = require('lib/holds')
local lines = require('lib/lines')
local moves = require('lib/moves')
local config = require('lib/config')
local places = require('lib/places')
local limiter = require('lib/limiter')

local key, setting = schema.key, schema.config

-- ms of work that are out. More, and a worker that dies takes more slots with it; less, and the way to
-- a worker shows. The workers' feeders keep it up.
local HORIZON = 250
local OVERDUE = 300 -- ms after which a message that nobody took up holds no place any more
local AT_MOST = 4 -- times the window are out all the same, where no worker takes anything up

-- How many may be out at once.
local function window(call)
  local most, now = config.number(call, setting.dispatch_most), pace.now(call)
  local next_slot = limiter.rate(call) and limiter.next_slot(call) or now.blocked_until
  if next_slot > pace.time(call) + 2 * HORIZON then
    return 0
  elseif limiter.rate(call) then
    return math.min(most, math.ceil(HORIZON / limiter.spacing(call)) + 1)
  end
  local paced = now.mean_gap > 0 and math.ceil(HORIZON / now.mean_gap) or 0
  return math.min(most, math.max(config.number(call, setting.dispatch_least), paced))
end

-- How many places are left: those that are out count, unless they should have been taken up by now.
local function places_left(call, size)
  local dispatched = key.dispatched(call)
  local out = redis.call('ZCARD', dispatched)
  return math.min(size - redis.call('ZCOUNT', dispatched, call.now - OVERDUE, '+inf'), AT_MOST * size - out)
end

local function order_of_turn(call)
  local turn = redis.call('INCR', key.turn(call))
  if turn % 20 == 15 then
    return { 'bulk', 'urgent', 'normal' }
  elseif turn % 10 == 0 then
    return { 'normal', 'urgent', 'bulk' }
  end
  return schema.priorities
end

-- The oldest of the line whose turn it is, which has had its turn then; nil where none waits.
local function first_of(call, priority)
  local index = key.lines(call, priority)
  local line = redis.call('ZRANGE', index, 0, 0)[1]
  while line do
    local ready = key.ready(call, priority, line)
    local job = places.load_all(call, ready, redis.call('ZRANGE', ready, 0, 0))[1]
    if job then
      redis.call('ZINCRBY', index, 1, line)
      return job
    elseif redis.call('EXISTS', ready) == 0 then
      redis.call('ZREM', index, line)
    end
    line = redis.call('ZRANGE', index, 0, 0)[1]
  end
end

local function next_job(call)
  for _, priority in ipairs(order_of_turn(call)) do
    local job = first_of(call, priority)
    if job then
      return job
    end
  end
end

local function choose(call, job, chosen)
  holds.begin_probe(call, job)
  lines.leave(call, job)
  redis.call('ZADD', key.dispatched(call), call.now + HORIZON, job.id)
  local next_at = math.min(job.expires or math.huge, call.now + call.args.lost_after)
  redis.call('ZADD', key.due(call, 'queued'), next_at, job.id)
  chosen[#chosen + 1] = job.id
  chosen[#chosen + 1] = job.priority
end

local function run(call)
  config.read_all(call)
  local most, chosen = tonumber(call.args.most), {}
  local everything_stops = holds.stopping(call) ~= nil
  local size = everything_stops and most or window(call)
  local room = everything_stops and size or places_left(call, size)
  -- Urgent jobs have room of their own, or those dispatched before would block them; and where they use
  -- it, the others have their shares of it.
  local urgent_room = room + size
  for _ = 1, lines.any(call, schema.priorities) and most or 0 do
    local may_choose = room > 0 or (urgent_room > 0 and lines.any(call, { 'urgent' }))
    local job = may_choose and next_job(call)
    if not job then
      break
    end
    local hold = holds.stopping(call, job)
    if hold then
      moves.hold(call, job, hold, 'dispatcher')
    else
      choose(call, job, chosen)
      room, urgent_room = room - 1, urgent_room - 1
    end
  end
  return chosen
end

return { run = run }
