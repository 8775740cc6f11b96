-- What an operation adds to sorted sets, put together and written once at its end: one that writes many jobs adds
-- to the same indexes again and again. For what no operation reads that adds to it.

local M = {}

local MOST = 1000 -- entries in one command: what the stack of Lua has room for

function M.add(call, name, score, member)
  local entries = call.entries[name]
  if not entries then
    entries = {}
    call.entries[name] = entries
  end
  local many = #entries
  entries[many + 1] = score
  entries[many + 2] = member
end

function M.write(call)
  for name, entries in pairs(call.entries) do
    for i = 1, #entries, 2 * MOST do
      redis.call('ZADD', name, unpack(entries, i, math.min(i + 2 * MOST - 1, #entries)))
    end
  end
  call.entries = {}
end

return M
