-- A job whose record was damaged, by hand or by a bug, stops no other: what fails for it is told, and tried again
-- after a while.

local schema = require('schema')
local events = require('lib/events')
local entries = require('lib/entries')
local counters = require('lib/counters')

local M = {}

local key, field = schema.key, schema.field
M.AGAIN = 15000 -- ms until it is tried again

-- What a server says that refuses a command to everybody: that is no job's fault, and ends the operation.
local OF_THE_SERVER = {
  'NOPERM', 'OOM ', 'READONLY', 'MISCONF', 'NOREPLICAS', 'The user executing the script', 'ACL failure in script',
}

local function words_of(failure)
  return type(failure) == 'table' and failure.err or tostring(failure)
end

local function is_of_the_server(words)
  for _, begins in ipairs(OF_THE_SERVER) do
    if string.find(words, begins, 1, true) then
      return true
    end
  end
end

local function judged(call, id, done, answer, ...)
  if done then
    return true, answer, ...
  end
  local words = words_of(answer)
  if is_of_the_server(words) then
    error({ err = words })
  end
  counters.add(call, 'damaged_jobs')
  events.tell(call, 'job.damaged', { job = id, why = string.sub(words, 1, 200), at = call.now })
  return false
end

-- Does step(call, …) for the job of this id. Answers true and what the step answers, or false where it failed.
function M.try(call, id, step, ...)
  return judged(call, id, pcall(step, call, ...))
end

-- Does step(call, job) for each of these jobs of an index by moments, in which one that fails waits: it had left
-- it, perhaps, and is still of the state that it is there for.
function M.try_each(call, index, jobs, step)
  for _, job in ipairs(jobs) do
    local state = job.state
    if not M.try(call, job.id, step, job) and redis.call('HGET', key.job(call, job.id), field.state) == state then
      entries.put(call, index, call.now + M.AGAIN, job.id)
    end
  end
end

return M
