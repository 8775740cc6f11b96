-- Whether reports wait to be applied that nobody has taken.
--
-- answer   1 or 0

return math.min(redis.call('ZCOUNT', key('reports'), '-inf', NOW), 1)
