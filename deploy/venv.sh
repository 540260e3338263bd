#!/usr/bin/env bash
# Makes .venv hold what a lock file says: deploy/venv.sh PYTHON LOCK [LOCK that the first one includes …]
# Instant when it does already. pip's own configuration (index, proxies, certificates) is respected.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1
shift

# A virtual environment knows its own path and Python: moved or upgraded, it is made anew.
stamp() {
    printf '%s\n' "$PWD" "$("$python" -c 'import sys; print(sys.version, sys.base_prefix)')" "$(sha256sum <"$1")" |
        sha256sum | cut -c1-16
}

if [ -e ".venv/.has-$(stamp "$1")" ]; then
    exit 0
fi
base=$(printf '%s\n' "$PWD" "$("$python" -c 'import sys; print(sys.version, sys.base_prefix)')" | sha256sum | cut -c1-16)
if [ ! -e ".venv/.made-$base" ]; then
    rm -rf .venv
    "$python" -m venv .venv
    touch ".venv/.made-$base"
fi
echo "  Python packages: installing $(grep -c '==' "$1") of $1 into .venv …"
started=$SECONDS
.venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r "$1"
for lock in "$@"; do
    touch ".venv/.has-$(stamp "$lock")"
done
echo "  Python packages: installed in $((SECONDS - started)) s"
