-- Webhooks, written in the very step that makes true what they tell. A target of the account is named by
-- its place in the settings; the targets that jobs name share one by origin.

local schema = require('schema')
local text = require('lib/text')
local config = require('lib/config')
local record = require('lib/record')

local M = {}

local key, field, delivery = schema.key, schema.field, schema.delivery

function M.targets(call)
  return config.number(call, schema.config.webhook_targets) or 0
end

-- Has a target looked at, at a moment or before.
function M.look_at(call, target, at)
  redis.call('ZADD', key.webhook_targets(call), 'LT', at, target)
end

function M.news(call)
  redis.call('PUBLISH', key.webhook_news(call), '')
end

local function deliver(call, event, place, target, job)
  local id = event.id .. ':' .. place
  local name = key.delivery(call, id)
  if job then
    redis.call('COPY', key.job(call, job.id), name)
    if job.fields[field.code] then
      redis.call('HSET', name, field.code, schema.code_removed) -- no receiver is told it
    end
  end
  redis.call('HSET', name, delivery.event, event.id, delivery.type, event.type, delivery.at, text.int(event.at),
    delivery.since, text.int(call.now), delivery.sequence, event.sequence, delivery.target, target,
    delivery.tries, '0', delivery.facts, event.facts or '')
  redis.call('ZADD', key.webhooks_due(call, target), call.now, id)
  M.look_at(call, target, call.now)
end

local function origin(url)
  return string.lower(string.match(url, '^%a+://[^/?#]+') or url)
end

-- One delivery for each target that wants the event: id, type, at, and facts or a job.
function M.tell(call, event, job)
  event.sequence = text.int(redis.call('INCR', key.webhook_sequence(call)))
  for place = 1, M.targets(call) do
    deliver(call, event, text.int(place), text.int(place), job)
  end
  local own = job and record.get(job, field.webhook)
  if own then
    deliver(call, event, schema.own_target, origin(own), job)
  end
  M.news(call)
end

-- Tells of a job that has come to a new state, where somebody wants to know.
function M.tell_of_job(call, job)
  local wanted = schema.terminal[job.state] or config.get(call, schema.config.every_change)
  if not wanted then
    return
  elseif job.fields[field.webhook] or M.targets(call) > 0 then
    -- The moment of creation is in it, since a job whose record was forgotten may be made anew.
    local id = 'msg_' .. job.id .. '-' .. text.int(job.created) .. '-' .. text.int(job.events - 1)
    M.tell(call, { id = id, type = 'job.' .. job.state, at = call.now }, job)
  end
end

return M
