-- The call task's messages: a broker may give one out again when its job is purged already, and nobody asked for
-- that call a second time. A record keeps which messages asked for it; a purge leaves them behind for a while.

local schema = require('schema')
local text = require('lib/text')
local record = require('lib/record')

local M = {}

local key, field = schema.key, schema.field

-- Notes that a message asked for a job that is there already.
function M.add(call, id, message)
  local job = record.load(call, id)
  local known, count = record.get(job, field.messages), 0
  for each in text.items(known) do
    if each == message then
      return
    end
    count = count + 1
  end
  if count < schema.messages_kept then
    record.set(job, field.messages, known and known .. ',' .. message or message)
    record.save(job)
  end
end

function M.was_purged(call, message)
  return redis.call('EXISTS', key.purged_message(call, message)) == 1
end

-- Leaves the messages of a job that goes, until no broker can give them out again.
function M.leave(call, job)
  for message in text.items(record.get(job, field.messages)) do
    redis.call('SET', key.purged_message(call, message), '', 'PX', schema.message_kept)
  end
end

return M
