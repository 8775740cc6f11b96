-- Takes back jobs that were written just now, and that too few replicas have: their producers are told that
-- they are not accepted. Calls are held, until enough replicas take in writes. Whoever was called stays, and
-- so does a job that was asked for again meanwhile.
--
-- ids     a JSON list
-- why
-- answer  for each 'gone', 'dialing' (ask again: its claim may be given back), 'calling' (somebody was called,
--         or may have been) or 'kept'

local schema = require('schema')
local holds = require('lib/holds')
local record = require('lib/record')
local removal = require('lib/removal')
local campaigns = require('lib/campaigns')

local function withdraw(call, id)
  local job = record.load(call, id)
  if not job then
    return 'gone'
  elseif job.state == 'dialing' then
    return 'dialing'
  elseif job.spent > 0 then
    return 'calling'
  elseif not schema.waiting[job.state] or record.get(job, schema.field.asked_again) then
    return 'kept'
  end
  removal.remove(call, job)
  campaigns.withdraw(call, job)
  return 'gone'
end

local function run(call)
  holds.start(call, 'replicas', call.args.why)
  local fates = {}
  for i, id in ipairs(cjson.decode(call.args.ids)) do
    fates[i] = withdraw(call, id)
  end
  return fates
end

return { run = run, flags = { 'allow-oom' } }
