# The same when the standard library is compiled and when a program is: else the cache would not be used.
export GOROOT=/usr/local/go GOCACHE=/usr/local/lib/runcode/cache GOTOOLCHAIN=local GOPROXY=off GOTELEMETRY=off
export GOFLAGS='-trimpath -buildvcs=false' CGO_ENABLED=0 GOPATH=/tmp/go
