-- Amounts are whole units, so that nothing drifts; people read credits.

local schema = require('schema')

local M = {}

function M.credits(units)
  return string.format('%.10g', math.floor(units / (schema.units / 100) + 0.5) / 100)
end

function M.units(text)
  local value = tonumber(text)
  return value and math.floor(value * schema.units + 0.5)
end

return M
