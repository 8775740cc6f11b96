-- A balance check failed. Where calls fail as well, the provider is down. Where they work, a balance that
-- cannot be seen stops nobody: after some checks the budget no longer binds, and behind any hold one call
-- tries what checks cannot tell.
--
-- why
-- next_in  ms until the next check while all is well
-- refused  1 where the provider refuses the account: it would refuse a call as well
-- answer   what was told, as kind, facts (JSON), kind, facts, …

local schema = require('schema')
local text = require('lib/text')
local holds = require('lib/holds')
local budget = require('lib/budget')
local events = require('lib/events')
local breaker = require('lib/breaker')
local credits = require('lib/credits')

local IN_VAIN = 6 -- checks while a hold stands, in two minutes: then a call tries
local WORDS = 'the balance cannot be read'

local function end_credit_holds(call)
  if holds.get(call, 'auth') or holds.get(call, 'provider_down') then
    return
  end
  for _, name in ipairs(holds.named(call, 'credit')) do
    if not holds.get(call, name).refused then
      holds.finish(call, name, WORDS)
    elseif holds.closed(call, name) then
      holds.half_open(call, name, WORDS .. ': one call at a time is tried')
    end
  end
end

local function run(call)
  local misses = credits.read(call).misses + 1
  credits.set(call, schema.credit.misses, text.int(misses))
  if breaker.failures(call) >= breaker.most(call) then
    holds.start(call, 'provider_down', call.args.why)
  end
  if misses >= schema.blind_after then
    end_credit_holds(call)
  end
  for _, name in ipairs({ 'auth', 'provider_down' }) do
    if holds.closed(call, name) and credits.read(call).checks >= IN_VAIN and not call.args.refused then
      holds.half_open(call, name, WORDS .. ': one call at a time is tried')
    end
  end
  budget.schedule_check(call, call.args.next_in)
  return events.told(call)
end

return { run = run }
