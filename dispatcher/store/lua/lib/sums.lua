-- What an operation adds to counters, put together and written once at its end: one that works on many jobs adds
-- to the same counters again and again. For what operations do not go by; who reads it nevertheless has it
-- written first.

local text = require('lib/text')

local M = {}

-- Adds to a field of a hash. `first`, if given, is called where there was nothing before.
function M.add(call, name, field, by, first)
  local sums = call.sums[name]
  if not sums then
    sums = {}
    call.sums[name] = sums
  end
  local sum = sums[field]
  if sum then
    sum.by, sum.first = sum.by + by, sum.first or first
  else
    sums[field] = { by = by, first = first }
  end
end

function M.write(call)
  local all = call.sums
  call.sums = {}
  for name, sums in pairs(all) do
    for field, sum in pairs(sums) do
      if sum.by ~= 0 and redis.call('HINCRBY', name, field, text.int(sum.by)) == sum.by and sum.first then
        sum.first()
      end
    end
  end
end

return M
