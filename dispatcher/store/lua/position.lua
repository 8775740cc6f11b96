-- uses _limiter.lua
-- How many stand before a queued job, if nothing more urgent comes.
--
-- ARGV[2]  id
-- answer   nil where it does not stand in line, else {jobs before it, ms between two, ms until the next slot}

local job = load(ARGV[2])
if not job or job.state ~= 'queued' then
  return nil
end

local before = redis.call('ZCARD', key('fed'))
local rank = redis.call('ZRANK', ready_key(job), job.id)
if rank then
  before = before + rank
  for _, priority in ipairs(PRIORITIES) do
    local mine = priority == job.prio
    for _, line in ipairs(redis.call('ZRANGE', key('lines', priority), 0, -1)) do
      if not mine or line ~= job.line then
        local waiting = redis.call('ZCARD', key('ready', priority, line))
        -- Lines of one priority take turns, so that of each other one no more than `rank` go first.
        before = before + (mine and math.min(waiting, rank) or waiting)
      end
    end
    if mine then
      break
    end
  end
else
  before = 0 -- its message is out
end
return { before, RATE and exact(spacing()) or '0', exact(math.max(0, math.max(PACE.tat, PACE.blocked) - EXACT)) }
