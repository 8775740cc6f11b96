-- The account's credit: what is left, what calls under way will take, what calls cost. Stands before
-- every operation, after _job.lua. Amounts are whole units of 1/10000 credit, so that nothing drifts.
--
-- ns:credit          hash   `balance` as last seen, `seen` (when), `seen_spent` (`spent` as it was when the
--                           look began), `spent` (all that ended calls cost, for good), `flying` (reserved by
--                           calls under way), `guessed` (reserved by calls that ended since the look, their
--                           cost not known), `misses` (looks in a row that failed), `look_at`, `looks` (for
--                           the backoff), `warned` (the lowest level a warning was given for), `ended`
-- ns:costs           hash   <kind>:<countries>, and <kind>: what calls of this tariff cost (see `learn`)
-- ns:burn            hash   <10 minutes since the epoch>: spent in them; those of the last hour are kept
-- ns:waiting         hash   <state>:<tariff>: how many jobs wait
-- ns:caps            hash   spending limits: <scope> -> '<units> <since, ms> <day|total>', and `@day`, the
--                           day that daily ones count: '<starts, ms> <ends, ms> <zone>'
-- ns:used:day|total  hash   <scope>: spent and reserved under each limit
-- Retention: one field for each tariff, scope or state in use.

local UNITS = 10000
local CREDIT = key('credit')
local BLIND_AFTER = 3 -- looks in a row that fail: what was seen is too old to bind anybody
local BUCKET = 600000
local BUCKETS = 6

local function credits(units)
  return string.format('%.10g', math.floor(units / 100 + 0.5) / 100)
end

local function units(text)
  local value = tonumber(text)
  return value and math.floor(value * UNITS + 0.5)
end

local function account()
  local fields = { 'balance', 'seen', 'seen_spent', 'spent', 'flying', 'guessed', 'misses', 'look_at', 'looks' }
  local values, found = redis.call('HMGET', CREDIT, unpack(fields)), {}
  for i, field in ipairs(fields) do
    found[field] = tonumber(values[i] or nil)
  end
  for _, field in ipairs({ 'seen_spent', 'spent', 'flying', 'guessed', 'misses', 'look_at', 'looks' }) do
    found[field] = found[field] or 0
  end
  return found
end

-- What may still be given out, or nil where the budget binds nobody: no balance was ever seen, or none
-- can be seen.
local function available(found)
  if found.balance and found.misses < BLIND_AFTER then
    return found.balance - (found.spent - found.seen_spent) - found.guessed - found.flying
  end
end

-- Learned costs: '<ended> <mean of all> <paid> <mean of those that cost anything> <deviation of these>'.
-- The means follow the prices: one call counts an Nth, N growing to the number below.
local MEMORY = 64
local BY_DEVIATION = 2

local function kind_in(tariff)
  return string.match(tariff, '^[^:]+')
end

local function learned(text)
  local ended, all, paid, mean, deviation = string.match(text or '', '(%S+) (%S+) (%S+) (%S+) (%S+)')
  if ended then
    return {
      ended = tonumber(ended), all = tonumber(all), paid = tonumber(paid), mean = tonumber(mean),
      deviation = tonumber(deviation),
    }
  end
  return { ended = 0, all = 0, paid = 0, mean = 0, deviation = 0 }
end

local function learn(tariff, cost)
  local fields = { tariff, kind_in(tariff) }
  local write = {}
  for i, text in ipairs(redis.call('HMGET', key('costs'), unpack(fields))) do
    local was = learned(text or nil)
    was.ended = was.ended + 1
    was.all = was.all + (cost - was.all) / math.min(was.ended, MEMORY)
    if cost > 0 then
      was.paid = was.paid + 1
      local off = cost - was.mean
      if was.paid == 1 then
        was.mean, was.deviation = cost, cost / 2
      else
        was.deviation = was.deviation + (math.abs(off) - was.deviation) / 4
        was.mean = was.mean + off / math.min(was.paid, MEMORY)
      end
    end
    write[#write + 1] = fields[i]
    write[#write + 1] = string.format('%d %.1f %d %.1f %.1f', was.ended, was.all, was.paid, was.mean, was.deviation)
  end
  redis.call('HSET', key('costs'), unpack(write))
end

-- What a call is likely to cost where it costs anything, and what to reserve for it: more, by as much
-- as such costs vary. The tariff's own figures, or the kind's, or the start value for each participant.
local function price(tariff, start)
  local kind = kind_in(tariff)
  for _, text in ipairs(redis.call('HMGET', key('costs'), tariff, kind)) do
    local found = learned(text or nil)
    if found.paid > 0 then
      return math.ceil(found.mean), math.ceil(found.mean + BY_DEVIATION * found.deviation)
    end
  end
  start = (tonumber(start) or 20 * UNITS) * (tonumber(string.match(kind, '/(%d+)$')) or 1)
  return start, start
end

-- What the account needs for a call to go out, nil for a post-paid one.
local function needed(floor, reserve)
  return floor and math.max(tonumber(floor), reserve)
end

local function in_words(found, left, need)
  local flying = ''
  if found.flying > 0 then
    flying = ', ' .. credits(found.flying) .. ' of it reserved for calls under way'
  end
  return 'credit ' .. credits(left + found.flying) .. flying .. ', needs ' .. credits(need)
end

-- Why the budget cannot pay for a call, in words, and what it needs; nil: it can.
local function beyond_budget(floor, reserve)
  local need = needed(floor, reserve)
  if need then
    local found = account()
    local left = available(found)
    if left and left < need then
      return in_words(found, left, need), need
    end
  end
end

-- Opens the credit gate where the ledger allows it; after a refusal only what was seen since counts, and
-- a single call tries first.
local function reconsider_credit(floor)
  local gate, found = GATES.credit, account()
  if gate.refused and (not found.seen or found.seen <= gate.refused) then
    return false
  end
  local need, left = math.max(tonumber(floor) or 0, gate.required * UNITS), available(found)
  if not left then
    return false
  elseif floor and left < need then
    set_words('credit', in_words(found, left, need))
    return false
  end
  if gate.refused then
    set_ajar('credit', 'credit ' .. credits(left) .. ': one call tries')
  else
    reopen('credit', 'credit ' .. credits(left))
  end
  return true
end

-- When the balance is looked at next: on a backoff while a gate is closed that a look may open, or
-- while looks fail; soon where that is for credit, since a top-up is what everybody waits for.
local LONGEST_FOR_CREDIT = 8000

local function schedule_look(when_well)
  local looks, standing, closed, longest = account().looks, false, false, LONGEST_LOOK
  for name in pairs(PROBED) do
    local gate = GATES[name]
    standing = standing or gate ~= nil
    closed = closed or (gate ~= nil and not gate.ajar)
  end
  if GATES.credit and not GATES.credit.ajar and not GATES.auth and not GATES.provider_down then
    longest = LONGEST_FOR_CREDIT
  end
  local wait = tonumber(when_well)
  if closed or account().misses > 0 then
    wait = look_wait(looks, longest)
    looks = looks + 1
  elseif not standing then
    looks = 0
  end
  redis.call('HSET', CREDIT, 'looks', int(math.min(looks, 30)), 'look_at', int(NOW + wait))
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

-- Whether a new day has to be set before daily limits can be looked at.
local function day_is_over(limits)
  local day, names = caps()['@day'], select(2, caps())
  if day and NOW < day[2] and day[3] == (limits.zone or 'UTC') then
    return false
  end
  for _, scope in ipairs(names) do
    if daily(scope) then
      return true
    end
  end
  return limits.spend_day ~= nil
end

-- How much is left under a limit, and the limit; nil where there is none.
local function left_under(scope, limits)
  local cap = caps()[scope]
  local most = cap and cap[1]
  if scope == 'account' then
    most = tonumber(limits.spend_day)
  end
  if most and daily(scope) and day_is_over(limits) then
    return most, most -- nothing is spent on the next one
  elseif most then
    return most - (tonumber(redis.call('HGET', used_key(scope), scope) or nil) or 0), most
  end
end

-- The limit that a call does not fit under, and why not, in words.
local function beyond_limit(job, reserve, limits)
  for _, scope in ipairs(scopes()) do
    local left, most = nil, nil
    if NOW >= counts_since(scope) and in_scope(scope, job) then
      left, most = left_under(scope, limits)
    end
    if left and left < reserve then
      local whose = scope == 'account' and 'the account' or string.gsub(scope, ':', ' ', 1)
      local period = daily(scope) and ' credits a day' or ' credits'
      return scope, string.format('the spending limit of %s%s for %s is reached: %s spent or under way, a call needs %s',
        credits(most), period, whose, credits(most - left), credits(reserve))
    end
  end
end

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
