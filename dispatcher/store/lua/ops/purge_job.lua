-- Removes an ended job and everything that points to it. What is left is for a while, which of the call task's
-- messages asked for it (lib/messages.lua).
--
-- id
-- before  ms since the epoch: only if it ended before
-- answer  1 if it is gone

local record = require('lib/record')
local removal = require('lib/removal')
local messages = require('lib/messages')
local campaigns = require('lib/campaigns')

local function run(call)
  local job = record.load(call, call.args.id)
  local finished = job and record.finished(job)
  if not finished or finished >= tonumber(call.args.before) then
    return 0
  end
  messages.leave(call, job)
  removal.remove(call, job)
  campaigns.purge(call, job)
  return 1
end

return { run = run, flags = { 'allow-oom' } }
