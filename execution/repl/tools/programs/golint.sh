# Go's compiler, and what only looks suspicious to it: go vet. The go command would plan both for a second.
lib=/usr/local/lib/runcode
. $lib/environment.sh
tools=$GOROOT/pkg/tool/linux_amd64
"$tools/compile" -e -o /tmp/program.a -p main -complete -importcfg $lib/importcfg "$1" || exit 1
list() {
    sed -n "s#^packagefile \([^=]*\)=\(.*\)#$1#p" $lib/importcfg | sed '$!s/$/,/'
}
cat >/tmp/vet.cfg <<END
{"ID": "main", "Compiler": "gc", "Dir": "$PWD", "ImportPath": "main", "GoFiles": ["$PWD/$1"],
 "VetxOutput": "/tmp/vet.facts", "GoVersion": "go$($tools/compile -V | sed 's/.*go\([0-9]*\.[0-9]*\).*/\1/')",
 "ImportMap": {$(list '"\1": "\1"')}, "PackageFile": {$(list '"\1": "\2"')}}
END
"$tools/vet" /tmp/vet.cfg 2>&1 | sed -E 's/^([^:]*:[0-9]+:[0-9]+): /\1: warning: /'
