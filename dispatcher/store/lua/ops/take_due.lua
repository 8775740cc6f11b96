-- Takes jobs whose next moment has come, for one caller: the moment is put off by a lease, so that
-- two callers share the work and what a dead one took comes again.
--
-- what    in_progress (a status check is due), uncertain (the evidence window is over), or cost (that of
--         an ended job is to be looked for)
-- most    in this call
-- lease   ms
-- answer  ids

local schema = require('schema')
local places = require('lib/places')
local entries = require('lib/entries')

local function run(call)
  local args, ids = call.args, {}
  for _, job in ipairs(places.come(call, args.what, args.most)) do
    entries.put(call, schema.key.due(call, args.what), call.now + args.lease, job.id)
    ids[#ids + 1] = job.id
  end
  return ids
end

return { run = run }
