-- How an alert begins to ring: by itself, or folded into a bundle with those that came with it, or into the
-- one of a storm.

local schema = require('schema')
local clock = require('lib/clock')
local alerts = require('lib/alerts')
local alert_moves = require('lib/alert_moves')
local bundles = require('lib/bundles')

local M = {}

local key, field = schema.key, schema.alert

-- So many rings of the chain began within its window that one more is more than it wants. Retention: as long
-- as they count.
local function storms(call, chain, alert)
  local rings, within = key.alert_rings(call, chain), alerts.number(alert, field.storm_within)
  clock.bound(call, rings, 0, 0)
  redis.call('ZREMRANGEBYSCORE', rings, '-inf', call.now - within)
  return redis.call('ZCARD', rings) >= alerts.number(alert, field.storm_more_than)
end

local function note_ring(call, alert)
  local rings = key.alert_rings(call, alert.fields[field.chain])
  redis.call('ZADD', rings, call.now, alert.id)
  redis.call('PEXPIRE', rings, alerts.number(alert, field.storm_within) + clock.STEP)
end

local function place(call, alert, to, why)
  local how = { by = alert.heard_from, why = why }
  if alert.fields[field.state] then
    alert_moves.move(call, alert, to, how)
  else
    alert_moves.arrive(call, alert, to, how)
  end
end

local function begin_bundle(call, first, chain, storm)
  local bundle = bundles.new(call, first)
  bundle.heard_from = 'dispatcher'
  place(call, bundle, 'ringing', storm and 'a storm: one call tells of all that come' or nil)
  note_ring(call, bundle)
  if storm then
    redis.call('HSET', key.alert_storms(call), chain, bundle.id)
  end
  return bundle
end

-- The bundle that was begun for this body, as long as it rings.
local function begun(call, chain)
  local bundle = call.bundles[chain] and alerts.load(call, call.bundles[chain])
  return bundle and bundle.fields[field.state] == 'ringing' and bundle or nil
end

local function bundle_for(call, some, chain)
  local storm = storms(call, chain, some[1])
  local under_way = storm and redis.call('HGET', key.alert_storms(call), chain)
  if under_way then
    return alerts.load(call, under_way)
  elseif begun(call, chain) then
    return begun(call, chain)
  elseif storm or some[2] then
    return begin_bundle(call, some[1], chain, storm)
  end
end

-- Alerts of one chain that came together, none of which is told of by any bundle. `call.bundles` are those of
-- the body that they came in: chain -> id.
function M.begin(call, some)
  local chain = some[1].fields[field.chain]
  local bundle = bundle_for(call, some, chain)
  if not bundle then
    place(call, some[1], 'ringing')
    return note_ring(call, some[1])
  end
  call.bundles[chain] = bundle.id
  for _, alert in ipairs(some) do
    bundles.join(call, bundle, alert)
    place(call, alert, 'folded', 'the calls of ' .. bundle.id .. ' tell of it')
  end
  alerts.save(call, bundle)
end

return M
