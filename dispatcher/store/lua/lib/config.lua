-- The configuration of the account, as its workers published it. It changes seldom: what was read last is kept from
-- call to call, under the digest that stands among its fields, and is read anew where the digest is another.

local schema = require('schema')
local text = require('lib/text')

local M = {}

local DEFAULTS = schema.config_defaults

local known = {}

local function read(call)
  local name = schema.key.config(call)
  local digest = redis.call('HGET', name, schema.config.digest)
  if not digest or digest ~= known.digest then
    known = { digest = digest, settings = text.pairs_of(redis.call('HGETALL', name)), numbers = {} }
  end
  call.config = known
  return known
end

-- A setting as text; nil where there is none.
function M.get(call, name)
  return (call.config or read(call)).settings[name] or DEFAULTS[name]
end

function M.number(call, name)
  local numbers = (call.config or read(call)).numbers
  local number = numbers[name]
  if number == nil then
    number = tonumber(M.get(call, name)) or false
    numbers[name] = number
  end
  return number or nil
end

return M
