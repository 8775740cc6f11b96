-- Since when the longest waiting job waits, by priority: of those that are ready or held.
--
-- answer   for urgent, normal and bulk: when it became due in ms since the epoch, or ''

local function earliest(names)
  local found
  for _, name in ipairs(names) do
    local first = redis.call('ZRANGE', name, 0, 0, 'WITHSCORES')
    local due = tonumber(first[2])
    found = due and math.min(due, found or due) or found
  end
  return found
end

local gates = redis.call('SMEMBERS', key('holds'))
local answer = {}
for _, priority in ipairs(PRIORITIES) do
  local names = {}
  for _, line in ipairs(redis.call('ZRANGE', key('lines', priority), 0, -1)) do
    names[#names + 1] = key('ready', priority, line)
  end
  for _, gate in ipairs(gates) do
    names[#names + 1] = key('held', gate, priority)
  end
  local due = earliest(names)
  answer[#answer + 1] = due and int(due) or ''
end
return answer
