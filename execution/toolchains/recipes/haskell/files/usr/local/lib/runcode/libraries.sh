# The packages of the global database, those that come with GHC included.
for package in $(ghc-pkg list --global --simple-output); do
    echo "${package%-*} ${package##*-}"
done
