-- A bulk action, as it stands.
--
-- Retention: previewed for an hour, ended for KEPT; the index bulk_actions goes by the same.

local schema = require('schema')
local text = require('lib/text')
local audit = require('lib/audit')

local M = {}

local key, field = schema.key, schema.bulk
local KEPT = 30 * 86400000 -- ms

function M.name(call)
  return key.bulk_action(call, call.args.id)
end

function M.ids(call)
  return key.bulk_action_ids(call, call.args.id, 'ids')
end

function M.read(call)
  return text.pairs_of(redis.call('HGETALL', M.name(call)))
end

-- Nobody else drives it within so many ms.
function M.lease(call, lease)
  redis.call('ZADD', key.bulk_actions_running(call), call.now + lease, call.args.id)
end

-- Ends it as `done` or `stopped`; returns how many jobs are left as they are.
function M.close(call, state)
  local remaining = redis.call('LLEN', M.ids(call))
  redis.call('HSET', M.name(call), field.state, state, field.ended, text.int(call.now),
    field.remaining, remaining)
  redis.call('ZREM', key.bulk_actions_running(call), call.args.id)
  redis.call('DEL', M.ids(call))
  redis.call('PEXPIRE', M.name(call), KEPT)
  redis.call('ZREMRANGEBYSCORE', key.bulk_actions(call), '-inf', call.now - KEPT)
  return remaining
end

-- Ends it, and writes down what came of it.
function M.finish(call, bulk, state, actor, note)
  local facts = { action = call.args.id, selected = tonumber(bulk.selected), remaining = M.close(call, state),
    priority = cjson.decode(bulk.options).priority }
  for name, value in pairs(M.read(call)) do
    local refusal = string.match(name, '^skipped:(.*)$')
    if refusal or name == field.done then
      facts[refusal or name] = tonumber(value)
    end
  end
  audit.write(call, actor, bulk.action .. '.' .. state, bulk.selection, note, facts)
end

return M
