-- Where the limiter and the lines stand.
--
-- answer  {configured rate or '', working rate or '', ms until the next free slot, requests under way,
--         ms of the margin in force, or '', ms of the limit's window, or '', ms since the latest request, {count, ms, count, ms, …: windows that the provider was found to
--         count in}, then for urgent, normal and bulk: ready jobs, lines}

local schema = require('schema')
local pace = require('lib/pace')
local text = require('lib/text')
local lines = require('lib/lines')
local margin = require('lib/margin')
local learned = require('lib/learned')
local limiter = require('lib/limiter')
local windows = require('lib/windows')

local key = schema.key

local function ready_in(call, priority, names)
  local ready = 0
  for _, line in ipairs(names) do
    ready = ready + redis.call('ZCARD', key.ready(call, priority, line))
  end
  return ready
end

local function windows_found(call)
  local flat = {}
  for _, window in ipairs(learned.windows(call)) do
    flat[#flat + 1] = window.found
    flat[#flat + 1] = window.ms
  end
  return flat
end

local function run(call)
  local rate = limiter.rate(call)
  local found = {
    rate and tostring(rate) or '',
    rate and tostring(limiter.working_rate(call)) or '',
    text.exact(math.max(0, limiter.next_slot(call) - pace.time(call))),
    redis.call('ZCOUNT', key.connections(call), call.now, '+inf'),
    rate and text.exact(margin.now(call)) or '',
    rate and text.exact(windows.configured(call).ms) or '',
    text.exact(math.max(0, pace.time(call) - pace.now(call).last_request)),
    windows_found(call),
  }
  for _, priority in ipairs(schema.priorities) do
    local names = lines.all(call, priority)
    found[#found + 1] = ready_in(call, priority, names)
    found[#found + 1] = #names
  end
  return found
end

return { run = run, flags = { 'no-writes' } }
