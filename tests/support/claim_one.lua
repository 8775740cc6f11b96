-- Claims one job, whose turn it may not be: tests look in this way at what forbids a call.
--
-- id, token, lease, actor, provider, reading, passed: as of `take`
-- answer  'gone' | state (nothing to do) | {'wait', ms} | {'hours', text, record} | {'day', zone} |
--         {what it is booked by, attempt, record}

local schema = require('schema')
local pace = require('lib/pace')
local text = require('lib/text')
local config = require('lib/config')
local record = require('lib/record')
local limiter = require('lib/limiter')
local claiming = require('lib/claiming')

local function granted(call, job, at)
  return { limiter.rate(call) and text.micros(at) or '', job.attempts, record.to_json(job), pace.reading(call) }
end

local function claim(call, job)
  local what, hours = claiming.forbids(call, job)
  if what == 'hours' then
    return { 'hours', hours, record.to_json(job) }
  elseif what == 'day' then
    return { 'day', config.get(call, schema.config.zone) }
  elseif what then
    return job.state
  end
  local at, again = limiter.next_request(call, 0)
  if not at then
    return { 'wait', text.exact(again) }
  end
  limiter.book(call, at, job.id)
  claiming.claim(call, job)
  return granted(call, job, at)
end

local function run(call)
  pace.follow(call)
  local job = record.load(call, call.args.id)
  if not job then
    return 'gone'
  elseif job.state == 'dialing' and job.fields[schema.field.token] == call.args.token then
    return granted(call, job, pace.time(call))
  elseif job.state ~= 'queued' then
    return job.state
  end
  local answer = claim(call, job)
  pace.save(call)
  return answer
end

return { run = run }
