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
  return name and not call.campaigns[tag] and redis.call('EXISTS', key.campaign(call, name)) == 0
end

-- How many bytes a new job with these fields takes, about: its record, its indexes, keys of tags of its own, and
-- the campaign that it begins.
function M.size(call, fields)
  local size = schema.bytes_of_a_job
  for _, value in pairs(fields) do
    size = size + #value * schema.bytes_of_a_byte
  end
  for tag in text.items(fields[field.tags]) do
    size = size + schema.bytes_of_a_tag + (begins_campaign(call, tag) and schema.bytes_of_a_campaign or 0)
  end
  return size
end

local function taken(call, name)
  return tonumber(redis.call('HGET', key.clients(call), name) or nil) or 0
end

-- What there is no room of for a request of these fields, `jobs` or `bytes`, or nil. `most_jobs` and
-- `most_bytes` are arguments of the operation; without them there is no end of room.
function M.lacks(call, client, fields)
  local args = call.args
  if not args.most_jobs then
    return nil
  end
  if taken(call, client .. JOBS) + 1 > tonumber(args.most_jobs) then
    return 'jobs'
  elseif taken(call, client .. BYTES) + M.size(call, fields) > tonumber(args.most_bytes) then
    return 'bytes'
  end
end

local function add(call, name, by)
  if redis.call('HINCRBY', key.clients(call), name, text.int(by)) <= 0 then
    redis.call('HDEL', key.clients(call), name)
  end
end

-- A job begins to wait (1) or is over with that (-1).
function M.count(call, job, by)
  local size = tonumber(job.fields[field.size])
  if size then
    local client = record.producer(job)
    add(call, client .. JOBS, by)
    add(call, client .. BYTES, by * size)
  end
end

return M
