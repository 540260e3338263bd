# The versions of C++'s libraries.
version() {
    dpkg-query -W -f '${Version}' "$1" | sed -E 's/^([0-9]+\.[0-9]+\.[0-9]+).*/\1/'
}
{
    echo "Boost $(version libboost-dev)"
    echo "Eigen $(version libeigen3-dev)"
} >/usr/local/lib/runcode/libraries
