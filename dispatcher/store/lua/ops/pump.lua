-- Moves on what time alone moves on: due jobs into line, overdue ones to their end, lost messages back
-- into line, and held jobs out of holds that have ended.
--
-- most    of each kind in this call
-- answer  {due, overdue, lost, released}: how many of each

local schema = require('schema')
local holds = require('lib/holds')
local moves = require('lib/moves')
local budget = require('lib/budget')
local config = require('lib/config')
local places = require('lib/places')
local limiter = require('lib/limiter')
local release = require('lib/release')
local spending = require('lib/spending')
local unusual = require('lib/unusual')

local function queue_due(call, most)
  local jobs = places.come(call, 'scheduled', most)
  for _, job in ipairs(jobs) do
    moves.queue(call, job, { actor = 'dispatcher', why = 'due' })
  end
  return #jobs
end

-- A queued job's moment is its deadline, or that by which its message counts as lost.
local function look_at_queued(call, most)
  local expired, lost = 0, 0
  for _, job in ipairs(places.come(call, 'queued', most)) do
    if moves.overdue(call, job) then
      moves.move(call, job, 'expired', { actor = 'dispatcher', why = 'the deadline passed before it was dialled' })
      expired = expired + 1
    else
      places.leave(call, job)
      places.arrive(call, job, job.expires)
      lost = lost + 1
    end
  end
  return expired, lost
end

local function expire_held(call, most)
  local jobs = places.come(call, 'held', most)
  for _, job in ipairs(jobs) do
    moves.move(call, job, 'expired', { actor = 'dispatcher', why = 'the deadline passed while it was held' })
  end
  return #jobs
end

-- Room may have come: a call under way cost less than was reserved, a day is over, a limit was raised.
local function look_for_room(call)
  budget.reconsider_credit(call)
  local standing, names = holds.all(call)
  for _, name in ipairs(names) do
    local scope = holds.limit_of(name)
    if scope and standing[name] then
      local left = spending.left_under(call, scope)
      if not left or left >= standing[name].required * schema.units then
        holds.finish(call, name, 'the spending limit has room again')
      end
    end
  end
end

local function run(call)
  config.read_all(call)
  local most = tonumber(call.args.most)
  local due = queue_due(call, most)
  local expired, lost = look_at_queued(call, most)
  expired = expired + expire_held(call, most)
  look_for_room(call)
  unusual.judge_spending(call)
  holds.end_lost_probes(call)
  limiter.drop_lost_connections(call)
  return { due, expired, lost, release.held_jobs(call, most) }
end

return { run = run }
