-- When the latest requests went out, in the order in which they were booked; moments of the limiter's own time
-- (lib/pace.lua). A booking is named by its moment, in µs.

local schema = require('schema')
local text = require('lib/text')
local config = require('lib/config')

local M = {}

local key = schema.key
local KEPT = 20000 -- moments, of 17 bytes: so many may lie in a window that is to be learned
local TRIMMED = 2000 -- at once, since it is only there to be bounded
local LOOKED_AT = '5000' -- of the latest, for a booking

function M.add(call, at)
  local kept = math.max(KEPT, config.number(call, schema.config.rate_count) or 0)
  if redis.call('RPUSH', key.recent(call), text.micros(at)) >= kept + TRIMMED then
    redis.call('LTRIM', key.recent(call), -kept, -1)
  end
end

-- The moment of the n-th latest, or nil.
function M.latest(call, n)
  local moment = redis.call('LINDEX', key.recent(call), text.int(-n))
  return moment and text.from_micros(moment)
end

function M.remove(call, booked)
  redis.call('LREM', key.recent(call), -1, booked)
end

local function place_of(call, booked)
  return redis.call('LPOS', key.recent(call), booked, 'RANK', '-1', 'MAXLEN', LOOKED_AT)
end

-- How many were booked after this one; nil where it is not known any more.
function M.number_after(call, booked)
  local place = place_of(call, booked)
  return place and redis.call('LLEN', key.recent(call)) - place - 1
end

-- A request counts from a moment later than it was booked for.
function M.count_from(call, booked, at)
  local place = place_of(call, booked)
  if place then
    redis.call('LSET', key.recent(call), text.int(place), text.micros(at))
  end
end

-- How many places of the list lie before the first moment after this one.
local function places_until(call, moment)
  local first, past = 0, redis.call('LLEN', key.recent(call))
  while first < past do
    local middle = math.floor((first + past) / 2)
    if text.from_micros(redis.call('LINDEX', key.recent(call), middle)) > moment then
      past = middle
    else
      first = middle + 1
    end
  end
  return first
end

-- How many requests went out after a moment, and before the one of this booking, if that is known.
function M.number_since(call, moment, booked)
  local past = booked and place_of(call, booked) or redis.call('LLEN', key.recent(call))
  return math.max(0, past - places_until(call, moment))
end

return M
