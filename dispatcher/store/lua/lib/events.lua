-- Account events: what happens to the account and concerns no single job. Kinds are dotted, such as
-- `hold.started`; the facts are JSON.

local schema = require('schema')

local M = {}

function M.tell(call, kind, facts)
  local json = cjson.encode(facts)
  redis.call('XADD', schema.key.events(call), 'MAXLEN', '~', schema.events_kept, '*', 'kind', kind, 'facts', json)
  local told = M.told(call)
  told[#told + 1] = kind
  told[#told + 1] = json
end

-- kind, facts, kind, facts, …: what this operation told
function M.told(call)
  call.told = call.told or {}
  return call.told
end

return M
