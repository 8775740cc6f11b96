-- Whom the account calls: the countries and the types of numbers that its settings allow.

local schema = require('schema')
local text = require('lib/text')
local config = require('lib/config')
local tariffs = require('lib/tariffs')

local M = {}

local setting = schema.config

local function look_for_country(call, tariff)
  local allowed, blocked = config.get(call, setting.countries), config.get(call, setting.blocked_countries)
  for place in tariffs.places(tariff) do
    local code = tariffs.country(place)
    if text.has(blocked, code) or (allowed and not text.has(allowed, code)) then
      return code
    end
  end
end

-- The same for all jobs of an operation.
local function country(call, tariff)
  call.not_called = call.not_called or {}
  local known = call.not_called[tariff]
  if known == nil then
    known = look_for_country(call, tariff) or false
    call.not_called[tariff] = known
  end
  return known or nil
end

local function number_type(call, types)
  if not types then
    return nil
  end
  local allowed = config.get(call, setting.number_types)
  for name in text.items(types) do
    if not text.has(allowed, name) then
      return name
    end
  end
end

-- What of a job's numbers the account does not call: 'country' and its code, or 'type' and its name; nil: it
-- calls them. `types`: those of the numbers that are not ordinary.
function M.refusal(call, tariff, types)
  local code = country(call, tariff)
  if code then
    return 'country', code
  end
  local name = number_type(call, types)
  if name then
    return 'type', name
  end
end

return M
