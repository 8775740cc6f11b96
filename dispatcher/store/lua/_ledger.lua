-- The ledger of the account's credit: what calls under way have reserved, what ended ones have cost, and
-- both of them under each spending limit. Stands before every operation, after _job.lua and _gates.lua.
-- Amounts are whole units of 1/10000 credit, so that nothing drifts.
--
-- ns:credit          hash   `balance` as last seen, `seen` (when), `seen_spent` (`spent` as it was when the
--                           look began), `spent` (all that ended calls cost, for good), `flying` (reserved by
--                           calls under way), `guessed` (reserved by calls that ended since the look, their
--                           cost not known), `misses` (looks in a row that failed), `look_at`, `looks` (for
--                           the backoff), `warned` (the lowest level a warning was given for)
-- ns:burn            hash   <10 minutes since the epoch>: spent in them; those of the last hour are kept
-- ns:waiting         hash   <state>:<tariff>: how many jobs wait
-- ns:caps            hash   spending limits: <scope> -> '<units> <since, ms> <day|total>', and `@day`, the
--                           day that daily ones count: '<starts, ms> <ends, ms> <zone>'
-- ns:used:day|total  hash   <scope>: spent and reserved under each limit
-- Retention: one field for each tariff, scope or state in use.

local UNITS = 10000
local CREDIT = key('credit')

local function credits(units)
  return string.format('%.10g', math.floor(units / 100 + 0.5) / 100)
end

local function units(text)
  local value = tonumber(text)
  return value and math.floor(value * UNITS + 0.5)
end

-- Spending limits; read where they are asked for.
local CAPS, CAP_NAMES

local function caps()
  if not CAPS then
    CAPS, CAP_NAMES = {}, {}
    local flat = redis.call('HGETALL', key('caps'))
    for i = 1, #flat, 2 do
      local first, second, third = string.match(flat[i + 1], '(%S+) (%S+) (%S+)')
      CAPS[flat[i]] = { tonumber(first), tonumber(second), third }
      if flat[i] ~= '@day' then
        CAP_NAMES[#CAP_NAMES + 1] = flat[i]
      end
    end
    table.sort(CAP_NAMES)
  end
  return CAPS, CAP_NAMES
end

-- The account's own limit goes first.
local function scopes()
  local _, names = caps()
  return { 'account', unpack(names) }
end

local function in_scope(scope, job)
  local tag = string.match(scope, '^tag:(.*)$')
  if tag then
    return string.find(',' .. whole(job.id, 'tags') .. ',', ',' .. tag .. ',', 1, true) ~= nil
  end
  return scope == 'account' or scope == 'client:' .. job.actor
end

local function daily(scope)
  return scope == 'account' or caps()[scope][3] == 'day'
end

local function used_key(scope)
  return key('used', daily(scope) and 'day' or 'total')
end

-- Since when a limit counts: calls that were dialled before are not its own.
local function counts_since(scope)
  local day, cap = caps()['@day'], caps()[scope]
  local since = cap and cap[2] or 0
  if daily(scope) then
    return day and math.max(since, day[1]) or math.huge
  end
  return since
end

local function count_spending(job, n, amount)
  if amount == 0 or not next((caps())) then
    return
  end
  local sent = tonumber(redis.call('HGET', key('job', job.id), int(n) .. '.sent') or nil) or 0
  for _, scope in ipairs(scopes()) do
    if sent >= counts_since(scope) and in_scope(scope, job) then
      redis.call('HINCRBY', used_key(scope), scope, int(amount))
    end
  end
end

local BUCKET, BUCKETS = 600000, 6 -- of ms; an hour in all

local function burn(cost)
  local bucket = math.floor(NOW / BUCKET)
  if redis.call('HINCRBY', key('burn'), int(bucket), int(cost)) == cost then
    for _, old in ipairs(redis.call('HKEYS', key('burn'))) do
      if tonumber(old) <= bucket - BUCKETS then
        redis.call('HDEL', key('burn'), old)
      end
    end
  end
end

-- What an attempt cost is known: `reserved` stood for it under the limits.
local function pay(job, n, cost, reserved)
  if cost > 0 then
    redis.call('HINCRBY', CREDIT, 'spent', int(cost))
    burn(cost)
  end
  count_spending(job, n, cost - reserved)
end

local function reservation(job, n)
  if n == job.n and job.reserved then
    return job.reserved
  end
  return tonumber(redis.call('HGET', key('job', job.id), int(n) .. '.exp') or nil)
end

local function forget_guess(reserved)
  local guessed = tonumber(redis.call('HGET', CREDIT, 'guessed') or nil) or 0
  redis.call('HINCRBY', CREDIT, 'guessed', int(-math.min(guessed, reserved)))
end

-- A call may be under way: by a claim, which reserves for it, or since evidence came of one that was
-- given up.
take_up = function(job)
  local reserved = job.reserve or reservation(job, job.n)
  if reserved then
    redis.call('HINCRBY', CREDIT, 'flying', int(reserved))
    if not job.reserve then
      forget_guess(reserved)
    end
  end
end

-- No call is under way any more. `job.cost` is what it cost, 0 where nobody was called, nil where nobody
-- knows: then its reservation counts as spent until the next look, and stays with the attempt, so that
-- a cost that comes late corrects it.
settle_up = function(job)
  local reserved = reservation(job, job.n)
  if reserved then
    redis.call('HINCRBY', CREDIT, 'flying', int(-reserved))
  end
  if job.cost then
    redis.call('HDEL', key('job', job.id), int(job.n) .. '.exp')
    pay(job, job.n, job.cost, reserved or 0)
  elseif reserved then
    redis.call('HINCRBY', CREDIT, 'guessed', int(reserved))
  end
end

-- The cost of an attempt that is over came late, or another than before; it only ever grows.
local function settle_late(job, n, cost, known)
  local reserved = reservation(job, n)
  if reserved then
    forget_guess(reserved)
    redis.call('HDEL', key('job', job.id), int(n) .. '.exp')
  end
  pay(job, n, cost - known, reserved or 0)
end
