-- How a new job comes in: what a request fills of its record, where it stands, and whom that is told.
--
-- A row is { id, priority (none: the usual one), due (ms since the epoch, or +ms from now; none: now), expires (the
-- same, or none), message (of the call task, or none), fields } where `fields` are those of the record that a request fills. Arguments
-- of the operation that matter here: most_jobs, most_bytes, durable (see ops/enqueue.lua).

local schema = require('schema')
local text = require('lib/text')
local audit = require('lib/audit')
local moves = require('lib/moves')
local clients = require('lib/clients')
local counters = require('lib/counters')
local indexing = require('lib/indexing')
local places = require('lib/places')
local recipients = require('lib/recipients')
local record = require('lib/record')
local existing = require('lib/existing')
local messages = require('lib/messages')
local campaigns = require('lib/campaigns')
local languages = require('lib/languages')
local timeline = require('lib/timeline')

local field = schema.field
local REFUSED = 'listed:'

local M = {}

local function moment(call, value)
  if value and string.sub(value, 1, 1) == '+' then
    return call.now + tonumber(string.sub(value, 2))
  end
  return tonumber(value)
end

local function producer(call, actor)
  if call.actor ~= actor then
    call.actor, call.producer = actor, string.sub(text.one_word(actor), 1, schema.longest_producer)
  end
  return call.producer
end

local function index(call, job)
  local tags = job.fields[field.tags]
  if tags then
    for tag in text.items(tags) do
      indexing.add(call, 'by_tag', tag, call.now, job.id)
    end
  end
  recipients.add(call, job.id, job.fields[field.to])
end

-- Somebody may be called who does not want to be: it is written down who asked for that.
local function note_exemption(call, row, actor)
  if row.fields[field.dnc] == 'exempt' then
    audit.write(call, actor, 'dnc.exempt', 'job:' .. row.id, '', {})
    return 'exempt from the do-not-call list'
  end
end

local function set_moments(call, row, fields)
  local due, expires = row.due and moment(call, row.due), moment(call, row.expires)
  local waits = due and due > call.now
  fields[field.state] = waits and 'scheduled' or 'queued'
  fields[field.created] = text.int(call.now)
  fields[field.due] = waits and text.int(due) or nil
  if expires then
    fields[field.expires], fields[field.lifetime] = text.int(expires), text.int(expires - call.now)
  end
end

local function create(call, row, actor, size)
  local fields = row.fields
  set_moments(call, row, fields)
  fields[field.size] = size and text.int(size)
  fields[field.priority] = row.priority
  fields[field.language] = languages.of(call, fields)
  fields[field.messages] = row.message
  timeline.begin(fields, actor, note_exemption(call, row, actor))
  local job = record.create(call, row.id, fields)
  job.producer = producer(call, actor)
  return job
end

-- Who wrote the job may withdraw it: not now that somebody else is told that it is there.
local function keep(call, id)
  local job = record.load(call, id)
  if schema.waiting[job.state] and job.spent == 0 then
    record.set(job, field.asked_again, 1)
    record.save(job)
  end
end

local function find(call, row)
  local answer = existing.find(call, row.id, row.fields[field.fingerprint])
  if call.args.durable and answer == 'same' then
    keep(call, row.id)
  end
  if row.message and answer == 'same' then
    messages.add(call, row.id, row.message)
  elseif row.message and answer == 'new' and messages.was_purged(call, row.message) then
    return 'purged'
  end
  return existing.allowed(call, answer, row)
end

-- Writes one job, once for its id; answers what became of it.
function M.write(call, row, actor)
  local answer = find(call, row)
  local size = answer == 'new' and call.args.most_jobs and clients.size(call, row.fields) or nil
  local lacking = size and clients.lacks(call, producer(call, actor), size)
  if answer ~= 'new' or lacking then
    if string.sub(answer, 1, #REFUSED) == REFUSED then
      counters.add(call, 'do_not_call.enqueue')
    end
    return lacking or answer
  end
  local job = create(call, row, actor, size)
  index(call, job)
  places.arrive(call, job, job.state == 'scheduled' and job.due or job.expires)
  campaigns.accept(call, job)
  moves.announce(call, job)
  return answer
end

return M
