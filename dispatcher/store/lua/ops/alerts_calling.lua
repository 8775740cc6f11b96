-- The open alerts whose chains called a number, the latest call first. The one that called last is
-- among them also where it has ended.
--
-- digits
-- most    jobs to the number that are looked at
-- answer  ids

local schema = require('schema')
local recipients = require('lib/recipients')

local key = schema.key

-- The jobs of alerts, and when they were made.
local function calls(call)
  local found = {}
  for _, id in ipairs(recipients.find(call, call.args.digits, call.args.most)) do
    local job = redis.call('HMGET', key.job(call, id), schema.field.alert, schema.field.created)
    if job[1] then
      found[#found + 1] = { alert = job[1], at = tonumber(job[2]) }
    end
  end
  table.sort(found, function(a, b) return a.at > b.at end)
  return found
end

local function run(call)
  local ids, seen = {}, {}
  for _, each in ipairs(calls(call)) do
    local id = each.alert
    local state = not seen[id] and redis.call('HGET', key.alert(call, id), schema.alert.state)
    local latest = next(seen) == nil
    seen[id] = true
    if state and (latest or schema.alerts_open[state]) then
      ids[#ids + 1] = id
    end
  end
  return ids
end

return { run = run, flags = { 'no-writes' } }
