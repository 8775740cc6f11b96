-- The windows that requests are counted in: at most `count` in any `ms`. The configured one; that of the working
-- rate; and those that the provider was found to count in (lib/learned.lua).
--
-- A window of a minute or more may be used up at once. Only urgent jobs do so; all others are spaced evenly over
-- it, and leave one place in thirty to them.

local schema = require('schema')
local config = require('lib/config')
local margin = require('lib/margin')
local recent = require('lib/recent')
local learned = require('lib/learned')

local M = {}

local setting = schema.config
local LONG = 60000 -- ms
local FOR_URGENT = 30 -- of so many places in a long window one
local QUICKER = 0.95 -- than even: so what one late request costs is made good by those after it

-- The configured window, or nil: no limit.
function M.configured(call)
  local rate = config.number(call, setting.rate)
  if not rate then
    return nil
  end
  local count = config.number(call, setting.rate_count) or math.max(1, math.floor(rate))
  return { count = count, ms = config.number(call, setting.rate_window) or count / rate * 1000 }
end

-- That of a part of the configured rate.
local function slowed(window, part)
  local count = math.max(1, math.floor(window.count * part))
  return { count = count, ms = count / (window.count * part) * window.ms }
end

-- All that count now, where there is a limit. `part`: the working rate as a part of the configured one.
function M.in_force(call, part)
  if not call.windows then
    local configured = M.configured(call)
    call.windows = learned.windows(call)
    table.insert(call.windows, 1, configured)
    if part < 1 then
      table.insert(call.windows, slowed(configured, part))
    end
  end
  return call.windows
end

-- The smallest count of a window.
function M.fewest(windows)
  local fewest = math.huge
  for _, window in ipairs(windows) do
    fewest = math.min(fewest, window.count)
  end
  return fewest
end

-- How many of a window's places a request may take.
local function places(window, urgent)
  if urgent or window.ms < LONG then
    return window.count
  end
  return window.count - math.floor(window.count / FOR_URGENT)
end

-- The moment from which all windows have room for one more request.
function M.room_at(call, windows, urgent)
  local at = 0
  for _, window in ipairs(windows) do
    local oldest = recent.latest(call, places(window, urgent))
    at = math.max(at, oldest and oldest + window.ms + margin.of_window(call, window.ms) or 0)
  end
  return at
end

-- ms between two requests: of any kind, and of those that are not urgent.
function M.spacing(windows)
  local any, even = 0, 0
  for _, window in ipairs(windows) do
    local spacing = window.ms / places(window) * QUICKER
    if window.ms < LONG then
      any = math.max(any, spacing)
    else
      even = math.max(even, spacing)
    end
  end
  return any, math.max(any, even)
end

-- ms for each request in the long run, of those that are not urgent.
function M.mean(call, windows)
  local mean = 0
  for _, window in ipairs(windows) do
    mean = math.max(mean, (window.ms + margin.of_window(call, window.ms)) / places(window))
  end
  return mean
end

-- Whether urgent jobs may go out before others' turn.
function M.bursts(windows)
  for _, window in ipairs(windows) do
    if window.ms >= LONG then
      return true
    end
  end
  return false
end

return M
