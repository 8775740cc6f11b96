-- Forgets what is known of a number apart from jobs: when it was called, and that it is being called.
--
-- digits
-- answer  how many keys are gone

local schema = require('schema')

local key = schema.key

local function run(call)
  local calling = key.calling(call, call.args.digits)
  local gone = redis.call('DEL', key.called(call, call.args.digits))
  local id = redis.call('GET', calling)
  if id and redis.call('EXISTS', key.job(call, id)) == 0 then
    gone = gone + redis.call('DEL', calling)
  end
  return gone
end

return { run = run, flags = { 'allow-oom' } }
