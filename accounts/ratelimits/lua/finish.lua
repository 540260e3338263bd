-- Gives back what is held, or pins it: keeps it until a published total has it in.
--
-- KEYS  zsets of member -> time of lapse
-- ARGV  per key: drop or pin, member
local QUOTA_MS = 40 * 24 * 3600 * 1000
for i, zset in ipairs(KEYS) do
  local what, member = ARGV[2 * i - 1], ARGV[2 * i]
  if what == 'pin' then
    redis.call('ZADD', zset, '+inf', member)
    redis.call('PEXPIRE', zset, string.format('%.0f', QUOTA_MS))
  else
    redis.call('ZREM', zset, member)
  end
end
return 1
