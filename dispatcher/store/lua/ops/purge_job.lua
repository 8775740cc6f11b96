-- Removes an ended job and everything that points to it. What is left is for a while, which of the call task's
-- messages asked for it (lib/messages.lua).
--
-- id
-- before  ms since the epoch: only if it ended before
-- answer  1 if it is gone

local schema = require('schema')
local text = require('lib/text')
local places = require('lib/places')
local record = require('lib/record')
local messages = require('lib/messages')

local key, field = schema.key, schema.field

local function forget_calls(call, job)
  for n = 1, job.attempts do
    for callid in text.items(record.get_attempt(job, n, 'callid')) do
      redis.call('HDEL', key.by_call(call, string.sub(redis.sha1hex(callid), 1, 4)), callid)
    end
  end
end

local function run(call)
  local job = record.load(call, call.args.id)
  local finished = job and tonumber(job.fields[field.finished])
  if not finished or finished >= tonumber(call.args.before) then
    return 0
  end
  places.leave(call, job)
  places.end_cost_check(call, job)
  for tag in text.items(record.get(job, field.tags)) do
    redis.call('ZREM', key.by_tag(call, tag), job.id)
  end
  for digits in text.items(record.get(job, field.to)) do
    redis.call('ZREM', key.by_recipient(call), string.reverse(digits) .. ':' .. job.id)
  end
  forget_calls(call, job)
  messages.leave(call, job)
  redis.call('DEL', key.job(call, job.id))
  return 1
end

return { run = run, flags = { 'allow-oom' } }
