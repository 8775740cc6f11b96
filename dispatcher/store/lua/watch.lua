-- uses _limiter.lua, _budget.lua
-- Gives one caller the right to look at the balance now. While all is well looks are sparse, and come
-- sooner where much was spent since the last one, where a warning is near, or where calls fail; while a
-- gate is closed that a look may open, they come on a backoff.
--
-- ARGV[2]  ms of the lease: how long nobody else looks, should the caller be lost
-- ARGV[3]  1: now, by request
-- answer   nil: not now | {spent, guessed}: the ledger as it stands, to be given back with what is seen

local SOONEST = 15000 -- ms between two looks while no gate is closed
local SOONEST_IN_TROUBLE = 2000

local found = account()

local function closed()
  for name in pairs(PROBED) do
    if GATES[name] and not GATES[name].ajar then
      return true
    end
  end
end

-- A balance that spending has brought near what matters: a quarter of the way to the floor, or a level.
local function stale()
  local since = found.spent - found.seen_spent + found.guessed
  local balance = found.balance - since
  if since > 0 and since * 4 > found.balance - (tonumber(LIMITS.floor) or 0) then
    return true
  end
  for level in string.gmatch(LIMITS.warn or '', '[^,]+') do
    if found.balance > tonumber(level) and balance <= tonumber(level) then
      return true
    end
  end
  return false
end

local function in_trouble()
  local row = failures()
  return row >= most_failures()
end

local due = found.look_at <= NOW
if not due and not closed() and found.seen and found.misses == 0 and found.looks == 0 then
  due = NOW >= found.seen + SOONEST and stale() or NOW >= found.seen + SOONEST_IN_TROUBLE and in_trouble()
end
if not due and ARGV[3] ~= '1' then
  return nil
end
redis.call('HSET', CREDIT, 'look_at', int(NOW + ARGV[2]))
return { int(found.spent), int(found.guessed) }
