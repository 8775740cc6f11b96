-- The provider answered 429: the whole account's next request moves to when it said, and the working
-- rate drops, once for all those who were told the same. It comes back slowly.
--
-- wait    ms, as the provider said
-- left    fraction of the working rate that is left
-- answer  the working rate now, requests per second, or '' without a limit

local schema = require('schema')
local pace = require('lib/pace')
local text = require('lib/text')
local config = require('lib/config')
local limiter = require('lib/limiter')

local field = schema.pace
local SAME = 1000 -- ms within which 429s tell the same
local LEAST = 0.1

local function slow_down(call, left)
  local now, rate = pace.now(call), limiter.rate(call)
  if pace.time(call) - now.throttled_at > SAME then
    limiter.slow_down(call, math.max(LEAST, limiter.working_rate(call) / rate * left))
  end
end

local function run(call)
  config.read_all(call)
  local now = pace.now(call)
  local blocked_until = math.max(now.blocked_until, pace.time(call) + call.args.wait)
  pace.set(call, field.blocked_until, blocked_until)
  pace.set(call, field.next_slot, math.max(now.next_slot, blocked_until))
  if limiter.rate(call) then
    slow_down(call, call.args.left)
  end
  pace.save(call)
  return limiter.rate(call) and text.exact(limiter.working_rate(call)) or ''
end

return { run = run, flags = { 'allow-oom' } }
