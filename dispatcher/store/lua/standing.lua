-- Tells what enqueue would answer for requests, and writes nothing.
--
-- ARGV[2…] id, fingerprint of the request, id, fingerprint, …
-- answer   for each 'new', 'same' (this very request stands already) or 'other' (another request has the id)

local answers = {}
for i = 2, #ARGV, 2 do
  local standing = redis.call('HGET', key('job', ARGV[i]), 'fp')
  answers[#answers + 1] = not standing and 'new' or standing == ARGV[i + 1] and 'same' or 'other'
end
return answers
