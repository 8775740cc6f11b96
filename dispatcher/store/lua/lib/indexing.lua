-- How jobs come into indexes by creation and go from them, of those that have many pages (lib/pages.lua): put
-- together, and written once at the operation's end.
--
-- states  hash: how many jobs stand in each such index by state

local schema = require('schema')
local sums = require('lib/sums')
local pages = require('lib/pages')

local M = {}

local key = schema.key
local FULL = schema.page_full

local function count(call, index, by)
  if index.kind == 'by_state' then
    sums.add(call, key.states(call), index.name, by)
  end
end

local function begin_page(call, index, floor)
  redis.call('ZADD', pages.floors(call, index), 0, floor)
  return pages.page(call, index, floor)
end

local function by_place(a, b)
  return a.at < b.at
end

-- The last first: Redis looks for the place of each from the page's beginning, and finds it before those that came just now.
local function put(page, jobs, first, last)
  local flat, many = {}, 0
  for i = last, first, -1 do
    flat[many + 1], flat[many + 2] = jobs[i].created, jobs[i].id
    many = many + 2
  end
  return redis.call('ZADD', page, unpack(flat))
end

-- Whether a job's place is behind all that stand in a page.
local function is_behind(page, job)
  local last = redis.call('ZRANGE', page, -1, -1, 'WITHSCORES')
  return last[1] and pages.place(last[2], last[1]) < job.at
end

-- Pages of their own, as many to each as there may be, or so many.
local function begin_pages(call, index, jobs, first, last, many)
  local added = 0
  for next_first = first, last, many do
    local page = begin_page(call, index, jobs[next_first].at)
    added = added + put(page, jobs, next_first, math.min(next_first + many - 1, last))
  end
  return added
end

-- What stands in a page and what comes to it, in order.
local function merged(page, jobs, first, last)
  local all, flat = {}, redis.call('ZRANGE', page, 0, -1, 'WITHSCORES')
  for i = 1, #flat, 2 do
    all[#all + 1] = { created = flat[i + 1], id = flat[i], at = pages.place(flat[i + 1], flat[i]) }
  end
  for i = first, last do
    all[#all + 1] = jobs[i]
  end
  table.sort(all, by_place)
  return all
end

-- Equal pages of one that would be too large.
local function split(call, index, page, jobs, first, last)
  local all = merged(page, jobs, first, last)
  local many = math.ceil(#all / math.ceil(#all / FULL))
  redis.call('DEL', page) -- one that grew beyond its size would stay roomy for good
  put(page, all, 1, many)
  begin_pages(call, index, all, many + 1, #all, many)
  return last - first + 1
end

local function add_to_page(call, index, floor, jobs, first, last)
  local page = floor and pages.page(call, index, floor) or begin_page(call, index, '')
  if redis.call('ZCARD', page) + last - first + 1 <= FULL then
    count(call, index, put(page, jobs, first, last))
  elseif is_behind(page, jobs[first]) then -- as more will be
    count(call, index, begin_pages(call, index, jobs, first, last, FULL))
  else
    count(call, index, split(call, index, page, jobs, first, last))
  end
end

local function remove_from_page(call, index, floor, jobs, first, last)
  local page, ids = pages.page(call, index, floor or ''), {}
  for i = first, last do
    ids[#ids + 1] = jobs[i].id
  end
  count(call, index, -redis.call('ZREM', page, unpack(ids)))
  if redis.call('EXISTS', page) == 0 then
    redis.call('ZREM', pages.floors(call, index), floor or '')
  end
end

-- The floor of the page that a place belongs to (nil: there is no page yet), and whether no page is above. What
-- comes mostly belongs to the last page.
local function floor_of(call, index, at)
  local last = index.come and redis.call('ZREVRANGE', pages.floors(call, index), '0', '0')[1]
  if last and last <= at then
    return last, true
  end
  return pages.floor_below(call, index, '[' .. at)
end

-- The number of the last of the jobs, which are in order, that belong to the same page as the one with this number.
local function last_of_page(call, index, floor, jobs, first)
  local bound, last = jobs[first + 1] and pages.floor_above(call, index, floor), #jobs
  while last > first and bound and jobs[last].at >= bound do
    last = last - 1
  end
  return last
end

-- Does something for the jobs of each page.
local function by_page(call, index, jobs, act)
  local first = 1
  while jobs[first] do
    local floor, is_last = floor_of(call, index, jobs[first].at)
    local last = is_last and #jobs or last_of_page(call, index, floor or '', jobs, first)
    act(call, index, floor, jobs, first, last)
    first = last + 1
  end
end

local function write_index(call, index)
  local jobs = index.jobs
  if index.mixed then
    table.sort(jobs, by_place)
  end
  by_page(call, index, jobs, index.come and add_to_page or remove_from_page)
end

-- Puts together what comes to an index, or what goes from it.
local function note(call, kind, name, created, id, come)
  local all = call.pages or {}
  local indexes = all[kind] or {}
  local index = indexes[name]
  if not index or index.come ~= come then
    if index then
      write_index(call, index)
    end
    index = { kind = kind, name = name, come = come, jobs = {}, mixed = false }
    indexes[name], all[kind], call.pages = index, indexes, all
  end
  local jobs, many = index.jobs, #index.jobs
  local at = pages.place(created, id) -- of a damaged record it fails here
  index.mixed = index.mixed or (many > 0 and at < jobs[many].at)
  jobs[many + 1] = { created = created, id = id, at = at }
end

-- Both are written at the operation's end.
function M.add(call, kind, name, created, id)
  note(call, kind, name, created, id, true)
end

function M.remove(call, kind, name, created, id)
  note(call, kind, name, created, id, false)
end

function M.write(call)
  for _, indexes in pairs(call.pages or {}) do
    for name, index in pairs(indexes) do
      indexes[name] = nil
      write_index(call, index)
    end
  end
end

return M
