# Compiles the standard library once, into the build cache of the go command. Programs of one package are compiled
# against its archives directly, by this list of where they are.
lib=/usr/local/lib/runcode
. $lib/environment.sh
cd /tmp
go list -export -f '{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}' std >$lib/importcfg
