-- The configuration of the account, as its workers published it. A setting is read when it is asked for;
-- an operation that needs many of them reads all first.

local schema = require('schema')
local text = require('lib/text')

local M = {}

local DEFAULTS = schema.config_defaults

function M.read_all(call)
  call.config = text.pairs_of(redis.call('HGETALL', schema.key.config(call)))
end

-- A setting as text; nil where there is none.
function M.get(call, name)
  if call.config then
    return call.config[name] or DEFAULTS[name]
  end
  return redis.call('HGET', schema.key.config(call), name) or DEFAULTS[name]
end

function M.number(call, name)
  local number = call.numbers[name]
  if number == nil then
    number = tonumber(M.get(call, name)) or false
    call.numbers[name] = number
  end
  return number or nil
end

return M
