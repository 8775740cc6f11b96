-- Starts a bulk action that was previewed; once, however often it is asked for.
--
-- id, actor, note
-- lease   ms for which nobody else drives it
-- answer  'started' | 'running' (it was started before) | 'gone' (never previewed, or too long ago)

local schema = require('schema')
local bulk = require('lib/bulk')
local text = require('lib/text')
local audit = require('lib/audit')

local field = schema.bulk

local function run(call)
  local args, found = call.args, bulk.read(call)
  if not found.state then
    return 'gone'
  elseif found.state ~= 'previewed' then
    return 'running'
  end
  redis.call('HSET', bulk.name(call), field.state, 'running', field.actor, args.actor, field.note, args.note,
    field.started, text.int(call.now))
  redis.call('ZADD', schema.key.bulk_actions(call), call.now, args.id)
  if redis.call('EXISTS', bulk.ids(call)) == 0 then
    bulk.close(call, 'done') -- nothing was selected: nobody did anything
    return 'started'
  end
  redis.call('PERSIST', bulk.name(call))
  redis.call('PERSIST', bulk.ids(call))
  bulk.lease(call, args.lease)
  audit.write(call, args.actor, found.action, found.selection, args.note, {
    action = args.id, matched = tonumber(found.matched), selected = tonumber(found.selected),
    credits = tonumber(found.expected_credits), priority = cjson.decode(found.options).priority,
  })
  return 'started'
end

return { run = run }
