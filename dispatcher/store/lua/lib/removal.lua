-- Removes a job and everything that points to it.

local schema = require('schema')
local text = require('lib/text')
local places = require('lib/places')
local record = require('lib/record')

local M = {}

local key, field = schema.key, schema.field

local function forget_calls(call, job)
  for n = 1, job.attempts do
    for callid in text.items(record.get_attempt(job, n, 'callid')) do
      redis.call('HDEL', key.by_call(call, string.sub(redis.sha1hex(callid), 1, 4)), callid)
    end
  end
end

function M.remove(call, job)
  places.leave(call, job)
  places.end_cost_check(call, job)
  for tag in text.items(record.get(job, field.tags)) do
    redis.call('ZREM', key.by_tag(call, tag), job.id)
  end
  for digits in text.items(record.get(job, field.to)) do
    redis.call('ZREM', key.by_recipient(call), string.reverse(digits) .. ':' .. job.id)
  end
  forget_calls(call, job)
  redis.call('DEL', key.job(call, job.id))
end

return M
