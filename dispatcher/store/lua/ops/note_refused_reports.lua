-- Notes that reports of monitoring were refused: most programs do not send such a one again, and tell nobody.
--
-- source  which monitoring it is, as its route is called
-- sender  whose key it was; left out where it had none that is known
-- many    how many reports
-- why     in words, without a number of a telephone
-- retention: REFUSED_REPORTS_SHOWN after the latest. The account event `alert.refused` tells of one sender once
--         in REFUSED_REPORTS_TOLD_EVERY, so that a flood does not wash the others away.

local schema = require('schema')
local counters = require('lib/counters')
local events = require('lib/events')
local text = require('lib/text')

local key = schema.key

local function run(call)
  local args, name = call.args, key.refused_reports(call)
  local sender = args.source .. ' ' .. (args.sender or '')
  local old = redis.call('HGET', name, sender)
  local before = old and cjson.decode(old) or { many = 0, told = 0 }
  local note = { at = call.now, many = before.many + tonumber(args.many), told = before.told, why = args.why }
  if call.now - before.told >= schema.refused_reports_told_every or before.told > call.now then
    note.told = call.now
    events.tell(call, 'alert.refused',
      { source = args.source, by = args.sender or '', many = tonumber(args.many), why = args.why, at = call.now })
  end
  redis.call('HSET', name, sender, cjson.encode(note))
  redis.call('PEXPIRE', name, schema.refused_reports_shown)
  counters.add(call, 'alert.refused', text.int(tonumber(args.many)))
end

return { run = run }
