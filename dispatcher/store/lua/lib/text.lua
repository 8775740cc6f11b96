-- Numbers and lists as text.

local M = {}

local MOST = 200 -- numbers that are kept as text: of attempts, of the moment and the hour that it is, of usual costs
local known, many = {}, 0

local function write(number)
  if many == MOST then
    known, many = {}, 0
  end
  many = many + 1
  known[number] = string.format('%d', number)
  return known[number]
end

-- Lua itself would write large numbers as 1.7e+12, and Redis takes three times as long to write one for a command.
function M.int(number)
  return known[number] or write(number)
end

-- ms with fractions, as answers tell them: at 200 requests a second, slots are 5 ms apart.
function M.exact(number)
  return string.format('%.3f', number)
end

-- ms as whole microseconds, which are kept: fractions would take ten times as long to read and write.
function M.micros(ms)
  return string.format('%d', math.floor(ms * 1000 + 0.5))
end

function M.from_micros(value)
  return tonumber(value) / 1000
end

function M.one_word(text)
  return (string.gsub(text, '%s', '_'))
end

local function once(list, before)
  return not before and list or nil
end

-- The items of a list that is written with commas between. Most have one.
function M.items(list)
  if not list or not string.find(list, ',', 1, true) then
    return once, list ~= '' and list or nil
  end
  return string.gmatch(list, '[^,]+')
end

function M.has(list, item)
  return string.find(',' .. (list or '') .. ',', ',' .. item .. ',', 1, true) ~= nil
end

-- <state>[:<reason>]
function M.kind(state, reason)
  if reason and reason ~= '' then
    return state .. ':' .. reason
  end
  return state
end

-- field, value, field, value, … as a table
function M.pairs_of(flat)
  local found = {}
  for i = 1, #flat, 2 do
    found[flat[i]] = flat[i + 1]
  end
  return found
end

return M
