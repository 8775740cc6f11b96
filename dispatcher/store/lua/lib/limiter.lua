-- The limiter of the account: one request after another at the working rate, in ms. A request is booked when it is
-- granted, for the moment at which it goes out, a little ahead.
--
-- Two things keep it: slots, which are spaced; and the windows that the provider counts in (lib/windows.lua). None
-- is granted for a moment before the one that is a window's count ahead of it is a whole window in the past, and a
-- margin for the way to the provider (lib/margin.lua).
--
-- All moments here are of the limiter's own time (lib/pace.lua).

local schema = require('schema')
local text = require('lib/text')
local pace = require('lib/pace')
local clock = require('lib/clock')
local lines = require('lib/lines')
local config = require('lib/config')
local margin = require('lib/margin')
local entries = require('lib/entries')
local recent = require('lib/recent')
local windows = require('lib/windows')
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

-- The windows that count now.
local function windows_of(call)
  return windows.in_force(call, M.working_rate(call) / M.rate(call))
end

-- ms for each request in the long run.
function M.mean_spacing(call)
  return windows.mean(call, windows_of(call))
end

-- When the next slot is, unless it is taken before.
function M.next_slot(call)
  local now = pace.now(call)
  return math.max(now.next_slot, now.next_even_slot, now.blocked_until)
end

-- After a pause everything is cold: connections are made, and requests arrive less evenly. So the
-- first period is a little slower, by a tenth in all.
local COLD = 1000 -- ms

local function spacing_after(call, slot, spacing)
  local now = pace.now(call)
  if now.next_slot + COLD < pace.time(call) then
    pace.set(call, field.cold_since, pace.time(call))
  end
  return slot < now.cold_since + COLD and spacing + math.min(spacing, COLD) / 10 or spacing
end

-- The slots after this one. An urgent request in a long window leaves the even slots of the others as they are.
local function move_on(call, slot, urgent)
  local any, even = windows.spacing(windows_of(call))
  pace.set(call, field.next_slot, slot + spacing_after(call, slot, any))
  if even > any and not urgent then
    pace.set(call, field.next_even_slot, slot + even)
  end
end

-- Those whose process is gone.
function M.drop_lost_connections(call)
  call.connections = nil
  entries.write_of(call, key.connections(call))
  redis.call('ZREMRANGEBYSCORE', key.connections(call), '-inf', call.now)
  local lease = config.number(call, setting.connection_lease)
  if lease then
    clock.bound(call, key.connections(call), lease, lease)
  end
end

local function count_connections(call)
  if not call.connections then
    entries.write_of(call, key.connections(call))
    call.connections = redis.call('ZCARD', key.connections(call))
  end
  return call.connections
end

local function has_connection(call)
  local most = config.number(call, setting.connections)
  if most and count_connections(call) >= most then
    M.drop_lost_connections(call)
    return count_connections(call) < most
  end
  return true
end

local SOONEST = 1 -- ms until it is worth asking again
local FULL_AGAIN = 20 -- ms until somebody looks again whether a connection is free

local function earliest(call, urgent)
  local now = pace.now(call)
  local at = math.max(pace.time(call), now.blocked_until)
  if not M.rate(call) then
    return at
  end
  local slot = urgent and now.next_slot or math.max(now.next_slot, now.next_even_slot)
  return math.max(at, slot, windows.room_at(call, windows_of(call), urgent))
end

-- The moment at which the next request may go out, if that is at most so many ms ahead; else nil, and in how
-- many ms to ask again. `urgent`: it is for an urgent job.
function M.next_request(call, ahead, urgent)
  local time, at = pace.time(call), earliest(call, urgent)
  if at - time > ahead then
    return nil, math.max(SOONEST, at - time - ahead)
  elseif not has_connection(call) then
    return nil, FULL_AGAIN
  end
  return at
end

-- Whether an urgent job may go out before the others' next slot.
function M.bursts(call)
  return M.rate(call) and windows.bursts(windows_of(call))
end

-- A request goes out at this moment, as `next_request` said: it counts, and takes one of the account's
-- connections. `holder` names that one.
function M.book(call, at, holder, urgent)
  if M.rate(call) then
    move_on(call, at, urgent)
    recent.add(call, at)
    pace.set_number(call, field.granted, pace.number(call, field.granted) + 1)
  end
  entries.put(call, key.connections(call), text.int(call.now + config.number(call, setting.connection_lease)), holder)
  call.connections = call.connections and call.connections + 1
  pace.set(call, field.last_request, pace.time(call))
  counters.add(call, 'requests')
end

-- A request that was booked goes out only now: answers the moment from which it may. It keeps its place among the
-- others, unless so many went out since that it would be one too many: then it is asked for anew.
function M.rebook(call, booked)
  local at = math.max(pace.time(call), pace.now(call).blocked_until)
  local after = recent.number_after(call, booked)
  if after and after < windows.fewest(windows_of(call)) then
    recent.count_from(call, booked, at)
  else
    recent.remove(call, booked)
    at = math.max(at, recent.latest(call, 1) or 0, windows.room_at(call, windows_of(call), true))
    recent.add(call, at)
  end
  pace.set(call, field.last_request, pace.time(call))
  return at
end

-- A request was answered: its first byte went `late` ms after the moment that it was booked for, and the answer came
-- `took` ms after that. What it was late by, on its way to us or to the provider, keeps others away.
function M.answered(call, booked, late, took)
  if M.rate(call) then
    late = late + margin.measure(call, took)
    if late >= 1 then
      recent.count_from(call, booked, text.from_micros(booked) + late)
    end
  end
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
  local spacing = M.mean_spacing(call)
  local from = math.max(next_check, at - spacing)
  pace.set(call, field.next_check_slot, from + spacing / config.number(call, setting.check_share))
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
  entries.remove(call, key.connections(call), holder)
  call.connections = nil
end

return M
