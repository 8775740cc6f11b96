-- Moves on what time alone moves on: due jobs into line, overdue ones to their end, those that a worker left
-- aside back into line, and held jobs out of holds that have ended.
--
-- most    of each kind in this call
-- answer  {due, overdue, set aside, released}: how many of each

local schema = require('schema')
local due = require('lib/due')
local holds = require('lib/holds')
local moves = require('lib/moves')
local budget = require('lib/budget')
local places = require('lib/places')
local damaged = require('lib/damaged')
local limiter = require('lib/limiter')
local release = require('lib/release')
local spending = require('lib/spending')
local unusual = require('lib/unusual')

local function expire(call, state, why, most)
  local jobs = places.come(call, state, most)
  damaged.try_each(call, schema.key.due(call, state), jobs, function(_, job)
    if moves.overdue(call, job) then
      moves.move(call, job, 'expired', { actor = 'dispatcher', why = why })
    else
      places.wait_for_deadline(call, job) -- 0.1.0 kept here when its message counts as lost
    end
  end)
  return #jobs
end

-- Those whose worker left them: answers how many, `most` at most.
local function end_setting_aside(call, most)
  local jobs = places.left_aside(call, most)
  damaged.try_each(call, schema.key.set_aside(call), jobs, places.stand_in_line_anew)
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
  local most = tonumber(call.args.most)
  local queued = due.queue(call, most)
  local expired = expire(call, 'queued', 'the deadline passed before it was dialled', most)
  expired = expired + expire(call, 'held', 'the deadline passed while it was held', most)
  local aside = end_setting_aside(call, most)
  look_for_room(call)
  unusual.judge_spending(call)
  holds.end_lost_probes(call)
  limiter.drop_lost_connections(call)
  return { queued, expired, aside, release.held_jobs(call, most) }
end

return { run = run }
