-- Jobs that are not to be dialled before a moment: into line when it has come.

local schema = require('schema')
local moves = require('lib/moves')
local places = require('lib/places')
local damaged = require('lib/damaged')
local entries = require('lib/entries')

local M = {}

local function queue_one(call, job)
  moves.queue(call, job, { actor = 'dispatcher', why = 'due' })
end

-- Answers how many came, `most` at most, the earliest first.
function M.queue(call, most)
  local jobs = places.come(call, 'scheduled', most)
  damaged.try_each(call, schema.key.due(call, 'scheduled'), jobs, queue_one)
  return #jobs
end

-- In how many ms the next one is due, or nil.
function M.next_in(call)
  local index = schema.key.due(call, 'scheduled')
  entries.write_of(call, index)
  local at = redis.call('ZRANGE', index, '0', '0', 'WITHSCORES')[2]
  return at and math.max(1, at - call.now)
end

return M
