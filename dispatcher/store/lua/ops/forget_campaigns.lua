-- Forgets the summaries of campaigns that have no jobs any more.
--
-- names   a JSON list: these; or instead
-- before  ms since the epoch: those whose last job was removed before
-- kept    how many of the others are kept at most, the latest
-- most    in this call
-- answer  how many were forgotten

local schema = require('schema')
local campaigns = require('lib/campaigns')

local function old(call)
  local args, over = call.args, schema.key.campaigns_over(call)
  local many = redis.call('ZCOUNT', over, '-inf', '(' .. args.before)
  many = math.max(many, redis.call('ZCARD', over) - args.kept)
  many = math.min(many, tonumber(args.most))
  return many > 0 and redis.call('ZRANGE', over, 0, many - 1) or {}
end

local function run(call)
  local names, forgotten = call.args.names and cjson.decode(call.args.names) or old(call), 0
  for _, name in ipairs(names) do
    if redis.call('ZSCORE', schema.key.campaigns_over(call), name) then
      campaigns.forget(call, name)
      forgotten = forgotten + 1
    end
  end
  return forgotten
end

return { run = run, flags = { 'allow-oom' } }
