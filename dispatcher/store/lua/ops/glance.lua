-- As much of some jobs as a filter looks at.
--
-- ids     a JSON list
-- tag     left out: not asked for
-- answer  for each job {state, reason, numbers, first line of the timeline, 1 if it has the tag}, '' for what it
--         has not; of one that is gone the state is ''

local schema = require('schema')
local text = require('lib/text')
local record = require('lib/record')

local key, field = schema.key, schema.field

local function glance(call, id, tag)
  local state, reason, to, first, tags = unpack(
    redis.call('HMGET', key.job(call, id), field.state, field.reason, field.to, 't0', field.tags))
  to = record.whole(call, id, field.to, to)
  local has = tag and text.has(record.whole(call, id, field.tags, tags), tag)
  return { state or '', reason or '', to or '', first or '', has and 1 or 0 }
end

local function run(call)
  local answer = {}
  for i, id in ipairs(cjson.decode(call.args.ids)) do
    answer[i] = glance(call, id, call.args.tag)
  end
  return answer
end

return { run = run, flags = { 'no-writes' } }
