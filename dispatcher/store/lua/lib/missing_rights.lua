-- What processes have noted that they may not do, each for a while: who is gone says no more.

local schema = require('schema')

local M = {}

-- Returns what was noted lately, as a process and its sentence in turn, and the names of the others.
local function parted(call)
  local found, current, outdated = redis.call('HGETALL', schema.key.missing_rights(call)), {}, {}
  for i = 1, #found, 2 do
    local at, says = string.match(found[i + 1], '^(%S+) (.*)$')
    if math.abs(call.now - tonumber(at)) < schema.missing_right_shown then
      current[#current + 1] = found[i]
      current[#current + 1] = says
    else
      outdated[#outdated + 1] = found[i]
    end
  end
  return current, outdated
end

function M.current(call)
  return (parted(call))
end

function M.outdated(call)
  local _, outdated = parted(call)
  return outdated
end

return M
