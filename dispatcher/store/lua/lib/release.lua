-- Releases the jobs that ended holds kept, as far as they can be paid for.

local schema = require('schema')
local sums = require('lib/sums')
local text = require('lib/text')
local costs = require('lib/costs')
local holds = require('lib/holds')
local lines = require('lib/lines')
local moves = require('lib/moves')
local budget = require('lib/budget')
local config = require('lib/config')
local places = require('lib/places')
local credits = require('lib/credits')
local damaged = require('lib/damaged')
local spending = require('lib/spending')

local M = {}

local key = schema.key

local function reserve_for(call, tariff)
  return (select(2, costs.price(call, tariff)))
end

-- What all jobs in line are likely to take.
local function needed_by_ready(call)
  local sum = 0
  sums.write(call)
  for name, number in pairs(text.pairs_of(redis.call('HGETALL', key.waiting(call)))) do
    local tariff = string.match(name, '^queued:(.*)$')
    if tariff and number ~= '0' then
      sum = sum + number * reserve_for(call, tariff)
    end
  end
  return sum
end

-- How much the jobs that are released may take, or nil: as much as they like. What cannot be paid for
-- stays where it is, rather than go into line and be parked again.
local function purse(call, name)
  local floor, scope = config.number(call, schema.config.credit_floor), holds.limit_of(name)
  if scope then
    return (spending.left_under(call, scope))
  elseif holds.reason_of(name) == 'credit' and floor then
    local left = budget.available(credits.read(call))
    -- The last call may take what the floor demands: the provider looks before a call, not after it.
    return left and left - needed_by_ready(call) - floor + 1
  end
end

-- Nobody is held behind an ended hold without a reason that shows.
local function start_again(call, name, job, reserve)
  local beyond = holds.reason_of(name) == 'credit' and budget.beyond_credit or budget.beyond_limit
  local again, why, needed = beyond(call, job, reserve)
  if again then
    holds.start(call, again, why, needed)
  end
end

local function queue(call, job)
  moves.queue(call, job, { actor = 'dispatcher', why = 'released' })
end

-- Releases up to `most` jobs of a hold; returns how many, and whether all were.
local function release(call, name, most)
  local left, released, all = purse(call, name), 0, true
  for _, priority in ipairs(schema.priorities) do
    local held = key.held(call, name, priority)
    for _, job in ipairs(places.load_all(call, held, redis.call('ZRANGE', held, 0, most - released - 1))) do
      local reserve = reserve_for(call, job.tariff)
      if left and left <= 0 then
        start_again(call, name, job, reserve)
        return released, false
      end
      left = left and left - reserve
      if not damaged.try(call, job.id, queue, job) then
        redis.call('ZADD', held, call.now, job.id) -- behind the others
        all = false
      end
      released = released + 1
    end
    if released >= most then
      return released, false
    end
  end
  return released, all
end

-- A job that is a probe for all goes before others are let go.
local function all_wait_for_probe(call)
  for name, hold in pairs(holds.all(call)) do
    if hold.half_open and holds.stops_all(name) then
      return true
    end
  end
  return false
end

-- Whether one stands in line that is as urgent as those behind the hold: then it is the one that tries.
local function as_urgent_waits(call, name)
  for _, priority in ipairs(schema.priorities) do
    if lines.any(call, { priority }) then
      return true
    elseif redis.call('EXISTS', key.held(call, name, priority)) == 1 then
      return false
    end
  end
  return true
end

-- One job tries, as soon as no other does; what others stand in line says nothing of a tariff's.
local function release_probe(call, name, hold)
  local none_tries = not hold.probe
  if holds.stops_all(name) then
    none_tries = none_tries and not as_urgent_waits(call, name)
  end
  return hold.half_open and none_tries and (release(call, name, 1)) or 0
end

-- Returns how many jobs were released, `most` at most.
function M.held_jobs(call, most)
  local released, probing = 0, all_wait_for_probe(call)
  if holds.stopping(call) then
    return 0
  end
  for _, name in ipairs(redis.call('SMEMBERS', key.holds_used(call))) do
    local hold = holds.get(call, name)
    if hold then
      released = released + release_probe(call, name, hold)
    elseif released < most and not probing then
      local some, all = release(call, name, most - released)
      released = released + some
      if all then
        redis.call('SREM', key.holds_used(call), name) -- nothing is left behind it
      end
    end
  end
  return released
end

return M
