-- Stands before every operation, after _record.lua: what others are told, written in the very step that
-- makes it true: notices of the account, and webhooks.

-- What happens to the account and concerns no single job: kinds are dotted, such as `gate.closed`.
local NOTICES = 1000
local TOLD_NOW = {} -- kind, facts, kind, facts, …: what this operation told

local function tell(kind, facts)
  local text = cjson.encode(facts)
  redis.call('XADD', key('notices'), 'MAXLEN', '~', NOTICES, '*', 'kind', kind, 'facts', text)
  TOLD_NOW[#TOLD_NOW + 1] = kind
  TOLD_NOW[#TOLD_NOW + 1] = text
end

-- Webhooks. A target of the account's is a line named by its place in the settings; those of jobs share a
-- line by origin.
local TOLD

local function know_targets(targets, every)
  TOLD = { targets = tonumber(targets or nil) or 0, every = every }
end

local function told()
  if not TOLD then
    know_targets(unpack(redis.call('HMGET', key('limits'), 'hooks', 'every')))
  end
  return TOLD
end

local function look_at_line(line, at)
  redis.call('ZADD', key('hooks'), 'LT', at, line)
end

local function hook(event, target, line, record)
  local id = event.id .. ':' .. target
  if record then
    redis.call('COPY', record, key('hook', id))
  end
  redis.call('HSET', key('hook', id), '@event', event.id, '@type', event.type, '@at', int(event.at), '@since',
    int(NOW), '@seq', event.seq, '@line', line, '@tries', '0', '@facts', event.facts or '')
  redis.call('ZADD', key('hooks', 'due', line), NOW, id)
  look_at_line(line, NOW)
end

-- One event for each target that wants it; `own` is a job's own URL.
local function tell_targets(event, record, own)
  event.seq = int(redis.call('INCR', key('hooks', 'seq')))
  for target = 1, told().targets do
    hook(event, int(target), int(target), record)
  end
  if own then
    hook(event, 'job', string.lower(string.match(own, '^%a+://[^/?#]+') or own), record)
  end
  redis.call('PUBLISH', key('hooks'), '')
end
