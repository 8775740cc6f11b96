-- The limiter of the account: one slot after another at the working rate, by reservation, so that
-- whoever asks is told how long to wait for a slot of its own. GCRA without a burst, in ms.
--
-- Spacing alone does not keep the limit where somebody wakes late for a slot; so no request goes out
-- before the one that is `limit` places ahead of it is a whole period (and the margin, which is what
-- the way to the provider may vary by) in the past.
local LIMITS = {}
do
  local flat = redis.call('HGETALL', key('limits'))
  for i = 1, #flat, 2 do
    LIMITS[flat[i]] = flat[i + 1]
  end
  know_targets(LIMITS.hooks, LIMITS.every)
end

local RATE = tonumber(LIMITS.rate)
local MARGIN = 1 + (tonumber(LIMITS.margin) or 0.012)
local PACE = {}
do
  local fields = { 'tat', 'check_tat', 'blocked', 'fraction', 'since', 'last', 'gap', 'cold' }
  local values = redis.call('HMGET', key('pace'), unpack(fields))
  for i, field in ipairs(fields) do
    PACE[field] = tonumber(values[i] or nil) or 0
  end
end

-- The working rate: the configured one, less what the provider's 429s took, which comes back slowly.
local function working_rate()
  if PACE.since == 0 then
    return RATE
  end
  local recovered = math.max(0, EXACT - PACE.since) / (tonumber(LIMITS.recovery) or 600000)
  return RATE * math.min(1, PACE.fraction + recovered)
end

local function spacing()
  return 1000 / working_rate() * MARGIN
end

local function exact(number)
  return string.format('%.3f', number)
end

-- After a pause everything is cold: connections are made, and requests arrive less evenly. So the
-- first period is a little slower, by a tenth in all.
local COLD = 1000 -- ms

local function cold_spacing()
  return spacing() + math.min(spacing(), COLD) / 10
end

local function step_after(slot)
  local began = PACE.cold
  if PACE.tat + COLD < EXACT then
    began = EXACT
    redis.call('HSET', key('pace'), 'cold', exact(began))
  end
  return slot < began + COLD and cold_spacing() or spacing()
end

-- Whether jobs want to be dialled: then checks keep to their share.
local function dials_wait()
  if redis.call('ZCARD', key('fed')) > 0 then
    return true
  end
  for _, priority in ipairs(PRIORITIES) do
    if redis.call('EXISTS', key('lines', priority)) == 1 then
      return true
    end
  end
  return false
end

-- The next slot; or, for a check whose share comes later, nil and in how many ms to ask again: it
-- reserves nothing meanwhile, so that no number of waiting checks holds the dials up.
local function reserve(class)
  local slot = math.max(EXACT, PACE.tat, PACE.blocked)
  if class == 'check' and dials_wait() then
    if PACE.check_tat > slot then
      return nil, math.max(1, PACE.check_tat - slot)
    end
    local share = tonumber(LIMITS.share) or 0.1
    -- What the rounding to whole slots cost it, up to one of them, is made good next time.
    local from = math.max(PACE.check_tat, slot - spacing())
    redis.call('HSET', key('pace'), 'check_tat', exact(from + spacing() / share))
  end
  redis.call('HSET', key('pace'), 'tat', exact(slot + step_after(slot)))
  return slot
end

-- ms until the request that is a period's worth of this rate ahead is far enough in the past.
local function until_room_at(rate)
  local limit = math.max(1, math.floor(rate))
  local oldest = redis.call('LINDEX', key('recent'), -limit)
  return oldest and tonumber(oldest) + limit / rate * 1000 * MARGIN - EXACT or 0
end

-- 0 or less: now. Both rates count: a few at a time at the working one may be too many in a period
-- of the configured one.
local function until_room()
  return math.max(until_room_at(RATE), until_room_at(working_rate()))
end

-- A slot whose owner died passes unused; where slots are far apart, that would leave the line standing
-- for a noticeable time. Whoever looks in meanwhile takes it over, and its own goes back to the end of
-- the reserved ones. Grace is for an owner who is only a little late.
local GRACE = 50 -- ms
local SPARSE = 2 * GRACE -- ms between slots from which looking in is worth a round trip

local function come_back(wait)
  return spacing() < SPARSE and wait or math.min(wait, SPARSE)
end

local function take_over(slot)
  local before = math.max(PACE.last, PACE.blocked)
  if spacing() < SPARSE or slot - EXACT < GRACE or EXACT < before + cold_spacing() + GRACE then
    return slot
  end
  redis.call('HSET', key('pace'), 'tat', exact(PACE.tat - spacing()))
  return EXACT - GRACE
end

-- A request goes out now: from here on it counts.
local function book()
  redis.call('RPUSH', key('recent'), exact(EXACT))
  redis.call('LTRIM', key('recent'), -math.max(1, math.floor(RATE)), -1)
end

-- Where no limit is known, the pace that was seen tells how much work may be out.
local SLOWEST = 1000 -- ms between two requests: a pause is no pace

local function note_pace(slot)
  local gap = math.min(EXACT - PACE.last, SLOWEST)
  local mean = PACE.gap == 0 and SLOWEST or PACE.gap
  local last = slot and math.max(slot, math.min(PACE.last, EXACT)) or EXACT -- a clock may step back
  redis.call('HSET', key('pace'), 'last', exact(last), 'gap', exact(mean + (gap - mean) / 16))
end

-- Asks for one request now. `slot` is the one reserved before, or nil. Answers 0 where it may go out,
-- and is then booked, else ms to wait and the slot to come back with, or nil: to ask anew.
local function take_slot(class, slot, holder)
  if RATE then
    if not slot or slot < PACE.blocked then
      local again
      slot, again = reserve(class)
      if not slot then
        return again, nil
      end
    end
    local room = until_room()
    if room <= 0.5 then
      slot = take_over(slot)
    elseif spacing() >= SPARSE and slot < EXACT - spacing() then
      slot = reserve(class) or slot -- it missed its turn: else those who did would race, the urgent among them
    end
    local wait = math.max(slot - EXACT, room)
    if wait > 0.5 then
      return wait, slot
    end
  elseif PACE.blocked > EXACT then
    return PACE.blocked - EXACT, nil
  end
  local connections = key('connections')
  redis.call('ZREMRANGEBYSCORE', connections, '-inf', NOW)
  if redis.call('ZCARD', connections) >= (tonumber(LIMITS.connections) or math.huge) then
    return 20, slot
  end
  redis.call('ZADD', connections, NOW + (tonumber(LIMITS.lease) or 60000), holder)
  if RATE then
    book()
  end
  note_pace(slot)
  count('requests')
  return 0, slot
end

local function give_back(holder)
  redis.call('ZREM', key('connections'), holder)
end
