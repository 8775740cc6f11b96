-- How many stand before a queued job, if nothing more urgent comes.
--
-- id
-- answer  nil where it does not stand in line, else {jobs before it, ms between two, ms until the next slot}

local schema = require('schema')
local pace = require('lib/pace')
local text = require('lib/text')
local lines = require('lib/lines')
local record = require('lib/record')
local limiter = require('lib/limiter')

local key = schema.key

-- Lines of one priority take turns, so that of each other one no more than `rank` go first.
local function before_in(call, priority, job, rank)
  local before, mine = 0, priority == job.priority
  for _, line in ipairs(lines.all(call, priority)) do
    if not mine or line ~= lines.of(job) then
      local waiting = redis.call('ZCARD', key.ready(call, priority, line))
      before = before + (mine and math.min(waiting, rank) or waiting)
    end
  end
  return before
end

local function count_before(call, job)
  local rank = redis.call('ZRANK', key.ready(call, job.priority, lines.of(job)), job.id)
  if not rank then
    return 0 -- a worker sets its calling window
  end
  local before = rank
  for _, priority in ipairs(schema.priorities) do
    before = before + before_in(call, priority, job, rank)
    if priority == job.priority then
      return before
    end
  end
end

local function run(call)
  local job = record.load(call, call.args.id)
  if not job or job.state ~= 'queued' then
    return nil
  end
  local spacing = limiter.rate(call) and text.exact(limiter.mean_spacing(call)) or '0'
  return { count_before(call, job), spacing, text.exact(math.max(0, limiter.next_slot(call) - pace.time(call))) }
end

return { run = run, flags = { 'no-writes' } }
