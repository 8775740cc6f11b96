-- A job's record. A loaded job has numbers where Lua counts, `fields` (the record as it is kept), and
-- `changes` (what `save` writes in one go: a value, or false for a field that goes).
-- A long value is cut into pieces: `say`, `say~1`, `say~2`, …

local schema = require('schema')
local text = require('lib/text')

local M = {}

local key, field, attempt = schema.key, schema.field, schema.attempt
local PIECE, MARK = schema.longest_piece, schema.piece_mark

local function number(fields, name)
  return tonumber(fields[name] or nil)
end

-- Who asked for the job: the first line of the timeline says it.
local function producer_of(fields)
  return string.sub(string.match(fields.t0 or '', '^%S+ %S+ (%S+)') or '', 1, schema.longest_producer)
end

function M.new(id, fields)
  return {
    id = id, fields = fields, changes = {},
    state = fields[field.state], reason = fields[field.reason] or '', hold = fields[field.hold],
    priority = fields[field.priority], tariff = fields[field.tariff], producer = producer_of(fields),
    created = number(fields, field.created), due = number(fields, field.due),
    expires = number(fields, field.expires), lifetime = number(fields, field.lifetime),
    attempts = number(fields, field.attempts), spent = number(fields, field.spent),
    events = number(fields, field.events),
  }
end

-- The job, or nil where there is none.
function M.load(call, id)
  local fields = text.pairs_of(redis.call('HGETALL', key.job(call, id)))
  if fields[field.state] then
    return M.new(id, fields)
  end
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

local function change(job, name, value)
  if (job.fields[name] or false) ~= value then
    job.fields[name] = value or nil
    job.changes[name] = value
  end
end

local function drop_pieces(job, name, piece)
  while job.fields[name .. MARK .. piece] do
    change(job, name .. MARK .. piece, false)
    piece = piece + 1
  end
end

function M.set(job, name, value)
  if type(value) == 'number' then
    value = text.int(value)
  end
  change(job, name, string.sub(value, 1, PIECE))
  local piece = 1
  while #value > piece * PIECE do
    change(job, name .. MARK .. piece, string.sub(value, piece * PIECE + 1, (piece + 1) * PIECE))
    piece = piece + 1
  end
  drop_pieces(job, name, piece)
end

function M.remove(job, name)
  if job.fields[name] then
    change(job, name, false)
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

function M.save(call, job)
  local set, gone = {}, {}
  for name, value in pairs(job.changes) do
    if value then
      set[#set + 1] = name
      set[#set + 1] = value
    else
      gone[#gone + 1] = name
    end
  end
  if set[1] then
    redis.call('HSET', key.job(call, job.id), unpack(set))
  end
  if gone[1] then
    redis.call('HDEL', key.job(call, job.id), unpack(gone))
  end
  job.changes = {}
end

-- field, value, … as Python reads a record
function M.flat(job)
  local flat = {}
  for name, value in pairs(job.fields) do
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  return flat
end

return M
