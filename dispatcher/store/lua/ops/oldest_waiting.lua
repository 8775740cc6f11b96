-- Since when the longest waiting job waits, by priority: of those that are ready or held.
--
-- answer  for urgent, normal and bulk: when it became due in ms since the epoch, or ''

local schema = require('schema')
local text = require('lib/text')
local lines = require('lib/lines')

local key = schema.key

local function earliest(indexes)
  local found
  for _, index in ipairs(indexes) do
    local due = tonumber(redis.call('ZRANGE', index, 0, 0, 'WITHSCORES')[2])
    found = due and math.min(due, found or due) or found
  end
  return found
end

local function run(call)
  local holds, answer = redis.call('SMEMBERS', key.holds_used(call)), {}
  for i, priority in ipairs(schema.priorities) do
    local indexes = {}
    for _, line in ipairs(lines.all(call, priority)) do
      indexes[#indexes + 1] = key.ready(call, priority, line)
    end
    for _, hold in ipairs(holds) do
      indexes[#indexes + 1] = key.held(call, hold, priority)
    end
    local due = earliest(indexes)
    answer[i] = due and text.int(due) or ''
  end
  return answer
end

return { run = run, flags = { 'no-writes' } }
