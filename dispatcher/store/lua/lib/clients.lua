-- What waits of each client of the HTTP API: how many jobs, and how many bytes they take, about. A job that
-- counts has the field `size`; those of other producers have none, and are as many as they like.

local schema = require('schema')
local text = require('lib/text')
local record = require('lib/record')
local hashes = require('lib/hashes')

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

local function taken(call, name)
  return tonumber(hashes.get(call, key.clients(call), name) or nil) or 0
end

-- What there is no room of for a job of this size, `jobs` or `bytes`, or nil. `most_jobs` and `most_bytes` are
-- arguments of the operation.
function M.lacks(call, client, size)
  local args = call.args
  if taken(call, client .. JOBS) + 1 > tonumber(args.most_jobs) then
    return 'jobs'
  elseif taken(call, client .. BYTES) + size > tonumber(args.most_bytes) then
    return 'bytes'
  end
end

local function add(call, name, by)
  local left = taken(call, name) + by
  hashes.set(call, key.clients(call), name, left > 0 and text.int(left))
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
