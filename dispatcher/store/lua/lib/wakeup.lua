-- Idle workers are woken by a message in the broker. One is enough: who takes jobs goes on until none is left,
-- and wakes others where it cannot dial them all itself. A message that is lost costs little, since idle workers
-- look once in a while.
--
-- woken  string: a wake-up is out, or workers are busy with all that waits; for FOR at most

local schema = require('schema')
local lines = require('lib/lines')
local turns = require('lib/turns')

local M = {}

local key = schema.key
local FOR = '1000' -- ms

-- The most urgent priority of which jobs wait.
function M.most_urgent(call)
  for _, priority in ipairs(schema.priorities) do
    if not turns.found_none(call, priority) and lines.any(call, { priority }) then
      return priority
    end
  end
end

-- The priority whose workers are to be told that jobs of it wait, or nil: they were told.
function M.tell(call, priority)
  return redis.call('SET', key.woken(call), '1', 'NX', 'PX', FOR) and priority or nil
end

-- The same of the most urgent priority; nil, too, where none wait.
function M.pass_on(call)
  local priority = M.most_urgent(call)
  return priority and M.tell(call, priority)
end

-- A worker has looked, and can dial more than there is.
function M.heard(call)
  redis.call('DEL', key.woken(call))
end

return M
