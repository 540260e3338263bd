-- Tells the total of a quota and drops the reservations that it has in, in one step: in between, they would count twice.
--
-- KEYS  the published total; zset of member -> time of lapse
-- ARGV  the total, then members to drop
local QUOTA_MS = 40 * 24 * 3600 * 1000
local known = tonumber(redis.call('GET', KEYS[1]) or 0)
redis.call('SET', KEYS[1], string.format('%.0f', math.max(known, tonumber(ARGV[1]))), 'PX', QUOTA_MS)
for i = 2, #ARGV do
  redis.call('ZREM', KEYS[2], ARGV[i])
end
return 1
