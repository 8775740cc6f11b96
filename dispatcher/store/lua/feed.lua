-- Chooses which ready jobs a message goes out for: the most urgent, oldest first, and only so many
-- that the broker never holds more than the workers take up in about a second. While a gate is
-- closed the ready are parked behind it instead, a batch at a time.
--
-- ARGV[2]  most to choose or park in this call
-- ARGV[3]  ms after which a message that nobody took up counts as lost
-- answer   id, priority, id, priority, …

local most = tonumber(ARGV[2])
local chosen = {}

local gate = closed_gate()
if not gate then
  local window = tonumber(redis.call('HGET', key('limits'), 'window')) or 16
  most = math.min(most, window - redis.call('ZCARD', key('fed')))
end

local function park(priority, count)
  local line, why = key('ready', priority), gate_why(gate)
  local jobs = load_all(line, redis.call('ZRANGE', line, 0, count - 1))
  for _, job in ipairs(jobs) do
    move(job, 'held', gate, job.expires, 'dispatcher', why)
  end
  return #jobs
end

local function send(priority, count)
  local ready = redis.call('ZRANGE', key('ready', priority), 0, count - 1, 'WITHSCORES')
  for i = 1, #ready, 2 do
    local id = ready[i]
    redis.call('ZREM', key('ready', priority), id)
    redis.call('ZADD', key('fed'), ready[i + 1], id)
    local expires = tonumber(redis.call('ZSCORE', key('next', 'queued'), id) or nil)
    redis.call('ZADD', key('next', 'queued'), math.min(expires or math.huge, NOW + ARGV[3]), id)
    chosen[#chosen + 1] = id
    chosen[#chosen + 1] = priority
  end
  return #ready / 2
end

for _, priority in ipairs(PRIORITIES) do
  if most > 0 then
    most = most - (gate and park or send)(priority, most)
  end
end
return chosen
