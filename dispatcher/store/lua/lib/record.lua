-- A job's record. A loaded job has numbers where Lua counts, and `fields`: the record as it is to be kept.
-- `flat` is what was read, field, value, …, and after it what was set since: `save` writes in one go what
-- stands behind `saved`, and takes away what is `removed`.
-- A long value is cut into pieces: `say`, `say~1`, `say~2`, …

local schema = require('schema')
local text = require('lib/text')

local M = {}

local key, field, attempt = schema.key, schema.field, schema.attempt
local PIECE, MARK = schema.longest_piece, schema.piece_mark

local function number(fields, name)
  return tonumber(fields[name] or nil)
end

function M.new(id, flat)
  local fields = text.pairs_of(flat)
  return {
    id = id, fields = fields, flat = flat, saved = #flat, removed = {},
    state = fields[field.state], reason = fields[field.reason] or '', hold = fields[field.hold],
    priority = fields[field.priority], tariff = fields[field.tariff], created = number(fields, field.created), due = number(fields, field.due),
    expires = number(fields, field.expires), lifetime = number(fields, field.lifetime),
    attempts = number(fields, field.attempts) or 0, spent = number(fields, field.spent) or 0,
    events = number(fields, field.events),
  }
end

-- The job, or nil where there is none.
function M.load(call, id)
  local job = M.new(id, redis.call('HGETALL', key.job(call, id)))
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

-- Who asked for the job: the first line of the timeline says it, as soon as there is one.
function M.producer(job)
  return job.producer or string.sub(string.match(job.fields.t0, '^%S+ %S+ (%S+)'), 1, schema.longest_producer)
end

local function write(job, name, value)
  if job.fields[name] ~= value then
    job.fields[name] = value
    local flat = job.flat
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
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

function M.set(job, name, value)
  if type(value) == 'number' then
    value = text.int(value)
  end
  local before = job.fields[name]
  if #value < PIECE and (not before or #before < PIECE) then
    return write(job, name, value)
  end
  write(job, name, string.sub(value, 1, PIECE))
  local piece = 1
  while #value > piece * PIECE do
    write(job, name .. MARK .. piece, string.sub(value, piece * PIECE + 1, (piece + 1) * PIECE))
    piece = piece + 1
  end
  drop_pieces(job, name, piece)
end

function M.remove(job, name)
  if job.fields[name] then
    drop(job, name)
    drop_pieces(job, name, 1)
  end
end

-- The name of an attempt's field in the record.
function M.of_attempt(n, name)
  return text.int(n) .. '.' .. attempt[name]
end

function M.get_attempt(job, n, name)
  return M.get(job, M.of_attempt(n, name))
end

function M.set_attempt(job, n, name, value)
  M.set(job, M.of_attempt(n, name), value)
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

function M.save(call, job)
  if #job.flat > job.saved then
    redis.call('HSET', key.job(call, job.id), unpack(job.flat, job.saved + 1))
    job.saved = #job.flat
  end
  local names = job.removed[1] and gone(job)
  if names and names[1] then
    redis.call('HDEL', key.job(call, job.id), unpack(names))
  end
  job.removed = {}
end

-- The record as one text, JSON: to answer with each field by itself would take several times as long. Its
-- bytes are those that are kept; a piece may end within a character.
function M.to_json(job)
  return cjson.encode(job.fields)
end

return M
