-- Forgets what calls were learned to cost; it is learned again from the next ones.
--
-- what    'all', a country with or without a type (JP, JP-mobile), or a whole tariff (tts:JP-mobile)
-- actor   the person who has it forgotten
-- note
-- answer  the tariffs that were forgotten

local schema = require('schema')
local audit = require('lib/audit')
local tariffs = require('lib/tariffs')

local function is_meant(tariff, what)
  for place in tariffs.places(tariff) do
    if place == what or tariffs.country(place) == what then
      return true
    end
  end
  return what == 'all' or tariff == what
end

local function run(call)
  local args, costs, gone = call.args, schema.key.costs(call), {}
  for _, tariff in ipairs(redis.call('HKEYS', costs)) do
    if is_meant(tariff, args.what) then
      redis.call('HDEL', costs, tariff)
      gone[#gone + 1] = tariff
    end
  end
  if gone[1] then
    table.sort(gone)
    audit.write(call, args.actor, 'costs.forget', args.what, args.note, { tariffs = table.concat(gone, ' ') })
  end
  return gone
end

return { run = run }
