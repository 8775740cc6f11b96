-- Stands before every operation, after _job.lua: what holds calls back, all of them or some.
--
-- Gates: `credit`, `auth`, `provider_down`, `paused` and `limit:account` stop everything;
-- `paused:tag:<tag>`, `paused:priority:<priority>`, `limit:tag:<tag>` and `limit:client:<producer>` stop
-- what they name. A gate that stands in ns:gates is closed, or ajar: then one job at a time tries
-- whether what closed it is over.
local GATES, GATE_NAMES = {}, {}
do
  local flat = redis.call('HGETALL', key('gates'))
  for i = 1, #flat, 2 do
    GATES[flat[i]] = cjson.decode(flat[i + 1])
    GATE_NAMES[#GATE_NAMES + 1] = flat[i]
  end
  table.sort(GATE_NAMES)
end

local function stops(gate, job)
  local scope, what = string.match(gate, '^%a+:(%a+):(.*)$')
  if not scope then
    return true
  elseif not job then
    return false
  elseif scope == 'priority' then
    return job.prio == what
  elseif scope == 'client' then
    return job.actor == what
  end
  return string.find(',' .. whole(job.id, 'tags') .. ',', ',' .. what .. ',', 1, true) ~= nil
end

local function lets_try(gate, job)
  return gate.ajar and (not gate.trial or (job and gate.trial == job.id))
end

-- The closed gate that stops a job now, or nil; without a job, one that stops everything.
local function closed_gate(job)
  for _, name in ipairs(GATE_NAMES) do
    if GATES[name] and stops(name, job) and not lets_try(GATES[name], job) then
      return name
    end
  end
end

local function write_gate(name)
  redis.call('HSET', key('gates'), name, cjson.encode(GATES[name]))
end

-- The job goes through the gates that are ajar; what comes of it decides about them.
local function begin_trial(job)
  for name, gate in pairs(GATES) do
    if gate.ajar and not gate.trial and stops(name, job) then
      gate.trial = job.id
      write_gate(name)
    end
  end
end

-- The job turned out to be no trial: it waits for something else, or has ended.
end_trial = function(job, to)
  if to ~= 'dialing' then
    for name, gate in pairs(GATES) do
      if gate.trial == job.id then
        gate.trial = nil
        write_gate(name)
      end
    end
  end
end

-- Gates that a look at the balance may open, and in how many ms the first one comes; then on a backoff.
local PROBED = { credit = 0, auth = 2000, provider_down = 2000 }
local FIRST_LOOK, LONGEST_LOOK = 2000, 60000

local function look_wait(looks, longest)
  return math.min(FIRST_LOOK * 2 ^ looks, longest)
end

-- Closes a gate, or adds to what is known of a closed one. `refused`: the provider itself said no.
local function shut(name, why, required, refused)
  local gate = GATES[name]
  local opened = not gate
  if opened then
    gate = { since = NOW }
    GATES[name] = gate
    GATE_NAMES[#GATE_NAMES + 1] = name
    table.sort(GATE_NAMES)
    tell('gate.closed', { gate = name, why = why, at = NOW })
    local scope = string.match(name, '^limit:(.*)$')
    if scope then
      tell('limit.reached', { scope = scope, why = why, at = NOW })
    end
  end
  if PROBED[name] and (opened or gate.ajar) then
    local looks = not opened and tonumber(redis.call('HGET', key('credit'), 'looks') or nil) or 0
    local wait = opened and PROBED[name] or look_wait(looks, LONGEST_LOOK)
    redis.call('HSET', key('credit'), 'looks', int(opened and 0 or looks + 1), 'look_at', int(NOW + wait))
  end
  gate.why, gate.ajar, gate.trial = why, nil, nil
  gate.required = math.max(gate.required or 0, required or 0)
  gate.refused = refused and NOW or gate.refused
  write_gate(name)
  return opened
end

-- Failures in a row close `provider_down`: soon where nobody was called for certain, since that is the
-- provider's doing and no number's; where it is not clear, only after many more, or where a look at the
-- balance fails as well (look_failed.lua).
local UNCLEAR = 10

local function failures()
  local values = redis.call('HMGET', key('breaker'), 'row', 'clear')
  return tonumber(values[1] or nil) or 0, tonumber(values[2] or nil) or 0
end

local function most_failures()
  return tonumber(redis.call('HGET', key('limits'), 'breaker') or nil) or 5
end

local function count_failure(kind, id, why)
  redis.call('HINCRBY', key('breaker'), 'row', 1)
  if kind == 'clear' then
    redis.call('HINCRBY', key('breaker'), 'clear', 1)
  end
  local row, clear = failures()
  local gate, most = GATES.provider_down, most_failures()
  if clear >= most or row >= most * UNCLEAR or (gate and gate.trial == id) then
    shut('provider_down', why)
  end
end

local function reopen(name, why)
  local gate = GATES[name]
  if gate then
    GATES[name] = nil
    redis.call('HDEL', key('gates'), name)
    tell('gate.opened', { gate = name, why = why, at = NOW, ['for'] = NOW - gate.since })
  end
  return gate ~= nil
end

local function set_ajar(name, why)
  GATES[name].ajar, GATES[name].why = true, why
  write_gate(name)
  tell('gate.ajar', { gate = name, why = why, at = NOW })
end

local function set_words(name, why)
  if GATES[name].why ~= why or GATES[name].ajar then
    GATES[name].why, GATES[name].ajar, GATES[name].trial = why, nil, nil
    write_gate(name)
  end
end

-- Parks a job behind a gate, whose name it keeps: it is released when that very gate opens.
local function hold(job, gate, actor)
  job.gate = gate
  move(job, 'held', string.match(gate, '^[^:]+'), job.expires, actor, GATES[gate].why)
end
