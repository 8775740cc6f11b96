-- The ledger of the account's credit: what calls under way have reserved, what ended ones have cost, and
-- both of them under each spending limit.

local schema = require('schema')
local sums = require('lib/sums')
local credits = require('lib/credits')
local text = require('lib/text')
local record = require('lib/record')
local spending = require('lib/spending')

local M = {}

local key, credit = schema.key, schema.credit
local HOUR = 3600000 -- ms
local BUCKET, BUCKETS = schema.burn_bucket, schema.burn_buckets -- ms; how many

local function forget_old_buckets(call, bucket)
  for _, old in ipairs(redis.call('HKEYS', key.burn(call))) do
    if tonumber(old) <= bucket - BUCKETS then
      redis.call('HDEL', key.burn(call), old)
    end
  end
end

local function burn(call, cost)
  local bucket = math.floor(call.now / BUCKET)
  sums.add(call, key.burn(call), text.int(bucket), cost, forget_old_buckets, bucket)
end

-- What an attempt cost is known: `reserved` stood for it under the limits.
local function pay(call, job, n, cost, reserved)
  if cost > 0 then
    credits.add(call, credit.spent, cost)
    burn(call, cost)
    sums.add(call, key.hourly_spending(call), text.int(call.now / HOUR), cost) -- lib/unusual.lua
  end
  spending.count(call, job, n, cost - reserved)
end

local function reservation(job, n)
  return tonumber(record.get_attempt(job, n, 'reserved'))
end

local function forget_estimate(call, reserved)
  credits.add(call, credit.estimated, -math.min(credits.read(call).estimated, reserved))
end

-- A claim reserves for its call.
function M.reserve(call, job, amount)
  record.set_attempt(job, job.attempts, 'reserved', amount)
  credits.add(call, credit.reserved, amount)
  spending.count(call, job, job.attempts, amount)
end

-- Evidence came of a call that was given up: what it had reserved is reserved again.
function M.reserve_again(call, job)
  local reserved = reservation(job, job.attempts)
  if reserved then
    credits.add(call, credit.reserved, reserved)
    forget_estimate(call, reserved)
  end
end

-- No call is under way any more. `cost` is what it cost, 0 where nobody was called, nil where nobody
-- knows: then its reservation counts as spent until the next balance check, and stays with the attempt, so
-- that a cost that comes late corrects it. The caller saves the job.
function M.settle(call, job, cost)
  local reserved = reservation(job, job.attempts)
  if reserved then
    credits.add(call, credit.reserved, -reserved)
  end
  if cost then
    record.remove_attempt(job, job.attempts, 'reserved')
    pay(call, job, job.attempts, cost, reserved or 0)
  elseif reserved then
    credits.add(call, credit.estimated, reserved)
  end
end

-- The cost of an attempt that is over came late, or another than before; it only ever grows. The caller
-- saves the job.
function M.settle_late(call, job, n, cost, known)
  local reserved = reservation(job, n)
  if reserved then
    forget_estimate(call, reserved)
    record.remove_attempt(job, n, 'reserved')
  end
  pay(call, job, n, cost - known, reserved or 0)
end

return M
