-- Grants all checks or none. The one place that takes anything; see accounts/ratelimits/checks.py.
--
-- ARGV[1]   the time in µs, 0 for this server's own
-- ARGV[2..] per check:  bucket  interval  burst  cost        with one key   the time at which the bucket is full
--                       lease   limit     lapse  member      with one key   zset of member -> time of lapse
--                       quota   limit     lapse  member      with two keys  the published total; zset as above
-- ARGV[n]   times and lapses in µs
--
-- Answers {verdict, place, retry after, remaining, reset, remaining, reset, …}: verdict 1 granted, 0 refused by the
-- check at `place` (from 0), -1 the total of the quota at `place` is not known here.

-- Redis drops idle keys a while after they stopped to matter, never before: what a key says is compared with `now`.
local SLACK_MS = 60000
local QUOTA_MS = 40 * 24 * 3600 * 1000

local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local function text(number)
  return string.format('%.0f', number)
end

local answer = {1, 0, 0}
local writes = {}
local key, arg, place = 1, 2, 0

local function refuse(wait)
  if answer[1] == 1 then
    answer[1], answer[2], answer[3] = 0, place, wait
  end
end

local function look_at_members(zset, limit, total, lapse, member, keep_ms)
  redis.call('ZREMRANGEBYSCORE', zset, '-inf', text(now))
  local remaining = limit - total - redis.call('ZCARD', zset)
  local new = redis.call('ZSCORE', zset, member) == false
  if new and remaining < 1 then
    local first = redis.call('ZRANGE', zset, 0, 0, 'WITHSCORES')
    local wait = 0
    if first[2] and first[2] ~= 'inf' then
      wait = tonumber(first[2]) - now
    end
    refuse(wait)
  end
  table.insert(answer, math.max(remaining, 0))
  table.insert(answer, 0)
  local place_of_remaining = #answer - 1
  table.insert(writes, function()
    redis.call('ZADD', zset, 'GT', text(now + lapse), member)
    redis.call('PEXPIRE', zset, text(keep_ms))
    if new then
      answer[place_of_remaining] = math.max(remaining - 1, 0)
    end
  end)
end

while arg <= #ARGV do
  local kind = ARGV[arg]
  if kind == 'bucket' then
    local full_at_key = KEYS[key]
    local interval, burst, cost = tonumber(ARGV[arg + 1]), tonumber(ARGV[arg + 2]), tonumber(ARGV[arg + 3])
    local owed = math.max(tonumber(redis.call('GET', full_at_key) or 0) - now, 0)
    local room = burst * interval
    local missing = owed + cost * interval - room
    if missing > 0 then
      refuse(missing)
    end
    table.insert(answer, math.floor(math.max(room - owed, 0) / interval))
    table.insert(answer, owed)
    local place_of_remaining = #answer - 1
    table.insert(writes, function()
      owed = owed + cost * interval
      redis.call('SET', full_at_key, text(now + owed), 'PX', text(math.ceil(owed / 1000) + SLACK_MS))
      answer[place_of_remaining] = math.floor((room - owed) / interval)
      answer[place_of_remaining + 1] = owed
    end)
    key = key + 1
  else
    local limit, lapse, member = tonumber(ARGV[arg + 1]), tonumber(ARGV[arg + 2]), ARGV[arg + 3]
    if kind == 'lease' then
      look_at_members(KEYS[key], limit, 0, lapse, member, lapse / 1000 + SLACK_MS)
      key = key + 1
    else
      local total = redis.call('GET', KEYS[key])
      if total == false then
        return {-1, place, 0}
      end
      look_at_members(KEYS[key + 1], limit, tonumber(total), lapse, member, QUOTA_MS)
      key = key + 2
    end
  end
  arg = arg + 4
  place = place + 1
end

if answer[1] == 1 then
  for _, write in ipairs(writes) do
    write()
  end
end
return answer
