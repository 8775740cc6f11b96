-- What comes into sorted sets and goes from them, put together and written once at the operation's end: one that
-- works on many jobs changes the same sets again and again. Who reads such a set has it written first.

local M = {}

local MOST = 2000 -- arguments of one command: what the stack of Lua has room for

local function add_all(name, flat)
  for i = 1, #flat, MOST do
    redis.call('ZADD', name, unpack(flat, i, math.min(i + MOST - 1, #flat)))
  end
end

local function remove_all(name, members)
  for i = 1, #members, MOST do
    redis.call('ZREM', name, unpack(members, i, math.min(i + MOST - 1, #members)))
  end
end

function M.put(call, name, score, member)
  if call.going[name] then
    M.write_of(call, name)
  end
  local coming = call.coming[name]
  if coming then
    local many = #coming
    coming[many + 1], coming[many + 2] = score, member
  else
    call.coming[name] = { score, member }
  end
end

function M.remove(call, name, member)
  if call.coming[name] then
    M.write_of(call, name)
  end
  local going = call.going[name]
  if going then
    going[#going + 1] = member
  else
    call.going[name] = { member }
  end
end

-- Writes what is put together of one set, if anything is.
function M.write_of(call, name)
  local coming, going = call.coming[name], call.going[name]
  call.coming[name], call.going[name] = nil, nil
  if coming then
    add_all(name, coming)
  elseif going then
    remove_all(name, going)
  end
end

function M.write(call)
  local coming, going = call.coming, call.going
  for name, flat in pairs(coming) do
    coming[name] = nil
    add_all(name, flat)
  end
  for name, members in pairs(going) do
    going[name] = nil
    remove_all(name, members)
  end
end

return M
