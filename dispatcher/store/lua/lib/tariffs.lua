-- Tariffs, as dispatcher/values/tariffs.py writes them: <kind>:<place>,<place>,… A place is a country, or a country
-- and a type of numbers (JP-mobile).

local text = require('lib/text')

local M = {}

function M.kind(tariff)
  return string.match(tariff, '^[^:]+')
end

-- The places of a tariff, one after another.
function M.places(tariff)
  return text.items(string.match(tariff, ':(.*)$'))
end

function M.country(place)
  return string.match(place, '^%w+')
end

return M
