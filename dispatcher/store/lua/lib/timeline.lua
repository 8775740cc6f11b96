-- The timeline of a job, a line each (lib/event_text.lua), in the fields t0, t1, …

local schema = require('schema')
local text = require('lib/text')
local record = require('lib/record')
local event_text = require('lib/event_text')

local M = {}

-- The first line of a job that is not written yet, among its fields.
function M.begin(fields, actor, why)
  fields.t0 = event_text.write(0, fields[schema.field.state], '', actor, why)
  fields[schema.field.events] = '1'
end

-- A clock that steps back, as after a failover, counts as standing still. The caller saves the job.
function M.add(call, job, actor, why)
  local ms = math.max(call.now - job.created, 0)
  record.set(job, 't' .. text.int(job.events), event_text.write(ms, job.state, job.reason, actor, why))
  job.events = job.events + 1
  record.set(job, schema.field.events, job.events)
end

return M
