-- Removes a job and everything that points to it.

local schema = require('schema')
local text = require('lib/text')
local indexing = require('lib/indexing')
local places = require('lib/places')
local callids = require('lib/callids')
local recipients = require('lib/recipients')
local record = require('lib/record')

local M = {}

local key, field = schema.key, schema.field

local function forget_calls(call, job)
  for n = 1, job.attempts do
    for callid in text.items(record.get_attempt(job, n, 'callid')) do
      callids.remove(call, callid)
    end
  end
end

function M.remove(call, job)
  places.leave(call, job)
  places.end_cost_check(call, job)
  for tag in text.items(record.get(job, field.tags)) do
    indexing.remove(call, 'by_tag', tag, job.created, job.id)
  end
  recipients.remove(call, job.id, record.get(job, field.to))
  forget_calls(call, job)
  redis.call('DEL', key.job(call, job.id))
end

return M
