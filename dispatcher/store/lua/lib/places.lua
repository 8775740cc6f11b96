-- Where a job stands: in the indexes, in line, among the held, and by the moment something happens next.

local schema = require('schema')
local sums = require('lib/sums')
local text = require('lib/text')
local clock = require('lib/clock')
local indexing = require('lib/indexing')
local lines = require('lib/lines')
local record = require('lib/record')
local entries = require('lib/entries')
local damaged = require('lib/damaged')
local clients = require('lib/clients')

local M = {}

local key, field = schema.key, schema.field

-- What waits is counted by what it will cost, so that a forecast need not look at every job, and by client.
local function count_waiting(call, job, by)
  if schema.waiting[job.state] then
    clients.count(call, job, by)
    if job.tariff then
      sums.add(call, key.waiting(call), job.state .. ':' .. job.tariff, by)
    end
  end
end

local function come_into_index(call, job)
  local kind = text.kind(job.state, job.reason)
  if schema.calling[kind] then
    entries.put(call, key.by_state_page(call, kind, ''), text.int(job.created), job.id)
  else
    indexing.add(call, 'by_state', kind, job.fields[field.created], job.id)
  end
end

local function leave_index(call, job)
  local kind = text.kind(job.state, job.reason)
  if schema.calling[kind] then
    entries.remove(call, key.by_state_page(call, kind, ''), job.id)
  else
    indexing.remove(call, 'by_state', kind, job.fields[field.created], job.id)
  end
end

function M.leave(call, job)
  count_waiting(call, job, -1)
  leave_index(call, job)
  entries.remove(call, key.due(call, job.state), job.id)
  if job.state == 'queued' then
    if not lines.leave(call, job) then
      redis.call('ZREM', key.set_aside(call), job.id)
    end
  elseif job.state == 'held' then
    redis.call('ZREM', key.held(call, job.hold, job.priority), job.id)
  end
end

function M.arrive(call, job, next_at)
  count_waiting(call, job, 1)
  come_into_index(call, job)
  if next_at then
    entries.put(call, key.due(call, job.state), text.int(next_at), job.id)
  end
  if job.state == 'queued' then
    lines.join(call, job)
  elseif job.state == 'held' then
    redis.call('ZADD', key.held(call, job.hold, job.priority), math.min(job.due, call.now), job.id)
    redis.call('SADD', key.holds_used(call), job.hold)
  end
end

local SET_ASIDE = 15000 -- ms that a worker has to set a calling window; then the job stands in line anew

-- Out of its line, so that others have their turn meanwhile.
function M.set_aside(call, job)
  lines.leave(call, job)
  redis.call('ZADD', key.set_aside(call), call.now + SET_ASIDE, job.id)
end

-- The same, of one whose record may be damaged: out of the line that it was found in.
function M.put_aside(call, id, ready)
  redis.call('ZREM', ready, id)
  redis.call('ZADD', key.set_aside(call), call.now + SET_ASIDE, id)
end

function M.stand_in_line_anew(call, job)
  lines.join(call, job)
  redis.call('ZREM', key.set_aside(call), job.id)
end

-- Those whose worker left them, `most` at most.
function M.left_aside(call, most)
  local index = key.set_aside(call)
  clock.bound(call, index, SET_ASIDE, SET_ASIDE)
  return M.load_all(call, index, redis.call('ZRANGEBYSCORE', index, '-inf', call.now, 'LIMIT', 0, most))
end

local function wait_in_index(call, id, index)
  entries.put(call, index, call.now + damaged.AGAIN, id)
end

-- The job of this id, or nil. One whose record was deleted by hand leaves this index, and stops nothing. One that
-- no record can be read of, such as a key of another type, is put off: put_off(call, id, index), or later in the index.
function M.load(call, index, id, put_off)
  local read, job = damaged.try(call, id, record.load, id)
  if job then
    return job
  elseif read then
    entries.remove(call, index, id)
  else
    (put_off or wait_in_index)(call, id, index)
  end
end

function M.load_all(call, index, ids)
  local jobs = {}
  for _, id in ipairs(ids) do
    jobs[#jobs + 1] = M.load(call, index, id)
  end
  return jobs
end

-- Up to `most` jobs of a state (or `cost`) whose next moment has come, the earliest first.
function M.come(call, state, most)
  local index = key.due(call, state)
  entries.write_of(call, index)
  return M.load_all(call, index, redis.call('ZRANGEBYSCORE', index, '-inf', text.int(call.now), 'LIMIT', '0', text.int(most)))
end

-- All that happens to a job by time alone is its deadline, if it has one.
function M.wait_for_deadline(call, job)
  local index = key.due(call, job.state)
  if job.expires then
    entries.put(call, index, job.expires, job.id)
  else
    entries.remove(call, index, job.id)
  end
end

-- Has the cost of an ended job looked for after so many ms.
function M.schedule_cost_check(call, job, delay)
  record.set(job, field.cost_check, delay)
  entries.put(call, key.due(call, 'cost'), call.now + delay, job.id)
end

-- Ends that search. The caller saves the job.
function M.end_cost_check(call, job)
  entries.remove(call, key.due(call, 'cost'), job.id)
  record.remove(job, field.cost_check)
end

return M
