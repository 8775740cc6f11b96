-- What the account can pay for: by its balance, and by spending limits; and when the balance is looked at.

local BLIND_AFTER = 3 -- looks in a row that fail: what was seen is too old to bind anybody

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
