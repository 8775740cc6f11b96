-- What comes into sorted sets and goes from them, put together and written once at the operation's end: one that
-- works on many jobs changes the same sets again and again. Who reads such a set has it written first.
--
-- call.entries  by sorted set: { score, member, … } with `comes`, or of what goes { member, … }

local M = {}

local MOST = 2000 -- arguments of one command: what the stack of Lua has room for

local function write(name, list)
  for i = 1, #list, MOST do
    if list.comes then
      redis.call('ZADD', name, unpack(list, i, math.min(i + MOST - 1, #list)))
    else
      redis.call('ZREM', name, unpack(list, i, math.min(i + MOST - 1, #list)))
    end
  end
end

-- What goes is written before what comes, or what came before what goes.
local function begin(call, name, other, list)
  if other then
    write(name, other)
  end
  call.entries = call.entries or {}
  call.entries[name] = list
end

function M.put(call, name, score, member)
  local list = call.entries and call.entries[name]
  if list and list.comes then
    local many = #list
    list[many + 1], list[many + 2] = score, member
  else
    begin(call, name, list, { comes = true, score, member })
  end
end

function M.remove(call, name, member)
  local list = call.entries and call.entries[name]
  if list and not list.comes then
    list[#list + 1] = member
  else
    begin(call, name, list, { comes = false, member })
  end
end

-- Writes what is put together of one set, if anything is.
function M.write_of(call, name)
  local list = call.entries and call.entries[name]
  if list then
    call.entries[name] = nil
    write(name, list)
  end
end

function M.write(call)
  local entries = call.entries
  for name, list in pairs(entries) do
    entries[name] = nil
    write(name, list)
  end
end

return M
