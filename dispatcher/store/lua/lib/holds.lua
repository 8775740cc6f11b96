-- Holds: what keeps calls from being made, all of them or some.
--
-- `credit`, `auth`, `provider_down`, `replicas`, `restored`, `unusual`, `paused` and `limit:account` stop everything;
-- `paused:tag:<tag>`, `paused:priority:<priority>`, `limit:tag:<tag>`, `limit:client:<producer>` and
-- `credit:tariff:<tariff>` stop what they name.
-- A hold that is half-open lets one job at a time through, the probe, which tries whether what started the
-- hold is over.
--
-- holds  hash: name -> JSON { since, why, required (credits), tariff (of the call that requires them),
--        refused (when the provider said no), half_open, probe (id of the job) }

local schema = require('schema')
local text = require('lib/text')
local events = require('lib/events')
local record = require('lib/record')
local balance_checks = require('lib/balance_checks')

local M = {}

local key = schema.key

-- The holds that stand, by name, and their names in order.
function M.all(call)
  if not call.holds then
    local holds, names, flat = {}, {}, redis.call('HGETALL', key.holds(call))
    for i = 1, #flat, 2 do
      holds[flat[i]] = cjson.decode(flat[i + 1])
      names[#names + 1] = flat[i]
    end
    if names[2] then
      table.sort(names)
    end
    call.holds = { by_name = holds, names = names }
  end
  return call.holds.by_name, call.holds.names
end

function M.get(call, name)
  return M.all(call)[name]
end

-- A hold that stands and is not half-open.
function M.closed(call, name)
  local hold = M.get(call, name)
  return hold ~= nil and not hold.half_open
end

-- <reason> of a hold's name
function M.reason_of(name)
  return string.match(name, '^[^:]+')
end

-- The names of the holds that stand for a reason, in order.
function M.named(call, reason)
  local standing, found = M.all(call), {}
  for _, name in ipairs(select(2, M.all(call))) do
    if standing[name] and M.reason_of(name) == reason then
      found[#found + 1] = name
    end
  end
  return found
end

-- The hold of the calls of one tariff, for which too little credit is left.
function M.of_tariff(tariff)
  return 'credit:tariff:' .. tariff
end

-- <scope> of a spending limit's hold; nil of another one's.
function M.limit_of(name)
  return string.match(name, '^limit:(.*)$')
end

local function write(call, name)
  redis.call('HSET', key.holds(call), name, cjson.encode(M.get(call, name)))
end

-- What a hold names that stops some calls only, and by what; nil of one that stops all.
local function scope_of(name)
  return string.match(name, '^%a+:(%a+):(.*)$')
end

function M.stops_all(name)
  return not scope_of(name)
end

local function applies(name, job)
  local scope, value = scope_of(name)
  if not scope then
    return true
  elseif not job then
    return false
  elseif scope == 'priority' then
    return job.priority == value
  elseif scope == 'client' then
    return record.producer(job) == value
  elseif scope == 'tariff' then
    return job.tariff == value
  end
  return text.has(record.get(job, schema.field.tags), value)
end

local function lets_probe(hold, job)
  return hold.half_open and (not hold.probe or (job and hold.probe == job.id))
end

-- The hold that stops a job now, or nil; without a job, one that stops everything.
function M.stopping(call, job)
  local holds, names = M.all(call)
  for _, name in ipairs(names) do
    if holds[name] and applies(name, job) and not lets_probe(holds[name], job) then
      return name
    end
  end
end

-- The job goes through the holds that are half-open; what comes of it decides about them.
function M.begin_probe(call, job)
  for name, hold in pairs(M.all(call)) do
    if hold.half_open and not hold.probe and applies(name, job) then
      hold.probe = job.id
      write(call, name)
    end
  end
end

local function end_probe(call, name)
  M.get(call, name).probe = nil
  write(call, name)
end

-- The job turned out to be no probe: it waits for something else, or has ended.
function M.end_probe(call, job)
  for name, hold in pairs(M.all(call)) do
    if hold.probe == job.id then
      end_probe(call, name)
    end
  end
end

-- A job that was deleted by hand tries nothing any more.
function M.end_lost_probes(call)
  for name, hold in pairs(M.all(call)) do
    if hold.probe and redis.call('EXISTS', key.job(call, hold.probe)) == 0 then
      end_probe(call, name)
    end
  end
end

local function begin(call, name, why)
  local holds, names = M.all(call)
  holds[name] = { since = call.now }
  names[#names + 1] = name
  table.sort(names)
  events.tell(call, 'hold.started', { hold = name, why = why, at = call.now })
  local scope = M.limit_of(name)
  if scope then
    events.tell(call, 'limit.reached', { scope = scope, why = why, at = call.now })
  end
end

-- Starts a hold, or adds to what is known of one; true where it is new. `required`: credits that a call
-- needs; `refused`: the provider itself said no, to a call of this `tariff` where that matters.
function M.start(call, name, why, required, refused, tariff)
  local new = not M.get(call, name)
  if new then
    begin(call, name, why)
  end
  local hold = M.get(call, name)
  if new or hold.half_open then
    balance_checks.schedule_for_hold(call, name, new)
  end
  hold.why, hold.half_open, hold.probe = why, nil, nil
  if tariff and (required or 0) >= (hold.required or 0) then
    hold.tariff = tariff
  end
  hold.required = math.max(hold.required or 0, required or 0)
  hold.refused = refused and call.now or hold.refused
  write(call, name)
  return new
end

-- Ends a hold; what it held is released by the next pump. True where there was one.
function M.finish(call, name, why)
  local hold = M.get(call, name)
  if hold then
    M.all(call)[name] = nil
    redis.call('HDEL', key.holds(call), name)
    events.tell(call, 'hold.ended', { hold = name, why = why, at = call.now, ['for'] = call.now - hold.since })
  end
  return hold ~= nil
end

-- Ends those holds, started for one of these reasons (commas between), whose probe the job is.
function M.finish_proven(call, job, reasons, why)
  for name, hold in pairs(M.all(call)) do
    if hold.probe == job.id and text.has(reasons, M.reason_of(name)) then
      M.finish(call, name, why)
    end
  end
end

function M.half_open(call, name, why)
  local hold = M.get(call, name)
  hold.half_open, hold.why = true, why
  write(call, name)
  events.tell(call, 'hold.half_open', { hold = name, why = why, at = call.now })
end

-- Redis' clock went back: no hold began, and no refusal came, later than now.
function M.follow_clock(call)
  for name, hold in pairs(M.all(call)) do
    if math.max(hold.since, hold.refused or 0) > call.now then
      hold.since = math.min(hold.since, call.now)
      hold.refused = hold.refused and math.min(hold.refused, call.now)
      write(call, name)
    end
  end
end

-- Says anew why a hold stands, which is not half-open then.
function M.explain(call, name, why)
  local hold = M.get(call, name)
  if hold.why ~= why or hold.half_open then
    hold.why, hold.half_open, hold.probe = why, nil, nil
    write(call, name)
  end
end

return M
