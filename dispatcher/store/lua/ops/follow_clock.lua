-- Notices that Redis' clock stepped, and moves what then stands at a wrong moment, a batch at a time.
--
-- most     to move or look at in this call
-- lease    ms for which a webhook is out
-- reading  of the limiter's time, as the caller was told at its latest answer, if any
-- passed   ms since then, by a clock that nobody sets
-- ahead    ms by which the clock jumped ahead, as the caller's own clock says, if it did
-- since    when the caller looked last, where `ahead` is given
-- answer   {1 where more is to be moved, else 0, reading, kind, facts, kind, facts, …: the events that it told}

local schema = require('schema')
local pace = require('lib/pace')
local text = require('lib/text')
local clock = require('lib/clock')
local events = require('lib/events')
local moments = require('lib/moments')

local field = schema.clock

-- What others told of since the caller looked is the step that it has seen, too.
local function is_news(call, found)
  return call.args.ahead and tonumber(found[field.stepped] or 0) <= tonumber(call.args.since)
end

local function notice(call, name, found)
  local back = clock.went_back(call, tonumber(found[field.latest] or 0))
  if back > 0 and pace.went_back(call) == 0 then -- else the limiter tells it
    clock.step(call, -back)
  elseif back == 0 and is_news(call, found) then
    clock.step(call, tonumber(call.args.ahead))
  elseif back == 0 then
    redis.call('HSET', name, field.latest, text.int(call.now))
  end
  pace.set(call, schema.pace.seen, pace.time(call))
  pace.save(call)
end

-- One batch of the pass that is under way.
local function move(call, name, found)
  local args, by, pass = call.args, tonumber(found[field.by]), tonumber(found[field.pass])
  local how = {
    by = by, cursor = found[field.cursor], most = tonumber(args.most), lease = tonumber(args.lease),
  }
  local passes = by < 0 and moments.BACK or moments.AHEAD
  if passes[pass](call, how) then
    pass, how.cursor = pass + 1, '0'
  end
  if passes[pass] then
    redis.call('HSET', name, field.pass, text.int(pass), field.cursor, how.cursor)
    return 1
  end
  redis.call('HDEL', name, field.pass, field.cursor)
  return 0
end

local function run(call)
  local name = schema.key.clock(call)
  notice(call, name, text.pairs_of(redis.call('HGETALL', name)))
  local found = text.pairs_of(redis.call('HGETALL', name))
  local left = found[field.pass] and move(call, name, found) or 0
  return { left, pace.reading(call), unpack(events.told(call)) }
end

return { run = run, flags = { 'allow-oom' } }
