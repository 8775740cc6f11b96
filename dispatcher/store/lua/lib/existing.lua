-- Whether a job is there for a request already.

local schema = require('schema')
local allowed = require('lib/allowed')
local do_not_call = require('lib/do_not_call')
local languages = require('lib/languages')

local M = {}

local field = schema.field

-- Looks for the jobs of many requests at once, since mostly all of them are new.
function M.look_for(call, rows)
  local names, absent = {}, {}
  for i, row in ipairs(rows) do
    names[i], absent[row.id] = schema.key.job(call, row.id), true
  end
  call.absent = names[1] and redis.call('EXISTS', unpack(names)) == 0 and absent or {}
end

-- 'new', 'same' (this very request was enqueued already) or 'other' (another request has the id)
function M.find(call, id, fingerprint)
  if call.absent and call.absent[id] then
    call.absent[id] = nil -- it is made now: another request with this id is not new any more
    return 'new'
  end
  local found = redis.call('HGET', schema.key.job(call, id), schema.field.fingerprint)
  if not found then
    return 'new'
  end
  return found == fingerprint and 'same' or 'other'
end

-- What was found, or for a new request what of its numbers is not called: 'country:JM', 'type:premium',
-- 'listed:818012345678', or a language that the provider refuses: 'language:cy'. A request that was accepted
-- before is not asked again: its job is.
function M.allowed(call, answer, row)
  if answer ~= 'new' then
    return answer
  end
  local fields = row.fields
  local kind, what = allowed.refusal(call, fields[field.tariff], fields[field.number_types])
  if not kind then
    local tags, dnc = fields[field.tags], fields[field.dnc]
    what = do_not_call.refusal(call, fields[field.to], tags, row.priority, dnc)
    kind = what and 'listed'
  end
  if not kind then
    what = languages.refusal(call, fields)
    kind = what and 'language'
  end
  return kind and kind .. ':' .. what or answer
end

return M
