-- Whether a job is there for a request already.

local schema = require('schema')

local M = {}

-- 'new', 'same' (this very request was enqueued already) or 'other' (another request has the id)
function M.find(call, id, fingerprint)
  local found = redis.call('HGET', schema.key.job(call, id), schema.field.fingerprint)
  if not found then
    return 'new'
  end
  return found == fingerprint and 'same' or 'other'
end

return M
