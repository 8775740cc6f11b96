-- The limiter's margin: by how many ms requests keep further apart than the provider's window asks for, since
-- the way there takes now more, now less. It follows what is measured: how much round trips differ, and what
-- the provider refused though it should have had room.

local schema = require('schema')
local pace = require('lib/pace')
local config = require('lib/config')

local M = {}

local setting, field = schema.config, schema.pace
local SECOND = 1000 -- ms: the margin is set as a part of it, or of a shorter window
local LONG_PART = 1 / 2000 -- of a window of a minute or more: two clocks may differ by so much in it
local WIDER = 0.004 -- of a second, by a refusal of a request that should have had room
local WIDE_FOR = 3600000 -- ms in which that goes away, evenly

-- A quick and a slow round trip, near the shortest and the longest of those that are usual: each follows fast
-- in its own direction and slowly in the other.
local FAST, SLOW = 1 / 8, 1 / 512
local STRAY = 50 -- ms: what one round trip may count for at most

local function base(call)
  return math.min(SECOND, config.number(call, setting.rate_window) or SECOND)
end

local function follow(value, seen, up, down)
  return value + (seen - value) * (seen > value and up or down)
end

-- Takes in how long a request took, and answers by how much longer that is than usual, since it may have come
-- late to the provider by so much: else 0.
function M.measure(call, took)
  local now = pace.now(call)
  local quick, slow = now.quick, now.slow
  if slow == 0 then
    pace.set(call, field.quick, took)
    pace.set(call, field.slow, took)
    return 0
  end
  pace.set(call, field.quick, follow(quick, took, SLOW, FAST))
  pace.set(call, field.slow, follow(slow, math.min(took, slow + STRAY), FAST, SLOW))
  return took > slow and math.min(took - slow, STRAY) or 0
end

local function widened(call)
  local now = pace.now(call)
  return now.widened * math.max(0, 1 - math.max(0, pace.time(call) - now.widened_at) / WIDE_FOR)
end

-- A refusal that no lower limit explains: what comes next keeps a little more distance.
function M.widen(call)
  local most = config.number(call, setting.margin_most) * base(call)
  pace.set(call, field.widened, math.min(most, widened(call) + WIDER * base(call)))
  pace.set(call, field.widened_at, pace.time(call))
end

-- The margin in force, in ms.
function M.now(call)
  local now = pace.now(call)
  local least, most = config.number(call, setting.margin), config.number(call, setting.margin_most)
  local seen = math.max(now.slow - now.quick, least * base(call)) + widened(call)
  return math.min(seen, math.max(least, most) * base(call))
end

-- That of a window of so many ms.
function M.of_window(call, ms)
  return ms < 60 * SECOND and M.now(call) or math.max(M.now(call), ms * LONG_PART)
end

return M
