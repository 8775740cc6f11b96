-- Fields of hashes that an operation on many jobs reads and sets again and again: each is read once, and written
-- once at the operation's end. Who reads such a field another way has it written first.

local M = {}

local function of(call, name)
  local hashes = call.hashes or {}
  local hash = hashes[name]
  if not hash then
    hash = { values = {}, changed = {} }
    hashes[name], call.hashes = hash, hashes
  end
  return hash
end

-- The value of a field, or false.
function M.get(call, name, field)
  local values = of(call, name).values
  if values[field] == nil then
    values[field] = redis.call('HGET', name, field)
  end
  return values[field]
end

function M.set(call, name, field, value)
  local hash = of(call, name)
  hash.values[field], hash.changed[field] = value, value
end

function M.write(call)
  local hashes = call.hashes or {}
  for name, hash in pairs(hashes) do
    hashes[name] = nil
    local flat = {}
    for field, value in pairs(hash.changed) do
      flat[#flat + 1] = field
      flat[#flat + 1] = value
    end
    if flat[1] then
      redis.call('HSET', name, unpack(flat))
    end
  end
end

return M
