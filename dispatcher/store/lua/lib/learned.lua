-- Windows that the provider was found to count in, beside the configured one: how many requests it let through in
-- a second, minute, hour or day before it refused one. So its limit is learned from few refusals; each comes
-- back slowly, as limits are raised as well.

local schema = require('schema')
local pace = require('lib/pace')

local M = {}

local field = schema.pace
local SPANS = {
  { ms = 1000, count = field.in_second, at = field.in_second_at },
  { ms = 60000, count = field.in_minute, at = field.in_minute_at },
  { ms = 3600000, count = field.in_hour, at = field.in_hour_at },
  { ms = 86400000, count = field.in_day, at = field.in_day_at },
}

-- What is tried again grows with the square of the time: by a place of sixty after 35 windows, by half after 190.
local GROWS_FOR, GROWS_BY = 60, 1 / 20 -- windows, part

local function grown(call, count, at, ms)
  local times = math.max(0, pace.time(call) - at) / (GROWS_FOR * ms)
  return math.floor(count * (1 + times * times * GROWS_BY))
end

-- Of each that was found {count, ms, found, at}, the shortest first; `found` requests went through, `at` that moment.
function M.windows(call)
  local now, windows = pace.now(call), {}
  for _, span in ipairs(SPANS) do
    local found = pace.number(call, span.count)
    if found > 0 then
      local at = now[span.at]
      windows[#windows + 1] = { count = grown(call, found, at, span.ms), ms = span.ms, found = found, at = at }
    end
  end
  return windows
end

-- The shortest span in which the provider may have counted a request that it wants again after so many ms.
function M.span(wait)
  for _, span in ipairs(SPANS) do
    if wait <= span.ms then
      return span.ms
    end
  end
  return SPANS[#SPANS].ms
end

-- It let so many through in such a span, and refused the next, at a moment.
function M.learn(call, ms, count, at)
  for _, span in ipairs(SPANS) do
    if span.ms == ms then
      pace.set_number(call, span.count, math.max(1, count))
      pace.set(call, span.at, at)
    end
  end
  call.windows = nil
end

return M
