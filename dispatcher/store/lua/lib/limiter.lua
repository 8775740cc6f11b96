-- The limiter of the account: one slot after another at the working rate, by reservation, so that
-- whoever asks is told how long to wait for a slot of its own. GCRA without a burst, in ms.
--
-- Spacing alone does not keep the limit where somebody wakes late for a slot; so no request goes out
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

-- Whether jobs want to be dialled: then checks keep to their share.
local function dials_wait(call)
  return redis.call('ZCARD', key.dispatched(call)) > 0 or lines.any(call, schema.priorities)
end

-- Where the share of checks comes after this slot, nil and in how many ms to ask again. What the rounding
-- to whole slots cost it, up to one of them, is made good next time.
local function keep_share(call, slot)
  local now = pace.now(call)
  if now.next_check_slot > slot then
    return math.max(1, now.next_check_slot - slot)
  end
  local from = math.max(now.next_check_slot, slot - M.spacing(call))
  pace.set(call, field.next_check_slot, from + M.spacing(call) / config.number(call, setting.check_share))
end

-- The next slot; or, for a check whose share comes later, nil and in how many ms to ask again: it
-- reserves nothing meanwhile, so that no number of waiting checks holds the dials up.
local function reserve(call, class)
  local slot = math.max(pace.time(call), M.next_slot(call))
  local again = class == 'check' and dials_wait(call) and keep_share(call, slot)
  if again then
    return nil, again
  end
  pace.set(call, field.next_slot, slot + step_after(call, slot))
  return slot
end

-- ms until the request that is a period's worth of this rate ahead is far enough in the past.
local function until_room_at(call, rate)
  local limit = math.max(1, math.floor(rate))
  local oldest = redis.call('LINDEX', key.recent(call), -limit)
  return oldest and text.from_micros(oldest) + limit / rate * 1000 * margin(call) - pace.time(call) or 0
end

-- 0 or less: now. Both rates count: a few at a time at the working one may be too many in a period
-- of the configured one.
local function until_room(call)
  local rate, working = M.rate(call), M.working_rate(call)
  local room = until_room_at(call, rate)
  return working == rate and room or math.max(room, until_room_at(call, working))
end

-- A slot whose owner died passes unused; where slots are far apart, that would leave the line standing
-- for a noticeable time. Whoever looks in meanwhile takes it over, and its own goes back to the end of
-- the reserved ones. Grace is for an owner who is only a little late.
local GRACE = 50 -- ms
local SPARSE = 2 * GRACE -- ms between slots from which looking in is worth a round trip
local LOOKS = 4 -- between two slots: what may be lost is a quarter of the time between them

-- ms after which a waiting job looks in.
function M.come_back(call, wait)
  local spacing = M.spacing(call)
  return spacing < SPARSE and wait or math.min(wait, math.max(SPARSE, spacing / LOOKS))
end

local function take_over(call, slot)
  local now = pace.now(call)
  local before = math.max(now.last_request, now.blocked_until)
  if M.spacing(call) < SPARSE or slot - pace.time(call) < GRACE or pace.time(call) < before + cold_spacing(call) + GRACE then
    return slot
  end
  pace.set(call, field.next_slot, now.next_slot - M.spacing(call))
  return pace.time(call) - GRACE
end

-- A request goes out now: from here on it counts.
function M.book(call)
  local recent, most = key.recent(call), math.max(1, math.floor(M.rate(call)))
  if redis.call('RPUSH', recent, text.micros(pace.time(call))) >= 2 * most then
    redis.call('LTRIM', recent, -most, -1) -- seldom, since it is only there to be bounded
  end
end

-- A request that was booked goes out only now.
function M.rebook(call, booked)
  redis.call('LREM', key.recent(call), -1, booked)
  M.book(call)
  pace.set(call, field.last_request, pace.time(call))
end

-- Where no limit is known, the pace that was seen tells how much work may be out.
local SLOWEST = 1000 -- ms between two requests: a pause is no pace

local function note_request(call, slot)
  local now = pace.now(call)
  local gap = math.min(pace.time(call) - now.last_request, SLOWEST)
  local mean = now.mean_gap == 0 and SLOWEST or now.mean_gap
  pace.set(call, field.last_request, slot and math.max(slot, now.last_request) or pace.time(call))
  pace.set(call, field.mean_gap, mean + (gap - mean) / 16)
end

-- A slot far behind the end of the line is of a time that was corrected since. Not far: who takes a
-- slot over brings the end of the line forward, past slots that others have.
local function is_reserved(call, slot)
  return slot and slot >= pace.now(call).blocked_until and slot < M.next_slot(call) + 10 * (M.spacing(call) + COLD)
end

-- How long to wait for a slot where there is a rate, and the slot; nil as slot: ask anew.
local function wait_for_slot(call, class, slot)
  if not is_reserved(call, slot) then
    local again
    slot, again = reserve(call, class)
    if not slot then
      return again, nil
    end
  end
  local room = until_room(call)
  if room <= 0.5 then
    slot = take_over(call, slot)
  elseif M.spacing(call) >= SPARSE and slot < pace.time(call) - M.spacing(call) then
    slot = reserve(call, class) or slot -- it missed its turn: else those who did would race, the urgent among them
  end
  local wait = math.max(slot - pace.time(call), room)
  return wait > 0.5 and wait or 0, slot
end

-- Those whose process is gone.
function M.drop_lost_connections(call)
  redis.call('ZREMRANGEBYSCORE', key.connections(call), '-inf', call.now)
  local lease = config.number(call, setting.connection_lease)
  if lease then
    clock.bound(call, key.connections(call), lease, lease)
  end
end

local FULL_AGAIN = 20 -- ms until somebody looks again whether a connection is free

-- Takes one of the account's connections; false where none is free.
local function connect(call, holder)
  local connections, most = key.connections(call), config.number(call, setting.connections)
  if most and redis.call('ZCARD', connections) >= most then
    M.drop_lost_connections(call)
    if redis.call('ZCARD', connections) >= most then
      return false
    end
  end
  redis.call('ZADD', connections, call.now + config.number(call, setting.connection_lease), holder)
  return true
end

local function take(call, class, slot, holder)
  local wait = pace.now(call).blocked_until - pace.time(call)
  if M.rate(call) then
    wait, slot = wait_for_slot(call, class, slot)
  elseif wait > 0 then
    slot = nil
  end
  if wait > 0 then
    return wait, slot
  elseif not connect(call, holder) then
    return FULL_AGAIN, slot
  end
  if M.rate(call) then
    M.book(call)
  end
  note_request(call, slot)
  counters.add(call, 'requests')
  return 0, slot
end

-- Asks for one request now, of a class (`dial` or `check`). `slot` is the one reserved before, or nil.
-- Answers 0 where it may go out, and is then booked, else ms to wait and the slot to come back with, or
-- nil: to ask anew. `holder` names the request's connection.
function M.take_slot(call, class, slot, holder)
  pace.follow(call)
  local wait, reserved = take(call, class, slot, holder)
  pace.save(call)
  return wait, reserved
end

function M.release_connection(call, holder)
  redis.call('ZREM', key.connections(call), holder)
end

return M
