-- What is unusual of the account's calls, as a stolen key would make them: a country that was never called
-- before, many new countries within an hour, a tenfold rise of spending within an hour. Each is told as an
-- account event and counted, and starts a hold where the settings say so, which a person ends.
--
-- countries_called  hash: country -> ms since the epoch when it was first called, 0: it was the first, or
--                   was called before this was kept.
--                   Bounded by the number of countries.
-- hourly_spending   hash: <hours since the epoch> -> units (lib/ledger.lua); those of USUAL_HOURS are kept.
-- unusual           hash: kind -> when it was told last, ms since the epoch; `judged`: minute in which
--                   spending was looked at last

local schema = require('schema')
local text = require('lib/text')
local hashes = require('lib/hashes')
local credits = require('lib/credits')
local holds = require('lib/holds')
local money = require('lib/money')
local config = require('lib/config')
local events = require('lib/events')
local tariffs = require('lib/tariffs')
local counters = require('lib/counters')

local M = {}

local key, setting = schema.key, schema.config
local HOUR = 3600000 -- ms
local MANY = schema.many_new_countries
local USUAL_HOURS, RISE, LEAST_CALLS = schema.usual_hours, schema.unusual_rise, schema.unusual_least_calls

M.HOLD = 'unusual'

local function tell(call, kind, why, facts)
  facts.at, facts.why = call.now, why
  redis.call('HSET', key.unusual(call), kind, text.int(call.now))
  counters.add(call, 'unusual.' .. kind)
  events.tell(call, 'unusual.' .. kind, facts)
  if text.has(config.get(call, setting.hold_unusual), kind) then
    holds.start(call, M.HOLD, why)
  end
end

-- When a kind was told, where that is no moment of a clock that was ahead.
local function told(call, kind)
  local at = tonumber(redis.call('HGET', key.unusual(call), kind) or nil) or 0
  return at <= call.now and at or 0
end

-- -- countries -----------------------------------------------------------------------------

local function is_known(call, country)
  return hashes.get(call, key.countries_called(call), country)
end

-- Before countries were kept: those whose calls were paid for. True where there are any.
local function learn_first(call)
  local found = false
  for _, tariff in ipairs(redis.call('HKEYS', key.costs(call))) do
    for place in tariffs.places(tariff) do
      hashes.set(call, key.countries_called(call), tariffs.country(place), '0')
      found = true
    end
  end
  return found
end

local function new_within_an_hour(call)
  local since, many = math.max(call.now - HOUR, told(call, 'countries')), 0
  hashes.write(call)
  for _, at in pairs(text.pairs_of(redis.call('HGETALL', key.countries_called(call)))) do
    if tonumber(at) > since and tonumber(at) <= call.now then
      many = many + 1
    end
  end
  return many
end

local function note(call, country)
  hashes.write(call)
  local first = redis.call('EXISTS', key.countries_called(call)) == 0
  local learned = first and learn_first(call)
  if learned and is_known(call, country) then
    return
  end
  if first and not learned then -- with nothing before, nothing is unusual
    hashes.set(call, key.countries_called(call), country, '0')
    return
  end
  hashes.set(call, key.countries_called(call), country, text.int(call.now))
  tell(call, 'country', country .. ' was never called before', { country = country })
  local many = new_within_an_hour(call)
  if many >= MANY then
    tell(call, 'countries', text.int(many) .. ' countries were called for the first time within an hour', { countries = many })
  end
end

local function look_at_countries(call, tariff)
  for place in tariffs.places(tariff) do
    local country = tariffs.country(place)
    if not is_known(call, country) then
      note(call, country)
    end
  end
end

-- A job is about to be dialled; answers the name of the hold that this starts, if any.
function M.about_to_call(call, job)
  call.usual = call.usual or {}
  if not call.usual[job.tariff] then
    look_at_countries(call, job.tariff)
    call.usual[job.tariff] = true
  end
  return holds.closed(call, M.HOLD) and M.HOLD or nil
end

-- -- spending ------------------------------------------------------------------------------

-- What was spent within the last hour, and what calls under way have reserved.
local function spent_lately(call)
  local last, units = math.floor(call.now / schema.burn_bucket), 0
  for bucket, spent in pairs(text.pairs_of(redis.call('HGETALL', key.burn(call)))) do
    local ago = last - tonumber(bucket)
    if ago >= 0 and ago < schema.burn_buckets then
      units = units + tonumber(spent)
    end
  end
  return units + credits.read(call).reserved
end

-- The mean of the hours before the last one in which something was spent; nil: there are none. What is too
-- old, or of a clock that was ahead, is dropped.
local function usual(call)
  local name, this, sum, many = key.hourly_spending(call), math.floor(call.now / HOUR), 0, 0
  for hour, spent in pairs(text.pairs_of(redis.call('HGETALL', name))) do
    local ago = this - tonumber(hour)
    if ago < 0 or ago > USUAL_HOURS then
      redis.call('HDEL', name, hour)
    elseif ago > 1 then
      sum, many = sum + tonumber(spent), many + 1
    end
  end
  return many > 0 and sum / many or nil
end

local function judge(call)
  local mean, lately = usual(call), spent_lately(call)
  local least = LEAST_CALLS * config.number(call, setting.expected_cost)
  if not mean or lately < math.max(RISE * mean, least) then
    return
  end
  local why = string.format('%s credits were spent or reserved within an hour, %s are usual',
    money.credits(lately), money.credits(mean))
  tell(call, 'spending', why, { spent = lately / schema.units, usual = mean / schema.units })
end

-- Looks at spending once a minute; what was told is not told again within an hour.
function M.judge_spending(call)
  local minute = text.int(call.now / 60000)
  if redis.call('HGET', key.unusual(call), 'judged') == minute then
    return
  end
  redis.call('HSET', key.unusual(call), 'judged', minute)
  if told(call, 'spending') <= call.now - HOUR then
    judge(call)
  end
end

return M
