-- Learns when calls of a kind are typically over: a moving estimate of the span that SHARE of them stay
-- within. Each longer one moves it up, each shorter one down, in the ratio at which both happen equally
-- often just there; the steps are parts of it, so that it follows seconds and minutes alike.
--
-- kind    of call
-- lasted  ms from the placing to the end of one
-- answer  the estimate, ms
-- Retention: one number for each kind

local schema = require('schema')
local text = require('lib/text')

local SHARE = 0.8
local STEP = 0.1
local LEAST = 1000 -- ms: a step of next to nothing would never end

local function run(call)
  local durations, kind, lasted = schema.key.typical_durations(call), call.args.kind, tonumber(call.args.lasted)
  local typical = tonumber(redis.call('HGET', durations, kind) or nil) or lasted
  local step = STEP * math.max(typical, LEAST)
  if lasted > typical then
    typical = math.min(lasted, typical + step * SHARE)
  else
    typical = math.max(lasted, typical - step * (1 - SHARE))
  end
  redis.call('HSET', durations, kind, text.int(typical))
  return text.int(typical)
end

return { run = run }
