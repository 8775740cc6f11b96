-- What became of each campaign, counted in the steps that move its jobs: to read it takes as long for a
-- million jobs as for one. A job without a campaign costs nothing here.
--
-- campaign        hash, see schema.campaign: <state>[:<reason>] -> jobs that are there, and what its calls came to
-- campaign_hours  hash: <hours since the epoch>:dialled, …:answered -> how many; the latest HOURS
-- campaigns       zset: campaign by when its first job was accepted
-- campaigns_over  zset: campaign by when its last job was removed; those stay for a while, ops/forget_campaigns.lua

local schema = require('schema')
local sums = require('lib/sums')
local text = require('lib/text')
local hashes = require('lib/hashes')
local money = require('lib/money')
local record = require('lib/record')

local M = {}

local key, counted = schema.key, schema.campaign
local MARK, HOURS, MINUTES, LAST = schema.campaign_mark, schema.campaign_hours, schema.campaign_minutes, schema.campaign_attempts
local HOUR, MINUTE = 3600000, 60000 -- ms

local function name_of(job)
  local tag = record.campaign(job)
  return tag and string.sub(tag, #MARK + 1)
end

local function add(call, name, what, by)
  return redis.call('HINCRBY', key.campaign(call, name), what, text.int(by))
end

-- Where it does not matter how many there are now.
local function count(call, name, what, by, first)
  sums.add(call, key.campaign(call, name), what, by, first)
end

local function count_kind(call, name, state, reason, by)
  count(call, name, text.kind(state, reason), by)
end

local function forget_old_hours(hours, hour)
  for _, each in ipairs(redis.call('HKEYS', hours)) do
    if tonumber(string.match(each, '^%d+')) <= hour - HOURS then
      redis.call('HDEL', hours, each)
    end
  end
end

local function add_hour(call, name, what, at, by)
  local hours, hour = key.campaign_hours(call, name), math.floor(at / HOUR)
  sums.add(call, hours, text.int(hour) .. ':' .. what, by, function()
    forget_old_hours(hours, math.floor(call.now / HOUR))
  end)
end

-- An attempt with a number beyond the last counts as the last.
local function count_attempt(call, name, what, n, by)
  count(call, name, what .. ':' .. text.int(math.min(n, LAST)), by)
end

local function dial(call, name, n, at, by)
  count_attempt(call, name, counted.dialled, n, by)
  add_hour(call, name, counted.dialled, at, by)
  count(call, name, counted.attempts, by, function()
    redis.call('HSET', key.campaign(call, name), counted.first_dialled, text.int(call.now))
  end)
end

-- One more has ended in this minute.
local function add_minute(call, name)
  local minute = math.floor(call.now / MINUTE)
  local slot = counted.minute .. ':' .. text.int(minute % MINUTES)
  local campaign = key.campaign(call, name)
  local at, many = string.match(hashes.get(call, campaign, slot) or '', '(%d+) (%d+)')
  many = tonumber(at) == minute and many + 1 or 1
  hashes.set(call, campaign, slot, text.int(minute) .. ' ' .. text.int(many))
  hashes.set(call, campaign, counted.ended, text.int(call.now))
end

-- A job was accepted, and saved.
function M.accept(call, job)
  local name = name_of(job)
  if not name then
    return
  end
  count_kind(call, name, job.state, job.reason, 1)
  count(call, name, counted.jobs, 1, function()
    redis.call('HSET', key.campaign(call, name), counted.begun, text.int(call.now))
    redis.call('ZADD', key.campaigns(call), call.now, name)
  end)
  if not call.campaigns[name] then -- of many jobs in one step the first brings it back
    call.campaigns[name] = true
    redis.call('ZREM', key.campaigns_over(call), name)
  end
end

-- A job has moved; where it was.
function M.move(call, job, state, reason)
  local name = name_of(job)
  if not name then
    return
  end
  count_kind(call, name, state, reason, -1)
  count_kind(call, name, job.state, job.reason, 1)
  if schema.terminal[job.state] then
    add_minute(call, name)
  end
  if job.state == 'completed' and job.reason == '' then
    count_attempt(call, name, counted.answered, job.attempts, 1)
    add_hour(call, name, counted.answered, call.now, 1)
  end
end

-- Attempts of a job began: those after number `from`. There is more than one where Redis lost some.
function M.begin_attempts(call, job, from)
  local name = name_of(job)
  for n = from + 1, name and job.attempts or 0 do
    dial(call, name, n, call.now, 1)
  end
end

local function milliseconds(seconds)
  return math.floor((tonumber(seconds) or 0) * 1000 + 0.5)
end

local SUMS = {
  cost = { counted.spent, function(credits) return money.units(credits) or 0 end },
  duration = { counted.talked, milliseconds },
}

-- A field of an attempt is about to be set.
function M.change_attempt(call, job, n, what, value)
  local sum = SUMS[what]
  local name = sum and name_of(job)
  if name then
    count(call, name, sum[1], sum[2](value) - sum[2](record.get_attempt(job, n, what)))
  end
end

local function begin_summary(call, name)
  redis.call('ZADD', key.campaigns_over(call), call.now, name)
end

-- An ended job is removed: what became of it still counts.
function M.purge(call, job)
  local name = name_of(job)
  if name and add(call, name, counted.purged, 1) == tonumber(redis.call('HGET', key.campaign(call, name), counted.jobs)) then
    begin_summary(call, name)
  end
end

function M.forget(call, name)
  redis.call('DEL', key.campaign(call, name), key.campaign_hours(call, name))
  redis.call('ZREM', key.campaigns(call), name)
  redis.call('ZREM', key.campaigns_over(call), name)
end

-- A job that waits was never accepted: nothing of it counts.
function M.withdraw(call, job)
  local name = name_of(job)
  if not name then
    return
  end
  count_kind(call, name, job.state, job.reason, -1)
  for n = 1, job.attempts do
    dial(call, name, n, tonumber(record.get_attempt(job, n, 'sent')), -1)
  end
  sums.write(call)
  local jobs = add(call, name, counted.jobs, -1)
  if jobs == 0 then
    M.forget(call, name)
  elseif jobs == tonumber(redis.call('HGET', key.campaign(call, name), counted.purged) or nil) then
    begin_summary(call, name)
  end
end

return M
