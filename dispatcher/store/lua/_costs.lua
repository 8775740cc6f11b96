-- What calls of a tariff cost is learned from those that ended.
--
-- ns:costs  hash  <kind>:<countries> -> '<ended> <mean of all> <paid> <mean of those that cost anything>
--                 <deviation of these>', in units. The means follow the prices: one call counts an Nth, N
--                 growing to MEMORY.
-- Retention: one field for each tariff in use.

local MEMORY = 64
local BY_DEVIATION = 2

local function learned(text)
  local ended, all, paid, mean, deviation = string.match(text or '', '(%S+) (%S+) (%S+) (%S+) (%S+)')
  return {
    ended = tonumber(ended) or 0, all = tonumber(all) or 0, paid = tonumber(paid) or 0,
    mean = tonumber(mean) or 0, deviation = tonumber(deviation) or 0,
  }
end

local function learn(tariff, cost)
  local was = learned(redis.call('HGET', key('costs'), tariff) or nil)
  was.ended = was.ended + 1
  was.all = was.all + (cost - was.all) / math.min(was.ended, MEMORY)
  if cost > 0 then
    local off = cost - was.mean
    was.paid = was.paid + 1
    was.mean = was.mean + off / math.min(was.paid, MEMORY)
    was.deviation = was.paid == 1 and cost / 2 or was.deviation + (math.abs(off) - was.deviation) / 4
  end
  redis.call('HSET', key('costs'), tariff,
    string.format('%d %.1f %d %.1f %.1f', was.ended, was.all, was.paid, was.mean, was.deviation))
end

local function cautious(found)
  return math.ceil(found.mean + BY_DEVIATION * found.deviation)
end

-- What is known of a tariff by the others of its kind: the dearest, since nobody knows better.
local function dearest_of(kind)
  local likely, reserve, flat = 0, 0, redis.call('HGETALL', key('costs'))
  for i = 1, #flat, 2 do
    local found = learned(flat[i + 1])
    if found.paid > 0 and string.match(flat[i], '^[^:]+') == kind then
      likely = math.max(likely, math.ceil(found.mean))
      reserve = math.max(reserve, cautious(found))
    end
  end
  return likely, reserve
end

-- What a call is likely to cost where it costs anything, and what to reserve for it: more, by as much
-- as such costs vary. The tariff's own figures, or its kind's, or the start value for each participant.
local function price(tariff, start)
  local found = learned(redis.call('HGET', key('costs'), tariff) or nil)
  if found.paid > 0 then
    return math.ceil(found.mean), cautious(found)
  end
  local kind = string.match(tariff, '^[^:]+')
  local likely, reserve = dearest_of(kind)
  if reserve > 0 then
    return likely, reserve
  end
  start = (tonumber(start) or 20 * UNITS) * (tonumber(string.match(kind, '/(%d+)$')) or 1)
  return start, start
end
