-- Forgets what is known of a number apart from jobs: when it was called, and that it is being called. Who is
-- on the do-not-call list stays there, as a hash alone.
--
-- digits
-- answer  how many keys are gone

local schema = require('schema')

local do_not_call = require('lib/do_not_call')

local key = schema.key

local function forget_entry(call, digits)
  if redis.call('HLEN', key.do_not_call(call)) == 0 then
    return
  end
  for _, hash in ipairs(do_not_call.hashes(call, digits)) do
    local found = do_not_call.read(call, hash)
    if found then
      found.to = nil
      do_not_call.write(call, hash, found)
    end
  end
end

local function run(call)
  local calling = key.calling(call, call.args.digits)
  local gone = redis.call('DEL', key.called(call, call.args.digits))
  forget_entry(call, call.args.digits)
  local id = redis.call('GET', calling)
  if id and redis.call('EXISTS', key.job(call, id)) == 0 then
    gone = gone + redis.call('DEL', calling)
  end
  return gone
end

return { run = run, flags = { 'allow-oom' } }
