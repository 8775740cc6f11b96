-- A line of a job's timeline as it is kept: <ms since creation><state's letter>[:<reason>] <actor> <why>. An
-- actor that acts often is a letter, every other is OTHER and a name of one word. event_text.py reads it, too.

local schema = require('schema')
local text = require('lib/text')

local M = {}

local STATES, ACTORS, OTHER = schema.state_letters, schema.actor_letters, schema.other_actor
local STATE_OF, ACTOR_OF = schema.states_by_letter, schema.actors_by_letter

function M.write(ms, state, reason, actor, why)
  local who = ACTORS[actor] or OTHER .. text.one_word(actor)
  local line = text.int(ms) .. text.kind(STATES[state], reason) .. ' ' .. who
  return why and why ~= '' and line .. ' ' .. why or line
end

function M.ms(line)
  return tonumber(string.match(line, '^%d+'))
end

function M.state(line)
  return STATE_OF[string.match(line, '^%d+(%l)')]
end

function M.actor(line)
  local actor = string.match(line, '^%S+ (%S+)')
  return ACTOR_OF[actor] or string.sub(actor, #OTHER + 1)
end

return M
