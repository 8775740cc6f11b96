-- The account's credit in numbers, which the ledger changes with each job of an operation: read once.

local schema = require('schema')
local sums = require('lib/sums')

local M = {}

local key, credit = schema.key, schema.credit

local NUMBERS = {
  credit.spent_at_check, credit.spent, credit.reserved, credit.estimated, credit.misses, credit.next_check,
  credit.checks,
}

-- As numbers; `balance` and `checked` are nil where it never was.
function M.read(call)
  if call.credits then
    return call.credits
  end
  sums.write(call)
  local values = redis.call('HMGET', key.credit(call), credit.balance, credit.checked, unpack(NUMBERS))
  local found = { balance = tonumber(values[1] or nil), checked = tonumber(values[2] or nil) }
  for i, name in ipairs(NUMBERS) do
    found[name] = tonumber(values[i + 2] or nil) or 0
  end
  call.credits = found
  return found
end

-- Adds units to what is spent, reserved or estimated.
function M.add(call, name, units)
  if call.credits then
    call.credits[name] = call.credits[name] + units
  end
  sums.add(call, key.credit(call), name, units)
end

-- Sets fields: name, text, name, text, …
function M.set(call, ...)
  redis.call('HSET', key.credit(call), ...)
  call.credits = nil
end

return M
