-- Numbers that are written in two ways, both of which are in the numbering plans: whoever asked not to be called
-- at the one is not called at the other.

local M = {}

-- The digits before the number itself, of either way: a mobile of Argentina with the 9 that is dialled from abroad
-- and without; San Marino by its own code and by Italy's.
local WAYS = {
  { '549', '54', 10 },
  { '3780549', '390549', 6 },
}

local function swapped(digits, from, to, length)
  if string.sub(digits, 1, #from) == from and #digits == #from + length then
    return to .. string.sub(digits, #from + 1)
  end
end

-- The digits of the other way to write a number, or nil where there is none.
function M.other(digits)
  for _, way in ipairs(WAYS) do
    local long, short, length = unpack(way)
    local other = swapped(digits, long, short, length) or swapped(digits, short, long, length)
    if other then
      return other
    end
  end
end

return M
