-- Prolongs what is held, or takes it anew where it lapsed or was lost. Never shortens, so a pinned member stays pinned.
--
-- KEYS     zsets of member -> time of lapse
-- ARGV[1]  the time in µs, 0 for this server's own
-- ARGV     then per key: lapse in µs, ms to keep the key, member
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
for i, zset in ipairs(KEYS) do
  local lapse, keep_ms, member = tonumber(ARGV[3 * i - 1]), ARGV[3 * i], ARGV[3 * i + 1]
  redis.call('ZADD', zset, 'GT', string.format('%.0f', now + lapse), member)
  redis.call('PEXPIRE', zset, keep_ms)
end
return 1
