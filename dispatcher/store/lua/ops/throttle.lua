-- The provider answered 429: the whole account's next request moves to when it said. What else follows is told
-- once for all requests that were under way:
-- it counts in another window than we knew: that is learned (lib/learned.lua);
-- the window was full, as it was often before: the way there varies by more than the margin, which widens;
-- else its limit is lower: the working rate drops, and comes back slowly.
--
-- wait    ms until the next request
-- told    1 where the provider said so
-- booked  what the refused request was booked by, if it is known
-- counts  1 but where the attempt counts it that was refused (ops/settle.lua)
-- reading, passed  as in ops/take.lua
-- left    fraction of the working rate that is left
-- answer  the working rate now, requests per second, or '' without a limit

local schema = require('schema')
local pace = require('lib/pace')
local text = require('lib/text')
local margin = require('lib/margin')
local recent = require('lib/recent')
local learned = require('lib/learned')
local limiter = require('lib/limiter')
local windows = require('lib/windows')
local counters = require('lib/counters')

local field = schema.pace
local SAME = 1000 -- ms within which 429s tell the same
local LEAST = 0.1
local MANY = 5 -- windows' worth of requests that went through since the last one
local NEARLY, SLACK = 0.95, 1.05 -- a window is used up: so much of its count in so much of its time

local function block(call)
  local now = pace.now(call)
  local blocked_until = math.max(now.blocked_until, pace.time(call) + call.args.wait)
  pace.set(call, field.blocked_until, blocked_until)
  pace.set(call, field.next_slot, math.max(now.next_slot, blocked_until))
end

-- Whether this was under way when an earlier 429 came, or comes right after it.
local function told_before(call)
  local booked, last = call.args.booked, pace.now(call).refused_at
  return pace.time(call) - last <= SAME or (booked and text.from_micros(booked) <= last)
end

local function slow_down(call)
  local part = limiter.working_rate(call) / limiter.rate(call) * call.args.left
  limiter.slow_down(call, math.max(LEAST, part))
end

local function number_in(call, ms)
  local booked = call.args.booked
  local at = booked and text.from_micros(booked) or pace.time(call)
  return recent.number_since(call, at - ms, booked)
end

-- The shortest of the windows we know that is used up, and that a place comes free in after the wait, or nil.
local function used_up(call, configured, wait)
  local known = learned.windows(call)
  table.insert(known, 1, { count = configured.count, found = configured.count, ms = configured.ms, configured = true })
  for _, window in ipairs(known) do
    local fits = wait <= math.ceil(window.ms / 1000) * 1000
    if fits and number_in(call, window.ms * SLACK) >= window.found * NEARLY then
      return window
    end
  end
end

-- The span of a window that we know nothing of, or nil: it is the configured one.
local function unknown_span(call, configured, wait)
  local span, known = learned.span(wait), math.ceil(configured.ms / 1000) * 1000
  return (wait > known or span < known) and span or nil
end

local function judge(call)
  local configured, wait = windows.configured(call), tonumber(call.args.wait)
  local window = used_up(call, configured, wait)
  local span = window and not window.configured and window.ms
    or (call.args.told and not window and unknown_span(call, configured, wait))
  if span then
    learned.learn(call, span, number_in(call, span), pace.time(call))
  elseif window and pace.number(call, field.granted) >= MANY * configured.count then
    margin.widen(call)
  else
    slow_down(call)
  end
end

-- Of requests for one moment nobody knows which was refused first: what was found is corrected by each further one.
local function correct(call)
  local found_at = pace.now(call).refused_at
  for _, window in ipairs(call.args.booked and learned.windows(call) or {}) do
    local count = number_in(call, window.ms)
    if window.at == found_at and count < window.found then
      learned.learn(call, window.ms, count, found_at)
    end
  end
end

local function run(call)
  if call.args.counts then
    counters.add(call, 'throttled')
  end
  block(call)
  if limiter.rate(call) then
    if told_before(call) then
      correct(call)
    else
      judge(call)
      pace.set_number(call, field.granted, 0)
      pace.set(call, field.refused_at, pace.time(call))
    end
    if call.args.booked then
      recent.remove(call, call.args.booked)
    end
  end
  pace.save(call)
  return limiter.rate(call) and text.exact(limiter.working_rate(call)) or ''
end

return { run = run, flags = { 'allow-oom' } }
