-- The limiter of the account: one slot after another at the working rate, by reservation, so that
-- whoever asks is told how long to wait for a slot of its own. GCRA without a burst, in ms.
--
-- Spacing alone does not keep the limit where somebody wakes late for a slot; so no request goes out
-- before the one that is `rate` places ahead of it is a whole period (and the margin, which is what
-- the way to the provider may vary by) in the past.
--
-- What an operation changes of the pace it saves in one go (`save`).

local schema = require('schema')
local text = require('lib/text')
local clock = require('lib/clock')
local lines = require('lib/lines')
local config = require('lib/config')
local counters = require('lib/counters')

local M = {}

local key, setting, pace = schema.key, schema.config, schema.pace
local FIELDS = schema.pace_fields
local WHOLE = 1000000 -- of a fraction, which is kept like a moment: in billionths
local NO_MOMENTS = { [pace.fraction] = true, [pace.mean_gap] = true }

local function change(call, name, value)
  call.pace.now[name] = value
  local changes = call.pace.changes
  changes[#changes + 1] = name
  changes[#changes + 1] = text.micros(value)
end

-- Where the clock went back, what lies ahead goes back as far. What does not was written before the clock
-- was ahead, or is taken for later than it was, which lets nothing out too early.
local function set_back(call, by)
  local now = call.pace.now
  for _, name in ipairs(FIELDS) do
    if not NO_MOMENTS[name] and now[name] > call.exact then
      change(call, name, now[name] - by)
    end
  end
  call.pace.shift = -by
end

-- Where it jumped ahead, which looks like a pause, all goes ahead as far: the distances stay. What a
-- request after the jump left goes by the new clock already.
local function set_ahead(call, by)
  local now = call.pace.now
  for _, name in ipairs(FIELDS) do
    if not NO_MOMENTS[name] and now[name] > 0 then
      change(call, name, now[name] + by)
    end
  end
  change(call, pace.jumped, call.exact)
  call.pace.shift = by
end

-- Whether a jump ahead by so many ms, after a moment of the clock, is not followed yet, nor was a request
-- made since.
local function is_news(call, by, since)
  local now = call.pace.now
  return now.jumped <= since and now.last_request > 0 and now.last_request <= call.exact - by
end

-- Whoever asks for a request says what it knows of the clock.
local function follow_clock(call)
  local known = tonumber(call.args.known or nil)
  local back = clock.went_back(call, call.pace.now.last_request)
  local ahead = known and call.exact - known - call.args.passed or 0
  if back > 0 then
    set_back(call, back)
  elseif ahead > clock.STEP and is_news(call, ahead, known) then
    set_ahead(call, ahead)
  end
end

-- Where the limiter stands, in ms; 0 for what never was.
function M.pace(call)
  if not call.pace then
    local found = text.pairs_of(redis.call('HGETALL', key.pace(call)))
    for _, name in ipairs(FIELDS) do
      found[name] = found[name] and text.from_micros(found[name]) or 0
    end
    call.pace = { now = found, changes = {}, shift = 0 }
    follow_clock(call)
  end
  return call.pace.now
end

function M.set(call, name, value)
  M.pace(call)
  change(call, name, value)
end

-- The requests that were booked go with the rest. Whoever writes the pace does this first.
local function follow_requests(call)
  M.pace(call)
  local by = call.pace.shift
  if by ~= 0 then
    local recent = key.recent(call)
    local moments = redis.call('LRANGE', recent, 0, -1)
    redis.call('DEL', recent)
    for _, moment in ipairs(moments) do
      local at = text.from_micros(moment)
      redis.call('RPUSH', recent, text.micros((by > 0 or at > call.exact) and at + by or at))
    end
    call.pace.shift = 0
    if by < 0 then
      clock.step(call, by)
    end
  end
end

function M.save(call)
  if call.pace and call.pace.changes[1] then
    follow_requests(call)
    redis.call('HSET', key.pace(call), unpack(call.pace.changes))
    call.pace.changes = {}
  end
end

-- By how many ms the clock went back, as the limiter sees it; 0: it did not.
function M.went_back(call)
  M.pace(call)
  return math.max(0, -call.pace.shift)
end

-- Goes by so many ms with the clock (negative: back), though it may not have seen that itself; ahead where
-- it jumped after the moment `since`.
function M.follow(call, by, since)
  M.pace(call)
  if by < 0 and call.pace.shift == 0 then
    set_back(call, -by)
  elseif by > 0 and is_news(call, by, since) then
    set_ahead(call, by)
  end
  follow_requests(call)
  M.save(call)
end

-- Requests a second as configured, or nil: no limit.
function M.rate(call)
  return config.number(call, setting.rate)
end

-- The working rate: the configured one, less what the provider's 429s took, which comes back slowly.
function M.working_rate(call)
  local now, rate = M.pace(call), M.rate(call)
  if now.throttled_at == 0 then
    return rate
  end
  local recovered = math.max(0, call.exact - now.throttled_at) / config.number(call, setting.recovery)
  return rate * math.min(1, now.fraction / WHOLE + recovered)
end

-- Sets the working rate to this part of the configured one.
function M.slow_down(call, fraction)
  M.set(call, pace.fraction, fraction * WHOLE)
  M.set(call, pace.throttled_at, call.exact)
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
  local now = M.pace(call)
  return math.max(now.next_slot, now.blocked_until)
end

-- After a pause everything is cold: connections are made, and requests arrive less evenly. So the
-- first period is a little slower, by a tenth in all.
local COLD = 1000 -- ms

local function cold_spacing(call)
  return M.spacing(call) + math.min(M.spacing(call), COLD) / 10
end

local function step_after(call, slot)
  local now = M.pace(call)
  if now.next_slot + COLD < call.exact then
    M.set(call, pace.cold_since, call.exact)
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
  local now = M.pace(call)
  if now.next_check_slot > slot then
    return math.max(1, now.next_check_slot - slot)
  end
  local from = math.max(now.next_check_slot, slot - M.spacing(call))
  M.set(call, pace.next_check_slot, from + M.spacing(call) / config.number(call, setting.check_share))
end

-- The next slot; or, for a check whose share comes later, nil and in how many ms to ask again: it
-- reserves nothing meanwhile, so that no number of waiting checks holds the dials up.
local function reserve(call, class)
  local slot = math.max(call.exact, M.next_slot(call))
  local again = class == 'check' and dials_wait(call) and keep_share(call, slot)
  if again then
    return nil, again
  end
  M.set(call, pace.next_slot, slot + step_after(call, slot))
  return slot
end

-- ms until the request that is a period's worth of this rate ahead is far enough in the past.
local function until_room_at(call, rate)
  local limit = math.max(1, math.floor(rate))
  local oldest = redis.call('LINDEX', key.recent(call), -limit)
  return oldest and text.from_micros(oldest) + limit / rate * 1000 * margin(call) - call.exact or 0
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
  local now = M.pace(call)
  local before = math.max(now.last_request, now.blocked_until)
  if M.spacing(call) < SPARSE or slot - call.exact < GRACE or call.exact < before + cold_spacing(call) + GRACE then
    return slot
  end
  M.set(call, pace.next_slot, now.next_slot - M.spacing(call))
  return call.exact - GRACE
end

-- A request goes out now: from here on it counts.
function M.book(call)
  follow_requests(call)
  local recent, most = key.recent(call), math.max(1, math.floor(M.rate(call)))
  if redis.call('RPUSH', recent, text.micros(call.exact)) >= 2 * most then
    redis.call('LTRIM', recent, -most, -1) -- seldom, since it is only there to be bounded
  end
end

-- Where no limit is known, the pace that was seen tells how much work may be out.
local SLOWEST = 1000 -- ms between two requests: a pause is no pace

local function note_request(call, slot)
  local now = M.pace(call)
  local gap = math.min(call.exact - now.last_request, SLOWEST)
  local mean = now.mean_gap == 0 and SLOWEST or now.mean_gap
  -- a clock may step back
  local last = slot and math.max(slot, math.min(now.last_request, call.exact)) or call.exact
  M.set(call, pace.last_request, last)
  M.set(call, pace.mean_gap, mean + (gap - mean) / 16)
end

-- A slot far behind the end of the line was reserved before the clock went back. Not far: who takes a
-- slot over brings the end of the line forward, past slots that others have.
local function is_reserved(call, slot)
  return slot and slot >= M.pace(call).blocked_until and slot < M.next_slot(call) + 10 * (M.spacing(call) + COLD)
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
  elseif M.spacing(call) >= SPARSE and slot < call.exact - M.spacing(call) then
    slot = reserve(call, class) or slot -- it missed its turn: else those who did would race, the urgent among them
  end
  local wait = math.max(slot - call.exact, room)
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
  local wait = M.pace(call).blocked_until - call.exact
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
  follow_requests(call)
  local wait, reserved = take(call, class, slot, holder)
  M.save(call)
  return wait, reserved
end

function M.release_connection(call, holder)
  redis.call('ZREM', key.connections(call), holder)
end

return M
