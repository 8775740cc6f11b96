-- Forgets what is known of a number apart from jobs: when it was called, and that it is being called.
--
-- ARGV[2]  digits
-- answer   how many keys are gone

local digits = ARGV[2]
local busy = redis.call('GET', key('busy', digits))
local gone = redis.call('DEL', key('person', digits))
if busy and redis.call('EXISTS', key('job', busy)) == 0 then
  gone = gone + redis.call('DEL', key('busy', digits))
end
return gone
