-- uses _audit.lua, _acts.lua, _bulk.lua
-- Does the next few jobs of an act. What is taken from its list is done in the same step: whoever
-- drives it may die, and several may drive it, and each job is acted on once.
--
-- ARGV[2]  act's id
-- ARGV[3]  most in this call
-- ARGV[4]  ms of the lease: how long nobody else looks after it
-- answer   {state, how many are left}

local EXAMPLES = 10 -- ids kept for each refusal

local act = read_act()
if act.state ~= 'running' then
  return { act.state or 'gone', 0 }
end
local wish = cjson.decode(act.wish)
local refuses, perform = ACTS[act.what].refuses, ACTS[act.what].perform
local did = 0

local function refuse(id, refusal)
  if redis.call('HINCRBY', ACT, 'no:' .. refusal, 1) <= EXAMPLES then
    local field = 'ids:' .. refusal
    local ids = redis.call('HGET', ACT, field)
    redis.call('HSET', ACT, field, (ids and ids .. ',' or '') .. id)
  end
end

for _, id in ipairs(redis.call('LPOP', IDS, ARGV[3]) or {}) do
  local job = load(id)
  local refusal = not job and 'gone' or refuses(job, wish)
  if refusal then
    refuse(id, refusal)
  else
    perform(job, wish, act.actor, act.why)
    did = did + 1
  end
end
redis.call('HINCRBY', ACT, 'did', did)

local left = redis.call('LLEN', IDS)
if left == 0 then
  finish(act, 'done', act.actor, act.why)
  return { 'done', 0 }
end
look_after(ARGV[4])
return { 'running', left }
