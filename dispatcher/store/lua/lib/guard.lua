-- Stops an operation whose records are of another schema than this library's. An empty store is given
-- its schema by the first operation that writes.

local schema = require('schema')

local M = {}

local function of_first_schema(call)
  local names = {}
  for i, name in ipairs(schema.first_schema_keys) do
    names[i] = call.root .. ':' .. name
  end
  return redis.call('EXISTS', unpack(names)) > 0
end

-- Returns what is wrong as an error, or nil.
function M.refuse(call, writes)
  local found = redis.call('GET', schema.key.schema(call))
  if found == schema.version then
    return nil
  elseif found then
    return redis.error_reply('SCHEMA ' .. found)
  elseif of_first_schema(call) then
    return redis.error_reply('SCHEMA 1')
  elseif writes then
    redis.call('SET', schema.key.schema(call), schema.version)
    redis.call('SET', call.root .. ':' .. schema.barrier, 'schema ' .. schema.version)
  end
end

return M
