-- Since when the longest waiting job waits.
--
-- answer  {of urgent, normal and bulk: of those that are ready or held}, {the same, of those that are ready; then
--         of the scheduled that are past their time}: each when it became due in ms since the epoch, or ''

local schema = require('schema')
local text = require('lib/text')
local lines = require('lib/lines')

local key = schema.key

local function first(index)
  return tonumber(redis.call('ZRANGE', index, 0, 0, 'WITHSCORES')[2])
end

local function earliest(indexes)
  local found
  for _, index in ipairs(indexes) do
    local due = first(index)
    found = due and math.min(due, found or due) or found
  end
  return found
end

local function ready(call, priority)
  local indexes = {}
  for _, line in ipairs(lines.all(call, priority)) do
    indexes[#indexes + 1] = key.ready(call, priority, line)
  end
  return earliest(indexes)
end

local function held(call, priority, holds)
  local indexes = {}
  for _, hold in ipairs(holds) do
    indexes[#indexes + 1] = key.held(call, hold, priority)
  end
  return earliest(indexes)
end

local function overdue(call)
  local due = first(key.due(call, 'scheduled'))
  return due and due < call.now and due or nil
end

local function told(due)
  return due and text.int(due) or ''
end

local function run(call)
  local holds, waiting, late = redis.call('SMEMBERS', key.holds_used(call)), {}, {}
  for i, priority in ipairs(schema.priorities) do
    local in_line, parked = ready(call, priority), held(call, priority, holds)
    late[i] = told(in_line)
    waiting[i] = told(in_line and math.min(in_line, parked or in_line) or parked)
  end
  late[#late + 1] = told(overdue(call))
  return { waiting, late }
end

return { run = run, flags = { 'no-writes' } }
