-- Does the next few jobs of a bulk action. What is taken from its list is done in the same step: whoever
-- drives it may die, and several may drive it, and each job is acted on once.
--
-- id
-- most    in this call
-- lease   ms for which nobody else drives it
-- answer  {state, how many are left}

local schema = require('schema')
local bulk = require('lib/bulk')
local record = require('lib/record')
local actions = require('lib/actions')

local function refuse(call, id, refusal)
  if redis.call('HINCRBY', bulk.name(call), 'skipped:' .. refusal, 1) <= schema.examples then
    local name = 'examples:' .. refusal
    local ids = redis.call('HGET', bulk.name(call), name)
    redis.call('HSET', bulk.name(call), name, (ids and ids .. ',' or '') .. id)
  end
end

-- Acts on one job; returns 1 where it did.
local function act(call, found, id, options)
  local action, job = actions[found.action], record.load(call, id)
  local refusal = not job and 'gone' or action.refuses(call, job, options)
  if refusal then
    refuse(call, id, refusal)
    return 0
  end
  action.perform(call, job, options, found.actor, found.note)
  return 1
end

local function run(call)
  local found = bulk.read(call)
  if found.state ~= 'running' then
    return { found.state or 'gone', 0 }
  end
  local options, done = cjson.decode(found.options), 0
  for _, id in ipairs(redis.call('LPOP', bulk.ids(call), call.args.most) or {}) do
    done = done + act(call, found, id, options)
  end
  redis.call('HINCRBY', bulk.name(call), schema.bulk.done, done)
  local left = redis.call('LLEN', bulk.ids(call))
  if left == 0 then
    bulk.finish(call, found, 'done', found.actor, found.note)
    return { 'done', 0 }
  end
  bulk.lease(call, call.args.lease)
  return { 'running', left }
end

return { run = run }
