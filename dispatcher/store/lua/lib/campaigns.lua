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
local money = require('lib/money')
local record = require('lib/record')

local M = {}

local key, counted = schema.key, schema.campaign
local MARK, HOURS, MINUTES, LAST = schema.campaign_mark, schema.campaign_hours, schema.campaign_minutes, schema.campaign_attempts
local HOUR, MINUTE = 3600000, 60000 -- ms

-- That of a job, or nil: its name, those of its keys, and how many of its jobs have ended in this operation.
local function of(call, job)
  local tag, campaigns = record.campaign(job), call.campaigns or {}
  local campaign = tag and campaigns[tag]
  if tag and not campaign then
    local name = string.sub(tag, #MARK + 1)
    campaign = { name = name, key = key.campaign(call, name), hours = key.campaign_hours(call, name), ended = 0 }
    campaigns[tag], call.campaigns = campaign, campaigns
  end
  return campaign
end

local function add(campaign, what, by)
  return redis.call('HINCRBY', campaign.key, what, text.int(by))
end

local FIRST = {
  [counted.jobs] = function(call, campaign)
    redis.call('HSET', campaign.key, counted.begun, text.int(call.now))
    redis.call('ZADD', key.campaigns(call), call.now, campaign.name)
  end,
  [counted.attempts] = function(call, campaign)
    redis.call('HSET', campaign.key, counted.first_dialled, text.int(call.now))
  end,
}

local function note_first(call, campaign, what)
  if FIRST[what] then
    FIRST[what](call, campaign)
  end
end

-- Where it does not matter how many there are now.
local function count(call, campaign, what, by)
  sums.add(call, campaign.key, what, by, note_first, campaign)
end

local function forget_old_hours(call, campaign)
  local hour = math.floor(call.now / HOUR)
  for _, each in ipairs(redis.call('HKEYS', campaign.hours)) do
    if tonumber(string.match(each, '^%d+')) <= hour - HOURS then
      redis.call('HDEL', campaign.hours, each)
    end
  end
end

local function add_hour(call, campaign, what, at, by)
  local field = text.int(math.floor(at / HOUR)) .. ':' .. what
  sums.add(call, campaign.hours, field, by, forget_old_hours, campaign)
end

-- An attempt with a number beyond the last counts as the last.
local function count_attempt(call, campaign, what, n, by)
  count(call, campaign, what .. ':' .. text.int(math.min(n, LAST)), by)
end

local function dial(call, campaign, n, at, by)
  count_attempt(call, campaign, counted.dialled, n, by)
  add_hour(call, campaign, counted.dialled, at, by)
  count(call, campaign, counted.attempts, by)
end

-- So many more have ended in this minute.
local function add_minute(call, campaign, ended)
  local minute = math.floor(call.now / MINUTE)
  local slot = counted.minute .. ':' .. text.int(minute % MINUTES)
  local at, many = string.match(redis.call('HGET', campaign.key, slot) or '', '(%d+) (%d+)')
  many = tonumber(at) == minute and many + ended or ended
  redis.call('HSET', campaign.key, slot, text.int(minute) .. ' ' .. text.int(many), counted.ended, text.int(call.now))
end

function M.write(call)
  for _, campaign in pairs(call.campaigns) do
    if campaign.ended > 0 then
      add_minute(call, campaign, campaign.ended)
      campaign.ended = 0
    end
  end
end

-- A job was accepted, and saved.
function M.accept(call, job)
  local campaign = of(call, job)
  if not campaign then
    return
  end
  count(call, campaign, text.kind(job.state, job.reason), 1)
  count(call, campaign, counted.jobs, 1)
  if not campaign.is_back then -- of many jobs in one step the first brings it back
    campaign.is_back = true
    redis.call('ZREM', key.campaigns_over(call), campaign.name)
  end
end

-- A job has moved; where it was.
function M.move(call, job, state, reason)
  local campaign = of(call, job)
  if not campaign then
    return
  end
  count(call, campaign, text.kind(state, reason), -1)
  count(call, campaign, text.kind(job.state, job.reason), 1)
  if schema.terminal[job.state] then
    campaign.ended = campaign.ended + 1
  end
  if job.state == 'completed' and job.reason == '' then
    count_attempt(call, campaign, counted.answered, job.attempts, 1)
    add_hour(call, campaign, counted.answered, call.now, 1)
  end
end

-- Attempts of a job began: those after number `from`. There is more than one where Redis lost some.
function M.begin_attempts(call, job, from)
  local campaign = of(call, job)
  for n = from + 1, campaign and job.attempts or 0 do
    dial(call, campaign, n, call.now, 1)
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
  local campaign = sum and of(call, job)
  if campaign then
    count(call, campaign, sum[1], sum[2](value) - sum[2](record.get_attempt(job, n, what)))
  end
end

local function begin_summary(call, campaign)
  redis.call('ZADD', key.campaigns_over(call), call.now, campaign.name)
end

-- An ended job is removed: what became of it still counts.
function M.purge(call, job)
  local campaign = of(call, job)
  if campaign and add(campaign, counted.purged, 1) == tonumber(redis.call('HGET', campaign.key, counted.jobs)) then
    begin_summary(call, campaign)
  end
end

function M.forget(call, name)
  redis.call('DEL', key.campaign(call, name), key.campaign_hours(call, name))
  redis.call('ZREM', key.campaigns(call), name)
  redis.call('ZREM', key.campaigns_over(call), name)
end

-- A job that waits was never accepted: nothing of it counts.
function M.withdraw(call, job)
  local campaign = of(call, job)
  if not campaign then
    return
  end
  count(call, campaign, text.kind(job.state, job.reason), -1)
  for n = 1, job.attempts do
    dial(call, campaign, n, tonumber(record.get_attempt(job, n, 'sent')), -1)
  end
  sums.write(call)
  local jobs = add(campaign, counted.jobs, -1)
  if jobs == 0 then
    M.forget(call, campaign.name)
  elseif jobs == tonumber(redis.call('HGET', campaign.key, counted.purged) or nil) then
    begin_summary(call, campaign)
  end
end

return M
