# Compiles the standard library once, into the build cache of the go command, and the further libraries after it.
# Programs of one package are compiled against their archives directly, by this list of where they are.
lib=/usr/local/lib/runcode
. $lib/environment.sh
cd /tmp
format='{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}'
go list -export -f "$format" std >$lib/importcfg
: >$lib/libraries
[ -d /usr/share/gocode/src ] || exit 0

export GO111MODULE=off GOPATH=/usr/share/gocode
packages() {
    for path; do
        find -L /usr/share/gocode/src/"$path" -name '*.go' ! -name '*_test.go' ! -path '*/internal/*' ! -path '*/testdata/*' \
            ! -path '*/cmd/*' ! -path '*/examples/*' -printf '%h\n'
    done | sort -u | sed 's#^/usr/share/gocode/src/##'
}
gonum=gonum.org/v1/gonum
# shellcheck disable=SC2046 - one word for each package
go list -e -deps -export -f "{{if not .Standard}}$format{{end}}" \
    $(packages github.com/emirpasic/gods github.com/google/uuid github.com/shopspring/decimal golang.org/x/sync) \
    golang.org/x/exp/constraints golang.org/x/exp/maps golang.org/x/exp/rand golang.org/x/exp/slices \
    golang.org/x/text/cases golang.org/x/text/collate golang.org/x/text/language golang.org/x/text/message golang.org/x/text/unicode/norm \
    $gonum/floats $gonum/graph/flow $gonum/graph/path $gonum/graph/simple $gonum/graph/topo $gonum/graph/traverse \
    $gonum/mat $gonum/optimize $gonum/stat $gonum/stat/combin $gonum/stat/distuv | grep . >>$lib/importcfg

version() {
    dpkg-query -W -f '${Version}' "$1" | sed -E 's/[-+].*//; s/^0\.0~git([0-9]+).*/0.0.0-\1/'
}
{
    echo "github.com/emirpasic/gods $(version golang-github-emirpasic-gods-dev)"
    echo "github.com/google/uuid $(version golang-github-google-uuid-dev)"
    echo "github.com/shopspring/decimal $(version golang-github-shopspring-decimal-dev)"
    echo "golang.org/x/exp $(version golang-golang-x-exp-dev)"
    echo "golang.org/x/sync $(version golang-golang-x-sync-dev)"
    echo "golang.org/x/text $(version golang-golang-x-text-dev)"
    echo "gonum.org/v1/gonum $(version golang-gonum-v1-gonum-dev)"
} >$lib/libraries
# Programs are linked with what was compiled here; the sources were for that.
rm -rf /usr/share/gocode
