-- Notes whether anybody can be called, as one of those who watch it sees. What lasts is told of once, and once
-- that it is over: an account event, and news for people.
--
-- cause   what keeps everybody from being called, in one word; left out: people can be called
-- why     in words
-- remedy  what to do
-- grace   ms that it must last before it is told of
-- answer  'stopped' or 'possible' where this step told of it, else ''
-- retention: one hash for each account; the news until they are told

local schema = require('schema')
local text = require('lib/text')
local events = require('lib/events')

local key, field = schema.key, schema.stoppage

local function news(call, kind, known, since)
  redis.call('HDEL', key.stoppage(call), field.news_until)
  redis.call('HSET', key.stoppage(call), field.news, kind, field.news_at, text.int(call.now),
    field.news_since, text.int(since), field.news_cause, known[field.cause], field.news_why, known[field.why],
    field.news_remedy, known[field.remedy])
end

local function stopped(call, known, since)
  local found = { [field.cause] = call.args.cause, [field.why] = call.args.why, [field.remedy] = call.args.remedy }
  redis.call('HSET', key.stoppage(call), field.since, text.int(since), field.cause, call.args.cause,
    field.why, call.args.why, field.remedy, call.args.remedy)
  if known[field.told] or call.now - since < tonumber(call.args.grace) then
    return ''
  end
  redis.call('HSET', key.stoppage(call), field.told, '1')
  events.tell(call, 'calls.stopped', { cause = call.args.cause, why = call.args.why, since = since, at = call.now })
  news(call, 'stopped', found, since)
  return 'stopped'
end

local function possible(call, known, since)
  redis.call('HDEL', key.stoppage(call), field.since, field.cause, field.why, field.remedy, field.told)
  if not known[field.told] then
    return ''
  end
  events.tell(call, 'calls.possible', { cause = known[field.cause], ['for'] = call.now - since, at = call.now })
  news(call, 'possible', known, since)
  return 'possible'
end

local function run(call)
  local known = text.pairs_of(redis.call('HGETALL', key.stoppage(call)))
  local since = math.min(tonumber(known[field.since]) or call.now, call.now) -- the clock may have gone back
  if call.args.cause then
    return stopped(call, known, since)
  end
  return known[field.since] and possible(call, known, since) or ''
end

return { run = run, flags = { 'allow-oom' } }
