-- What calls of a tariff cost is learned from those that ended, and no single one counts for much: whoever
-- says what a call cost decides by it whether others are made.
--
-- costs  hash: <kind>:<countries> -> '<ended> <mean of all> <paid> <mean of those that cost anything>
--        <deviation of these> <lowest> <highest>', in units. The means follow the prices: one call counts an
--        Nth, N growing to MEMORY. Lowest and highest are what status checks told of calls that were
--        answered, or cost anything; -1: none did.

local schema = require('schema')
local config = require('lib/config')
local text = require('lib/text')
local tariffs = require('lib/tariffs')

local M = {}

local key = schema.key
local MEMORY = 64
local BY_DEVIATION = 2
local AT_ONCE = 4 -- times what is usual: more is not learned from one call

local function parse(value)
  local ended, all, paid, mean, deviation, range = string.match(value or '', '(%S+) (%S+) (%S+) (%S+) (%S+) ?(.*)')
  local lowest, highest = string.match(range or '', '(%S+) (%S+)')
  return {
    ended = tonumber(ended) or 0, all = tonumber(all) or 0, paid = tonumber(paid) or 0,
    mean = tonumber(mean) or 0, deviation = tonumber(deviation) or 0,
    lowest = tonumber(lowest) or -1, highest = tonumber(highest) or -1,
  }
end

-- What is known of a tariff; of many jobs in one step it is read once, and written at the end.
local function learned(call, tariff)
  local costs = call.costs or {}
  local known = costs[tariff]
  if not known then
    known = parse(redis.call('HGET', key.costs(call), tariff))
    costs[tariff], call.costs = known, costs
  end
  return known
end

function M.write(call)
  for tariff, known in pairs(call.costs or {}) do
    if known.is_new then
      redis.call('HSET', key.costs(call), tariff, string.format('%d %.1f %d %.1f %.1f %d %d', known.ended, known.all,
        known.paid, known.mean, known.deviation, known.lowest, known.highest))
      known.is_new = nil
    end
  end
end

local function cautious(known)
  return math.ceil(known.mean + BY_DEVIATION * known.deviation)
end

-- What is known of a tariff by the others of its kind: the dearest, since nobody knows better.
local function dearest_of(call, kind)
  local likely, reserve = 0, 0
  M.write(call)
  for tariff, value in pairs(text.pairs_of(redis.call('HGETALL', key.costs(call)))) do
    local known = parse(value)
    if known.paid > 0 and tariffs.kind(tariff) == kind then
      likely = math.max(likely, math.ceil(known.mean))
      reserve = math.max(reserve, cautious(known))
    end
  end
  return likely, reserve
end

-- What a call is likely to cost where it costs anything, and what to reserve for it: more, by as much
-- as such costs vary. The tariff's own figures, or its kind's, or the start value for each participant.
local function price(call, tariff)
  local known = learned(call, tariff)
  if known.paid > 0 then
    return math.ceil(known.mean), cautious(known)
  end
  local kind = tariffs.kind(tariff)
  local likely, reserve = dearest_of(call, kind)
  if reserve > 0 then
    return likely, reserve
  end
  local participants = tonumber(string.match(kind, '/(%d+)$')) or 1
  local start = config.number(call, schema.config.expected_cost) * participants
  return start, start
end

-- The same for all jobs of an operation, unless one of them teaches something.
function M.price(call, tariff)
  call.prices = call.prices or {}
  local found = call.prices[tariff]
  if not found then
    found = { price(call, tariff) }
    call.prices[tariff] = found
  end
  return found[1], found[2]
end

local function widen(known, cost)
  known.lowest = known.lowest < 0 and cost or math.min(known.lowest, cost)
  known.highest = math.max(known.highest, cost)
end

local function average(known, cost)
  known.ended = known.ended + 1
  known.all = known.all + (cost - known.all) / math.min(known.ended, MEMORY)
  if cost > 0 then
    local off = cost - known.mean
    known.paid = known.paid + 1
    known.mean = known.mean + off / math.min(known.paid, MEMORY)
    known.deviation = known.paid == 1 and cost / 2 or known.deviation + (math.abs(off) - known.deviation) / 4
  end
end

-- Learns from a call that ended: `checked` by a status check, or reported by a callback.
function M.learn(call, tariff, cost, answered, checked)
  local known, usual = learned(call, tariff), math.max((price(call, tariff)), schema.units)
  if checked and (answered or cost > 0) then
    widen(known, cost)
  end
  average(known, math.min(cost, AT_ONCE * usual))
  known.is_new, call.prices = true, nil
end

-- Whether a callback is believed what a call cost: as much as calls of this tariff were checked to cost before,
-- no more than is expected of it anyway, or nothing where nobody answered. Anybody may have sent it who saw its
-- URL.
function M.believes(call, tariff, cost, answered)
  if cost == 0 and not answered then
    return true
  end
  local known = learned(call, tariff)
  local least = known.lowest < 0 and 1 or known.lowest
  return cost >= least and cost <= math.max(known.highest, (M.price(call, tariff)))
end

return M
