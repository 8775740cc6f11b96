-- What an operation adds to counters, put together and written once at its end: one that works on many jobs adds
-- to the same counters again and again. For what operations do not go by; who reads it nevertheless has it
-- written first.
--
-- call.sums  by hash: its fields, one after another; by each field, what is to be added; and at 0 and -1 what to do
--            where there was nothing before, and with what

local text = require('lib/text')

local M = {}

local FEW = 2 -- fields of a hash that are added to one by one; more are read together, and set

-- Adds to a field of a hash. `first`, if given, is called for each field of the hash in which there was nothing
-- before: first(call, what, field).
function M.add(call, name, field, by, first, what)
  local all = call.sums or {}
  local sums = all[name]
  if not sums then
    all[name], call.sums = { [0] = first, [-1] = what, [field] = by, field }, all
    return
  end
  local sum = sums[field]
  if not sum then
    sums[#sums + 1] = field
  end
  sums[field] = (sum or 0) + by
end

local function note_first(call, sums, field)
  if sums[0] then
    sums[0](call, sums[-1], field)
  end
end

local function add_each(call, name, sums)
  for _, field in ipairs(sums) do
    local by = sums[field]
    if by ~= 0 and redis.call('HINCRBY', name, field, by) == by then
      note_first(call, sums, field)
    end
  end
end

local function add_together(call, name, sums)
  local before, flat, new = redis.call('HMGET', name, unpack(sums)), {}, {}
  for i, field in ipairs(sums) do
    local was, by = tonumber(before[i] or 0), sums[field]
    if by ~= 0 then
      local many = #flat
      flat[many + 1], flat[many + 2] = field, text.int(was + by)
      new[#new + 1] = was == 0 and field or nil
    end
  end
  if flat[1] then
    redis.call('HSET', name, unpack(flat))
  end
  for _, field in ipairs(new) do
    note_first(call, sums, field)
  end
end

function M.write(call)
  local all = call.sums or {}
  for name, sums in pairs(all) do
    all[name] = nil
    local write = sums[FEW + 1] and add_together or add_each
    write(call, name, sums)
  end
end

return M
