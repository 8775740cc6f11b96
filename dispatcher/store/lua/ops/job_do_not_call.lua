-- Which number of a job the do-not-call list keeps from being called now.
--
-- id
-- answer  its digits, or ''

local record = require('lib/record')
local do_not_call = require('lib/do_not_call')

local function run(call)
  local job = record.load(call, call.args.id)
  return job and do_not_call.refuses(call, job) or ''
end

return { run = run, flags = { 'no-writes' } }
