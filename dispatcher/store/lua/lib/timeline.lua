-- The timeline of a job, a line each: ms since its creation, state and reason, who (one word), why.

local schema = require('schema')
local text = require('lib/text')
local record = require('lib/record')

local M = {}

-- A clock that steps back, as after a failover, counts as standing still. The caller saves the job.
function M.add(call, job, actor, why)
  local at = text.int(math.max(call.now - job.created, 0))
  local line = at .. ' ' .. text.kind(job.state, job.reason) .. ' ' .. text.one_word(actor)
  if why and why ~= '' then
    line = line .. ' ' .. why
  end
  record.set(job, 't' .. text.int(job.events), line)
  job.events = job.events + 1
  record.set(job, schema.field.events, job.events)
end

return M
