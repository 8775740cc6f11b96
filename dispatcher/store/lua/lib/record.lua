-- A job's record. A loaded job has numbers where Lua counts, and `fields`: the record as it is to be kept.
-- `changed` is what was set since it was read, field, value, …, and `removed` what was taken away: `save` writes
-- both in one go.
-- A long value is cut into pieces: `say`, `say~1`, `say~2`, …

local schema = require('schema')
local text = require('lib/text')
local event_text = require('lib/event_text')

local M = {}

local key, field, attempt = schema.key, schema.field, schema.attempt
local NORMAL = schema.default_priority
local CAMPAIGN = ',(' .. schema.campaign_mark .. '[^,]+)'
local PIECE, MARK = schema.longest_piece, schema.piece_mark

-- Moments of an attempt that are kept as ms since the job's creation.
local SINCE_CREATION = { sent = true, ended = true }

local function of(name, id, fields)
  local created = tonumber(fields[field.created])
  return {
    id = id, key = name, fields = fields, changed = {}, removed = {},
    state = fields[field.state], reason = fields[field.reason] or '', hold = fields[field.hold],
    priority = fields[field.priority] or NORMAL, tariff = fields[field.tariff], created = created,
    due = tonumber(fields[field.due]) or created,
    expires = tonumber(fields[field.expires]), lifetime = tonumber(fields[field.lifetime]),
    attempts = tonumber(fields[field.attempts]) or 0, spent = tonumber(fields[field.spent]) or 0,
    events = tonumber(fields[field.events]) or 0,
  }
end

-- The job, or nil where there is none.
function M.load(call, id)
  local name = key.job(call, id)
  local job = of(name, id, text.pairs_of(redis.call('HGETALL', name)))
  return job.state and job or nil
end

-- The whole value of a field, or nil: a piece that is not full is the last.
function M.get(job, name)
  local part = job.fields[name]
  local value, piece = part, 0
  while part and #part == PIECE do
    piece = piece + 1
    part = job.fields[name .. MARK .. piece]
    value = value .. (part or '')
  end
  return value
end

-- The whole value of a field of a job that is not loaded, of which the first piece was read; nil: it has none.
function M.whole(call, id, name, part)
  local value, piece = part or nil, 0
  while part and #part == PIECE do
    piece = piece + 1
    part = redis.call('HGET', key.job(call, id), name .. MARK .. piece)
    value = value .. (part or '')
  end
  return value
end

-- Who asked for the job: the first line of the timeline says it, as soon as there is one.
function M.producer(job)
  job.producer = job.producer or string.sub(event_text.actor(job.fields.t0), 1, schema.longest_producer)
  return job.producer
end

local latest = {} -- the tags that were looked at last, and the campaign: mostly the next job's, too

local function campaign_of(tags)
  if tags ~= latest.tags then
    latest.tags, latest.campaign = tags, string.match(',' .. tags, CAMPAIGN)
  end
  return latest.campaign
end

-- The campaign that the job is of, by its first tag of that kind: `campaign:<name>`, or nil.
function M.campaign(job)
  if job.campaign == nil then
    local tags = M.get(job, field.tags)
    job.campaign = tags and campaign_of(tags) or false
  end
  return job.campaign or nil
end

-- Whose turn it is when the job's comes, among those that are ready: the campaign's, or else the producer's.
function M.line(job)
  return M.campaign(job) or M.producer(job)
end

local function write(job, name, value)
  local changed = job.changed
  job.fields[name] = value
  changed[#changed + 1] = name
  changed[#changed + 1] = value
end

local function drop(job, name)
  job.fields[name] = nil
  job.removed[#job.removed + 1] = name
end

local function drop_pieces(job, name, piece)
  while job.fields[name .. MARK .. piece] do
    drop(job, name .. MARK .. piece)
    piece = piece + 1
  end
end

local function set_pieces(job, name, value)
  write(job, name, string.sub(value, 1, PIECE))
  local piece = 1
  while #value > piece * PIECE do
    write(job, name .. MARK .. piece, string.sub(value, piece * PIECE + 1, (piece + 1) * PIECE))
    piece = piece + 1
  end
  drop_pieces(job, name, piece)
end

function M.set(job, name, value)
  if type(value) == 'number' then
    value = text.int(value)
  end
  local fields = job.fields
  local before = fields[name]
  if #value >= PIECE or (before and #before >= PIECE) then
    set_pieces(job, name, value)
  elseif before ~= value then
    local changed = job.changed
    local many = #changed
    fields[name], changed[many + 1], changed[many + 2] = value, name, value
  end
end

local function append(flat, many, name, value)
  local piece = 0
  repeat
    local part = string.sub(value, piece * PIECE + 1, (piece + 1) * PIECE)
    flat[many + 1], flat[many + 2] = piece == 0 and name or name .. MARK .. piece, part
    piece, many = piece + 1, many + 2
  until #value <= piece * PIECE
  return many
end

-- Writes the record of a new job, and answers the job. Its fields stay whole. The list that goes to Redis is made once
-- for all jobs of an operation, since to have one grow takes longer than to fill it.
function M.create(call, id, fields)
  local name, flat, many = key.job(call, id), call.record_list or {}, 0
  call.record_list = flat
  for each, value in pairs(fields) do
    if #value <= PIECE then
      flat[many + 1], flat[many + 2] = each, value
      many = many + 2
    else
      many = append(flat, many, each, value)
    end
  end
  redis.call('HSET', name, unpack(flat, 1, many))
  return of(name, id, fields)
end

-- What follows from the rest of the record is not kept: it was due when it was created, its priority is the
-- usual one.
function M.set_due(job, due)
  job.due = due
  if due == job.created then
    M.remove(job, field.due)
  else
    M.set(job, field.due, due)
  end
end

function M.set_priority(job, priority)
  job.priority = priority
  if priority == NORMAL then
    M.remove(job, field.priority)
  else
    M.set(job, field.priority, priority)
  end
end

-- When the job ended, in ms since the epoch, or nil.
function M.finished(job)
  local since = tonumber(job.fields[field.finished])
  return since and job.created + since
end

function M.set_finished(job, at)
  M.set(job, field.finished, at - job.created)
end

function M.remove(job, name)
  local value = job.fields[name]
  if value then
    drop(job, name)
    if #value >= PIECE then
      drop_pieces(job, name, 1)
    end
  end
end

local of_attempts = {} -- attempt -> name -> field: the same few again and again

local function names_of_attempt(n)
  local names = {}
  for name, letters in pairs(attempt) do
    names[name] = text.int(n) .. letters
  end
  of_attempts[n] = names
  return names
end

-- The name of an attempt's field in the record.
function M.of_attempt(n, name)
  return (of_attempts[n] or names_of_attempt(n))[name]
end

function M.get_attempt(job, n, name)
  local value = M.get(job, M.of_attempt(n, name))
  return value and SINCE_CREATION[name] and text.int(job.created + value) or value
end

function M.set_attempt(job, n, name, value)
  M.set(job, M.of_attempt(n, name), SINCE_CREATION[name] and value - job.created or value)
end

function M.remove_attempt(job, n, name)
  M.remove(job, M.of_attempt(n, name))
end

-- A field that was removed and set again since stays.
local function gone(job)
  local names = {}
  for _, name in ipairs(job.removed) do
    if not job.fields[name] then
      names[#names + 1] = name
    end
  end
  return names
end

function M.save(job)
  if job.changed[1] then
    redis.call('HSET', job.key, unpack(job.changed))
    job.changed = {}
  end
  local names = job.removed[1] and gone(job)
  if names and names[1] then
    redis.call('HDEL', job.key, unpack(names))
    job.removed = {}
  end
end

-- The record as one text, JSON: to answer with each field by itself would take several times as long. Its
-- bytes are those that are kept; a piece may end within a character.
function M.to_json(job)
  return cjson.encode(job.fields)
end

return M
