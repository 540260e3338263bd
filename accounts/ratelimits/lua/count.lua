-- How many hold a lease now.
--
-- KEYS[1]  zset of member -> time of lapse
-- ARGV[1]  the time in µs, 0 for this server's own
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
return redis.call('ZCOUNT', KEYS[1], '(' .. string.format('%.0f', now), '+inf')
