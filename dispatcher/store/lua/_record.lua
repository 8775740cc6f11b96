-- Stands before every operation: the names of the keys, the clock, and how records are kept.
--
-- KEYS[1]  namespace of the account, such as {vd}; all keys are derived from it and share its slot
-- ARGV[1]  now in milliseconds, or '' for Redis' own clock
--
-- ns:job:<id>             hash   the record; values over PIECE bytes are cut, since one long value
--                                would turn the compact hash into its roomy form (three times the
--                                memory)
-- ns:idx:<state>[:<why>]  zset   id by creation; each job stands in exactly one
-- ns:reasons              set    the <state>[:<why>] that were ever used
-- ns:next:<state>         zset   id by the moment something happens next
-- ns:next:cost            zset   ended, its cost not told; id by when it is looked for
-- ns:usual                hash   kind of call -> ms within which most of them are over
-- ns:lines:<priority>     zset   lines (campaign or producer) with ready jobs, by how much each has had
-- ns:ready:<prio>:<line>  zset   queued, not fed; id by due time
-- ns:held:<gate>:<prio>   zset   held; id by due time
-- ns:holds                set    gates that something was held behind
-- ns:fed                  zset   queued, message sent, not claimed; id by the moment a claim is expected by
-- ns:tag:<tag>            zset   id by creation
-- ns:recipients           zset   <reversed digits>:<id>, all of score 0, so that last digits are a range
-- ns:calls:<bucket>       hash   callid -> id
-- ns:gates                hash   gate -> JSON {since, why, required, refused, ajar, trial}; a gate that is there
--                                is closed, or `ajar`: one job at a time, the `trial`, goes through
-- ns:breaker              hash   failures of the provider in `row`, and of these `clear` (nobody was called)
-- ns:limits               hash   what the workers run with: `least` and `window` (fed at once, without a limit
--                                and at most), `rate` (per second,
--                                absent: no limit), `margin`, `share` (of checks), `recovery` (ms),
--                                `connections`, `lease` (ms), `gap` (ms), `per_day` (calls to a number),
--                                `alone` (one call to a number at a time), `countries`, `blocked`,
--                                `hours` (calling hours, as people write them), `floor` (units of
--                                credit, absent: post-paid), `expected` (units), `warn` (levels, units),
--                                `spend_day`, `spend_call` (units), `zone`, `breaker` (failures in a row),
--                                `hooks` (how many targets of webhooks), `every` (they are told of every
--                                change, not ends only)
-- ns:pace                 hash   where the limiter stands
-- ns:recent               list   moments of the latest requests, as many as the limit allows at once
-- ns:connections          zset   requests under way, by the end of their lease
-- ns:person:<digits>      list   moments of the calls to a number within a day, the latest first
-- ns:busy:<digits>        string id of the job that is calling the number
-- ns:reports              zset   what the provider reported of calls, by the moment it is applied next
-- ns:counts               hash   what is counted for good: `second_calls`, calls to people who were called
--                                already, found out when it was too late to prevent them;
--                                `callbacks.<what>`, see store/inbox.py; `ended.<state>[:<why>]`; `attempts`
--                                that were begun; `requests` to the provider, status checks among them
-- ns:notices              stream what happened to the account: `kind` and `facts` (JSON), the latest of them
-- ns:ended:<hour>         hash   <minute>:<state>[:<why>] -> how many jobs ended so, for charts; kept for a day
-- ns:console:<what>       hash   sessions of the console, failed log-ins; see workers/gateway/console
-- ns:hook:<delivery>      hash   a webhook that is to be delivered: for a job's event the record as it stood
--                                then, and in any case `@event`, `@type`, `@at`, `@seq`, `@line`, and as it
--                                comes `@facts`, `@tries`, `@since` (of these), `@error`
-- ns:hooks                zset   lines of webhooks (a target each) by the moment they are looked at next
-- ns:hooks:due:<line>     zset   deliveries by the moment of the next try
-- ns:hooks:out            zset   deliveries whose message is out, by the end of their lease
-- ns:hooks:out:<line>     zset   deliveries of a target that are out or under way, by the end of their lease
-- ns:hooks:dead           zset   deliveries that were given up, by when
-- ns:hooks:line:<line>    hash   how the target does: `failures` in a row, `until` (left alone), `slow`
-- ns:hooks:seq            string how many events there were
-- ns:hooks:notices        string the latest of ns:notices that was taken
-- ns:turn                 string how many jobs were fed, for the shares of the lower priorities
-- ns:keys                 zset   API keys by creation
-- ns:apikey:<id>          hash   an API key: `hash` of its secret, `name`, `scopes`, `created`, `expires`,
--                                `revoked`, `used`, `rate`, `note`
-- ns:quota:<key>          string when all of an API key's rate is free again
-- ns:audit, ns:act…       what people did (_audit.lua), and acts on many jobs (_bulk.lua)
-- Retention: a job's keys go with the job (purge.lua); the rest are bounded by what is alive.

local PIECE = 60
local ROOT = KEYS[1]

-- Written out, since a table for each name would cost a claim as much as ten reads.
local function key(first, second, third)
  if third then
    return ROOT .. ':' .. first .. ':' .. second .. ':' .. third
  elseif second then
    return ROOT .. ':' .. first .. ':' .. second
  end
  return ROOT .. ':' .. first
end

local function clock()
  if ARGV[1] ~= '' then
    return tonumber(ARGV[1])
  end
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000
end

local EXACT = clock() -- with fractions: at 200 a second, slots are 5 ms apart
local NOW = math.floor(EXACT)

-- Numbers go into strings by %d: Lua would write large ones as 1.7e+12.
local function int(number)
  return string.format('%d', number)
end

local function cut(pairs_)
  local out = {}
  for i = 1, #pairs_, 2 do
    local field, value = pairs_[i], tostring(pairs_[i + 1])
    out[#out + 1] = field
    out[#out + 1] = string.sub(value, 1, PIECE)
    for piece = 1, math.ceil(#value / PIECE) - 1 do
      out[#out + 1] = field .. '~' .. piece
      out[#out + 1] = string.sub(value, piece * PIECE + 1, (piece + 1) * PIECE)
    end
  end
  return out
end

local function put(id, pairs_)
  redis.call('HSET', key('job', id), unpack(cut(pairs_)))
end

-- Where a long value may stand already: pieces that a shorter one does not overwrite would be left.
local function replace(id, pairs_)
  local piece, removed = 1, nil
  repeat
    local old = {}
    for i = 1, #pairs_, 2 do
      old[#old + 1] = pairs_[i] .. '~' .. piece
    end
    removed = redis.call('HDEL', key('job', id), unpack(old))
    piece = piece + 1
  until removed == 0
  put(id, pairs_)
end

-- The value that begins with this first piece: one that is not full is the last.
local function rest_of(id, field, part)
  local value, piece = '', 0
  while part do
    value = value .. part
    piece = piece + 1
    part = #part == PIECE and redis.call('HGET', key('job', id), field .. '~' .. piece)
  end
  return value
end

local function whole(id, field)
  return rest_of(id, field, redis.call('HGET', key('job', id), field))
end
