-- Whether a job is there for a request already.

local schema = require('schema')
local allowed = require('lib/allowed')

local M = {}

-- 'new', 'same' (this very request was enqueued already) or 'other' (another request has the id)
function M.find(call, id, fingerprint)
  local found = redis.call('HGET', schema.key.job(call, id), schema.field.fingerprint)
  if not found then
    return 'new'
  end
  return found == fingerprint and 'same' or 'other'
end

-- What was found, or for a new request what of its numbers the account does not call: 'country:JM',
-- 'type:premium'. A request that was accepted before is not asked again: its job is.
function M.allowed(call, answer, tariff, types)
  local kind, what
  if answer == 'new' then
    kind, what = allowed.refusal(call, tariff, types)
  end
  return kind and kind .. ':' .. what or answer
end

return M
