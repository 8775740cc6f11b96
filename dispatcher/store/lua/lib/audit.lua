-- The log of what people did.
--
-- audit_log  stream: `actor`, `action`, `target`, `note`, and `facts` (JSON); an entry's id is its moment
-- Retention: by age, see store/audit.py.

local schema = require('schema')
local text = require('lib/text')

local M = {}

-- The ids go by the clock of the operation, and never back, so that a time is a range of them.
local function next_id(call)
  local last = redis.call('XREVRANGE', schema.key.audit(call), '+', '-', 'COUNT', 1)[1]
  local ms, place = string.match(last and last[1] or '0-0', '^(%d+)-(%d+)$')
  if tonumber(ms) >= call.now then
    return ms .. '-' .. text.int(place + 1)
  end
  return text.int(call.now) .. '-0'
end

function M.write(call, actor, action, target, note, facts)
  local json = next(facts) and cjson.encode(facts) or '{}'
  redis.call('XADD', schema.key.audit(call), next_id(call), 'actor', text.one_word(actor), 'action', action,
    'target', target, 'note', note, 'facts', json)
end

return M
