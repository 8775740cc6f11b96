-- What is counted: for good, and the ends of jobs by the minute, for charts.

local schema = require('schema')
local sums = require('lib/sums')
local text = require('lib/text')

local M = {}

local key = schema.key
local DAY = 86400 -- s

function M.add(call, name, by)
  sums.add(call, key.counters(call), name, by or 1)
end

-- Counts how long something took, in ms: together, and in the first bucket that it fits. How often it
-- happened is counted by who counts it.
function M.took(call, name, ms)
  ms = math.max(ms, 0)
  M.add(call, name .. '_ms', math.floor(ms))
  for _, most in ipairs(schema.alert_seconds) do
    if ms <= most * 1000 then
      M.add(call, name .. '.le.' .. text.int(most))
      return
    end
  end
end

-- Counts given as JSON: name -> number
function M.add_all(call, json)
  for name, number in pairs(cjson.decode(json)) do
    M.add(call, name, number)
  end
end

local function forget_after_a_day(_, outcomes)
  redis.call('EXPIRE', outcomes, DAY)
end

-- Where the outcomes of this hour are, and what those of this minute begin with.
local function this_minute(call)
  call.minute = call.minute or {
    hour = key.outcomes(call, text.int(call.now / 3600000)),
    minute = text.int(call.now / 60000 % 60) .. ':',
  }
  return call.minute
end

-- Retention: an hour's outcomes for a day.
function M.add_outcome(call, job)
  local kind = text.kind(job.state, job.reason)
  M.add(call, 'ended.' .. kind)
  local now = this_minute(call)
  sums.add(call, now.hour, now.minute .. kind, 1, forget_after_a_day, now.hour)
end

return M
