-- An index of jobs by creation, in pages of a hundred or so, which Redis keeps closely packed: a place in one
-- large zset would take four times as much.
--
-- <kind>:<name>               zset: the floors of its pages, all 0: the lowest place that is kept in each
-- <kind>_page:<name>:<floor>  zset: id by creation
--
-- A place is <created><id>: jobs that were created in one millisecond go by their ids. The floor of the first
-- page is '', so that there is a page for every place. One that empties goes.

local schema = require('schema')

local M = {}

local key = schema.key
local FULL = schema.page_full

local function place(created, id)
  return string.format('%015d', created) .. id
end

local function page_of(call, kind, name, floor)
  return key[kind .. '_page'](call, name, floor)
end

-- The highest floor up to a bound, as ZREVRANGEBYLEX takes it, or nil.
local function floor_below(call, kind, name, bound)
  return redis.call('ZREVRANGEBYLEX', key[kind](call, name), bound, '-', 'LIMIT', 0, 1)[1]
end

local function begin_page(call, kind, name, floor)
  redis.call('ZADD', key[kind](call, name), 0, floor)
  return page_of(call, kind, name, floor)
end

local function by_place(a, b)
  return a.at < b.at
end

local function put(page, jobs, first, last)
  local flat = {}
  for i = first, last do
    flat[#flat + 1] = jobs[i].created
    flat[#flat + 1] = jobs[i].id
  end
  redis.call('ZADD', page, unpack(flat))
end

-- What stands in a page and what comes to it, in order; and whether all that comes is behind.
local function merged(page, coming)
  local all, flat = {}, redis.call('ZRANGE', page, 0, -1, 'WITHSCORES')
  for i = 1, #flat, 2 do
    all[#all + 1] = { created = flat[i + 1], id = flat[i], at = place(flat[i + 1], flat[i]) }
  end
  local behind = #all == 0 or all[#all].at < coming[1].at
  for _, each in ipairs(coming) do
    all[#all + 1] = each
  end
  table.sort(all, by_place)
  return all, behind
end

-- Pages of one that would be too large: full ones where all that comes is behind, as more will, else equal ones.
local function split(call, kind, name, page, coming)
  local all, behind = merged(page, coming)
  local many = behind and FULL or math.ceil(#all / math.ceil(#all / FULL))
  redis.call('DEL', page) -- one that grew beyond its size would stay roomy for good
  put(page, all, 1, math.min(many, #all))
  for first = many + 1, #all, many do
    put(begin_page(call, kind, name, all[first].at), all, first, math.min(first + many - 1, #all))
  end
end

-- Those of the jobs, which are in order, that go to the same page as the first: how many there are.
local function run_of(call, kind, name, floor, jobs)
  local bound = jobs[2] and redis.call('ZRANGEBYLEX', key[kind](call, name), '(' .. floor, '+', 'LIMIT', 0, 1)[1]
  local many = 1
  while jobs[many + 1] and not (bound and jobs[many + 1].at >= bound) do
    many = many + 1
  end
  return many
end

local function write_run(call, kind, name, jobs)
  local floor = floor_below(call, kind, name, '[' .. jobs[1].at)
  local page = floor and page_of(call, kind, name, floor) or begin_page(call, kind, name, '')
  local many = run_of(call, kind, name, floor or '', jobs)
  local coming = { unpack(jobs, 1, many) }
  if redis.call('ZCARD', page) + many > FULL then
    split(call, kind, name, page, coming)
  else
    put(page, coming, 1, many)
  end
  return { unpack(jobs, many + 1) }
end

local function write_index(call, index)
  local pending = call.pages[index]
  call.pages[index] = nil
  local jobs = pending and pending.jobs or {}
  if pending and pending.mixed then
    table.sort(jobs, by_place)
  end
  while jobs[1] do
    jobs = write_run(call, pending.kind, pending.name, jobs)
  end
end

-- Of those that something was removed from.
local function drop_empty_pages(call)
  for page, at in pairs(call.thinned) do
    if redis.call('EXISTS', page) == 0 then
      redis.call('ZREM', at.index, at.floor)
    end
  end
  call.thinned = {}
end

-- Put together and written once at the operation's end, or before something is removed.
function M.add(call, kind, name, created, id)
  local index = key[kind](call, name)
  local pending = call.pages[index]
  if not pending then
    pending = { kind = kind, name = name, jobs = {} }
    call.pages[index] = pending
  end
  local jobs, at = pending.jobs, place(created, id)
  pending.mixed = pending.mixed or (jobs[1] and at < jobs[#jobs].at)
  jobs[#jobs + 1] = { created = created, id = id, at = at }
end

function M.write(call)
  local indexes = {}
  for index in pairs(call.pages) do
    indexes[#indexes + 1] = index
  end
  for _, index in ipairs(indexes) do
    write_index(call, index)
  end
  drop_empty_pages(call)
end

-- True where it was there.
function M.remove(call, kind, name, created, id)
  write_index(call, key[kind](call, name))
  local floor = floor_below(call, kind, name, '[' .. place(created, id))
  local page = floor and page_of(call, kind, name, floor)
  if not page or redis.call('ZREM', page, id) == 0 then
    return false
  end
  call.thinned[page] = { index = key[kind](call, name), floor = floor }
  return true
end

-- Adds entries of a page that stand between two places to what was found.
local function collect(entries, from, below, most, found)
  for i = 1, #entries, 2 do
    local at = place(entries[i + 1], entries[i])
    if #found < 2 * most and at >= from and (below == '' or at < below) then
      found[#found + 1] = entries[i]
      found[#found + 1] = entries[i + 1]
    end
  end
end

-- The newest from a place on ('': all) and below another ('': all), at most so many: id, created, id, …
function M.newest(call, kind, name, from, below, most)
  local found, bound = {}, below == '' and '+' or '(' .. below
  while #found < 2 * most do
    local floor = floor_below(call, kind, name, bound)
    if not floor then
      return found
    end
    local page = page_of(call, kind, name, floor)
    collect(redis.call('ZREVRANGE', page, 0, -1, 'WITHSCORES'), from, below, most, found)
    if floor <= from then
      return found
    end
    bound = '(' .. floor
  end
  return found
end

-- The same, the oldest first.
function M.oldest(call, kind, name, from, below, most)
  local found, floors = {}, key[kind](call, name)
  local floor = floor_below(call, kind, name, '[' .. from) or redis.call('ZRANGE', floors, 0, 0)[1]
  while floor and #found < 2 * most and (below == '' or floor < below) do
    local page = page_of(call, kind, name, floor)
    collect(redis.call('ZRANGE', page, 0, -1, 'WITHSCORES'), from, below, most, found)
    floor = redis.call('ZRANGEBYLEX', floors, '(' .. floor, '+', 'LIMIT', 0, 1)[1]
  end
  return found
end

return M
