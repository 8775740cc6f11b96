-- Spending limits, and what was spent or reserved under each.
--
-- spending_limits  hash: <scope> -> '<units> <since, ms> <day|total>', and `@day`, the day that daily ones
--                  count: '<starts, ms> <ends, ms> <zone>'. Scopes: tag:<tag>, client:<producer>. The
--                  account's own limit is a setting, and its scope is `account`.

local schema = require('schema')
local text = require('lib/text')
local config = require('lib/config')
local money = require('lib/money')
local record = require('lib/record')

local M = {}

local key, setting, DAY = schema.key, schema.config, schema.spending_day

local NONE = { limits = {}, scopes = { 'account' } }

local function read(flat)
  local limits, scopes = {}, {}
  for scope, value in pairs(text.pairs_of(flat)) do
    local first, second, third = string.match(value, '(%S+) (%S+) (%S+)')
    limits[scope] = { tonumber(first), tonumber(second), third }
    if scope ~= DAY then
      scopes[#scopes + 1] = scope
    end
  end
  table.sort(scopes)
  table.insert(scopes, 1, 'account')
  return { limits = limits, scopes = scopes }
end

-- The limits by scope, as { amount, since, period }, and their scopes in order, the account's first.
function M.limits(call)
  if not call.spending then
    local flat = redis.call('HGETALL', key.spending_limits(call))
    call.spending = flat[1] and read(flat) or NONE
  end
  return call.spending.limits, call.spending.scopes
end

local function daily(call, scope)
  return scope == 'account' or M.limits(call)[scope][3] == 'day'
end

local function spent_key(call, scope)
  return key.spent(call, daily(call, scope) and 'day' or 'total')
end

local function in_scope(scope, job)
  if scope == 'account' then
    return true
  end
  local tag = string.match(scope, '^tag:(.*)$')
  if tag then
    return text.has(record.get(job, schema.field.tags), tag)
  end
  return scope == 'client:' .. record.producer(job)
end

-- Since when a limit counts: calls that were dialled before are not its own.
local function counts_since(call, scope)
  local limits = M.limits(call)
  local day, limit = limits[DAY], limits[scope]
  local since = limit and limit[2] or 0
  if daily(call, scope) then
    return day and math.max(since, day[1]) or math.huge
  end
  return since
end

-- Counts what attempt n of a job takes under each limit that it is within.
function M.count(call, job, n, amount)
  local limits, scopes = M.limits(call)
  if amount == 0 or not next(limits) then
    return
  end
  local sent = tonumber(record.get_attempt(job, n, 'sent')) or 0
  for _, scope in ipairs(scopes) do
    if sent >= counts_since(call, scope) and in_scope(scope, job) then
      redis.call('HINCRBY', spent_key(call, scope), scope, text.int(amount))
    end
  end
end

-- Whether a new day has to be set before daily limits can be looked at.
function M.day_is_over(call)
  local limits, scopes = M.limits(call)
  local day = limits[DAY]
  if day and call.now < day[2] and day[3] == config.get(call, setting.zone) then
    return false
  end
  for i = 2, #scopes do
    if daily(call, scopes[i]) then
      return true
    end
  end
  return config.get(call, setting.spend_per_day) ~= nil
end

-- How much is left under a limit, and the limit; nil where there is none.
function M.left_under(call, scope)
  local limit = M.limits(call)[scope]
  local most = limit and limit[1]
  if scope == 'account' then
    most = config.number(call, setting.spend_per_day)
  end
  if most and daily(call, scope) and M.day_is_over(call) then
    return most, most -- nothing is spent on the next one
  elseif most then
    return most - (tonumber(redis.call('HGET', spent_key(call, scope), scope) or nil) or 0), most
  end
end

local function in_words(call, scope, most, left, needed)
  local whose = scope == 'account' and 'the account' or string.gsub(scope, ':', ' ', 1)
  local period = daily(call, scope) and ' credits a day' or ' credits'
  return string.format('the spending limit of %s%s for %s is reached: %s spent or reserved, a call needs %s',
    money.credits(most), period, whose, money.credits(most - left), money.credits(needed))
end

-- The scope of the limit that a call does not fit under, and why not, in words.
function M.exceeded(call, job, reserve)
  local limits, scopes = M.limits(call)
  if limits == NONE.limits then
    return nil -- no day is set, either
  end
  for _, scope in ipairs(scopes) do
    local left, most
    if call.now >= counts_since(call, scope) and in_scope(scope, job) then
      left, most = M.left_under(call, scope)
    end
    if left and left < reserve then
      return scope, in_words(call, scope, most, left, reserve)
    end
  end
end

return M
