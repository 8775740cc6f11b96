-- What waits of each client of the HTTP API: how many jobs, and how many bytes they take, about. A job that
-- counts has the field `size`; those of other producers have none, and are as many as they like.

local schema = require('schema')
local text = require('lib/text')
local record = require('lib/record')

local M = {}

local key, field = schema.key, schema.field
local JOBS, BYTES = schema.client_jobs, schema.client_bytes

local function begins_campaign(call, tag)
  local mark = schema.campaign_mark
  local name = string.sub(tag, 1, #mark) == mark and string.sub(tag, #mark + 1)
  local begun = call.campaigns and call.campaigns[tag]
  return name and not begun and redis.call('EXISTS', key.campaign(call, name)) == 0
end

-- How many bytes a new job with these fields takes, about: its record, its indexes, keys of tags of its own, and
-- the campaign that it begins.
function M.size(call, fields)
  local bytes = 0
  for _, value in pairs(fields) do
    bytes = bytes + #value
  end
  local size = schema.bytes_of_a_job + bytes * schema.bytes_of_a_byte
  for tag in text.items(fields[field.tags]) do
    size = size + schema.bytes_of_a_tag + (begins_campaign(call, tag) and schema.bytes_of_a_campaign or 0)
  end
  return size
end

-- What waits of a client, as it is after what this operation has changed: read once, and written at its end.
local function taken(call, client)
  local all = call.clients or {}
  if not all[client] then
    local found = redis.call('HMGET', key.clients(call), client .. JOBS, client .. BYTES)
    all[client] = { jobs = tonumber(found[1] or 0), bytes = tonumber(found[2] or 0) }
  end
  call.clients = all
  return all[client]
end

-- What there is no room of for a job of this size, `jobs` or `bytes`, or nil. `most_jobs` and `most_bytes` are
-- arguments of the operation.
function M.lacks(call, client, size)
  local args, waits = call.args, taken(call, client)
  if waits.jobs + 1 > tonumber(args.most_jobs) then
    return 'jobs'
  elseif waits.bytes + size > tonumber(args.most_bytes) then
    return 'bytes'
  end
end

-- A job begins to wait (1) or is over with that (-1).
function M.count(call, job, by)
  local size = tonumber(job.fields[field.size])
  if size then
    local waits = taken(call, record.producer(job))
    waits.jobs, waits.bytes, waits.changed = waits.jobs + by, waits.bytes + by * size, true
  end
end

local function write(call, name, number)
  if number > 0 then
    redis.call('HSET', key.clients(call), name, text.int(number))
  else
    redis.call('HDEL', key.clients(call), name)
  end
end

function M.write(call)
  for client, waits in pairs(call.clients) do
    if waits.changed then
      write(call, client .. JOBS, waits.jobs)
      write(call, client .. BYTES, waits.bytes)
      waits.changed = false
    end
  end
end

return M
