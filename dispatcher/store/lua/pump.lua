-- Moves on what time alone moves on: due jobs into line, overdue ones to their end, lost messages
-- back into line, and held jobs out of gates that have opened.
--
-- ARGV[2]  most of each kind in this call
-- answer   {due, overdue, lost, released}: how many of each

local most = tonumber(ARGV[2])
local due, ended, lost, released = 0, 0, 0, 0

for _, job in ipairs(come('scheduled', most)) do
  queue(job, 'dispatcher', 'due')
  due = due + 1
end

for _, job in ipairs(come('queued', most)) do
  if overdue(job) then
    move(job, 'expired', '', nil, 'dispatcher', 'the deadline passed before it was dialled')
    ended = ended + 1
  else
    leave(job)
    arrive(job, job.expires)
    lost = lost + 1
  end
end

for _, job in ipairs(come('held', most)) do
  move(job, 'expired', '', nil, 'dispatcher', 'the deadline passed while it was held')
  ended = ended + 1
end

local function release(gate)
  for _, priority in ipairs(PRIORITIES) do
    local line = key('held', gate, priority)
    for _, job in ipairs(load_all(line, redis.call('ZRANGE', line, 0, most - released - 1))) do
      queue(job, 'dispatcher', 'released')
      released = released + 1
    end
    if released >= most then
      return
    end
  end
end

if not closed_gate() then
  for _, gate in ipairs(redis.call('SMEMBERS', key('holds'))) do
    if released < most and redis.call('HEXISTS', key('gates'), gate) == 0 then
      release(gate)
      if released < most then
        redis.call('SREM', key('holds'), gate) -- nothing is left behind it
      end
    end
  end
end
return { due, ended, lost, released }
