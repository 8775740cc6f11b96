-- The limiter of the account: one request after another at the working rate. GCRA without a burst, in ms.
-- A request is booked when it is granted, for the moment at which it goes out, a little ahead.
--
-- Spacing alone does not keep the limit where a request goes out late; so none is granted for a moment
-- before the one that is `rate` places ahead of it is a whole period (and the margin, which is what
-- the way to the provider may vary by) in the past.
--
-- All moments here are of the limiter's own time (lib/pace.lua).

local schema = require('schema')
local text = require('lib/text')
local pace = require('lib/pace')
local clock = require('lib/clock')
local lines = require('lib/lines')
local config = require('lib/config')
local counters = require('lib/counters')

local M = {}

local key, setting, field = schema.key, schema.config, schema.pace
local WHOLE = 1000000 -- of a fraction, which is kept like a moment: in billionths

-- Requests a second as configured, or nil: no limit.
function M.rate(call)
  return config.number(call, setting.rate)
end

-- The working rate: the configured one, less what the provider's 429s took, which comes back slowly.
function M.working_rate(call)
  local now, rate = pace.now(call), M.rate(call)
  if now.throttled_at == 0 then
    return rate
  end
  local recovered = math.max(0, pace.time(call) - now.throttled_at) / config.number(call, setting.recovery)
  return rate * math.min(1, now.fraction / WHOLE + recovered)
end

-- Sets the working rate to this part of the configured one.
function M.slow_down(call, fraction)
  pace.set(call, field.fraction, fraction * WHOLE)
  pace.set(call, field.throttled_at, pace.time(call))
end

local function margin(call)
  return 1 + config.number(call, setting.margin)
end

-- ms between two slots
function M.spacing(call)
  return 1000 / M.working_rate(call) * margin(call)
end

-- When the next slot is, unless it is taken before.
function M.next_slot(call)
  local now = pace.now(call)
  return math.max(now.next_slot, now.blocked_until)
end

-- After a pause everything is cold: connections are made, and requests arrive less evenly. So the
-- first period is a little slower, by a tenth in all.
local COLD = 1000 -- ms

local function cold_spacing(call)
  return M.spacing(call) + math.min(M.spacing(call), COLD) / 10
end

local function step_after(call, slot)
  local now = pace.now(call)
  if now.next_slot + COLD < pace.time(call) then
    pace.set(call, field.cold_since, pace.time(call))
  end
  return slot < now.cold_since + COLD and cold_spacing(call) or M.spacing(call)
end

-- ms of the limiter's time from which the request that is a period's worth of this rate ahead is far enough in the
-- past.
local function room_at(call, rate)
  local limit = math.max(1, math.floor(rate))
  local oldest = redis.call('LINDEX', key.recent(call), -limit)
  return oldest and text.from_micros(oldest) + limit / rate * 1000 * margin(call) or 0
end

-- Both rates count: a few at a time at the working one may be too many in a period of the configured one.
local function room_for_next(call)
  local rate, working = M.rate(call), M.working_rate(call)
  local at = room_at(call, rate)
  return working == rate and at or math.max(at, room_at(call, working))
end

-- Those whose process is gone.
function M.drop_lost_connections(call)
  redis.call('ZREMRANGEBYSCORE', key.connections(call), '-inf', call.now)
  local lease = config.number(call, setting.connection_lease)
  if lease then
    clock.bound(call, key.connections(call), lease, lease)
  end
end

local function has_connection(call)
  local connections, most = key.connections(call), config.number(call, setting.connections)
  if most and redis.call('ZCARD', connections) >= most then
    M.drop_lost_connections(call)
    return redis.call('ZCARD', connections) < most
  end
  return true
end

local FULL_AGAIN = 20 -- ms until somebody looks again whether a connection is free

-- The moment at which the next request may go out, if that is at most so many ms ahead; else nil, and in how
-- many ms to ask again.
function M.next_request(call, ahead)
  local time = pace.time(call)
  local at = math.max(time, pace.now(call).blocked_until)
  if M.rate(call) then
    at = math.max(at, M.next_slot(call))
    at = at - time <= ahead and math.max(at, room_for_next(call)) or at
  end
  if at - time > ahead then
    return nil, at - time - ahead
  elseif not has_connection(call) then
    return nil, FULL_AGAIN
  end
  return at
end

local function note_in_recent(call, at)
  local recent, most = key.recent(call), math.max(1, math.floor(M.rate(call)))
  if redis.call('RPUSH', recent, text.micros(at)) >= 2 * most then
    redis.call('LTRIM', recent, -most, -1) -- seldom, since it is only there to be bounded
  end
end

-- A request goes out at this moment, as `next_request` said: it counts, and takes one of the account's
-- connections. `holder` names that one.
function M.book(call, at, holder)
  if M.rate(call) then
    pace.set(call, field.next_slot, at + step_after(call, at))
    note_in_recent(call, at)
  end
  redis.call('ZADD', key.connections(call), call.now + config.number(call, setting.connection_lease), holder)
  pace.set(call, field.last_request, pace.time(call))
  counters.add(call, 'requests')
end

-- A request that was booked goes out only now.
function M.rebook(call, booked)
  redis.call('LREM', key.recent(call), -1, booked)
  note_in_recent(call, pace.time(call))
  pace.set(call, field.last_request, pace.time(call))
end

-- While jobs wait to be dialled, checks keep to their share: nil, or in how many ms theirs comes after this
-- moment. What the rounding to whole slots cost it, up to one of them, is made good next time.
local function until_share(call, at)
  local next_check = pace.now(call).next_check_slot
  if not M.rate(call) or not lines.any(call, schema.priorities) then
    return nil
  elseif next_check > at then
    return math.max(1, next_check - at)
  end
  local from = math.max(next_check, at - M.spacing(call))
  pace.set(call, field.next_check_slot, from + M.spacing(call) / config.number(call, setting.check_share))
end

-- Asks for one request that is no dial: 0 and in how many ms it goes out, which is at most `ahead`; or in how
-- many to ask again. Further ahead than dials may ask, since no more than their share comes of it.
function M.take_slot(call, ahead, holder)
  pace.follow(call)
  local at, again = M.next_request(call, ahead)
  again = again or until_share(call, at)
  if not again then
    M.book(call, at, holder)
  end
  pace.save(call)
  return again or 0, again and 0 or at - pace.time(call)
end

function M.release_connection(call, holder)
  redis.call('ZREM', key.connections(call), holder)
end

return M
