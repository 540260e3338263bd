# Compiles the crates that programs may use, and writes how rustc finds them: `rustc.args`, one argument a line.
lib=/usr/local/lib/runcode
: >$lib/libraries
: >$lib/rustc.args
if command -v mold >/dev/null; then
    printf '%s\n' -Clink-arg=-fuse-ld=mold -Clink-arg=-Wl,--thread-count=2 >$lib/rustc.args
fi
[ -d /usr/share/cargo/registry ] || exit 0

mkdir -p /tmp/crates/src /tmp/crates/.cargo $lib/crates
cd /tmp/crates
export CARGO_HOME=/tmp/cargo
cat >.cargo/config.toml <<'CONFIG'
[source.crates-io]
replace-with = "debian"
[source.debian]
directory = "/usr/share/cargo/registry"
CONFIG
cat >Cargo.toml <<'MANIFEST'
[package]
name = "crates"
version = "1.0.0"
edition = "2024"

[dependencies]
ahash = "*"
chrono = "*"
indexmap = "*"
itertools = "*"
num = "*"
ordered-float = "*"
petgraph = "*"
rand = "*"
rayon = "*"
regex = "*"
serde = { version = "*", features = ["derive"] }
serde_json = "*"
MANIFEST
echo 'fn main() {}' >src/main.rs
cargo build --release --offline -v 2>build.log || { tail -n 30 build.log; exit 1; }

cp target/release/deps/*.rlib target/release/deps/*.so $lib/crates/
echo "-Ldependency=$lib/crates" >>$lib/rustc.args
# As cargo calls rustc for the package itself, which names every dependency.
grep -- '--crate-name crates ' build.log | tr ' ' '\n' | grep '^[a-z_]*=.*/deps/lib' |
    sed "s#^\([a-z_]*\)=.*/\(lib[^/]*\.rlib\).*#--extern=\1=$lib/crates/\2#" >>$lib/rustc.args
sed -n 's/^--extern=\([a-z_]*\)=.*/\1/p' $lib/rustc.args | while read -r name; do
    # The version that the package itself uses stands behind the name where Cargo.lock has several.
    wanted=$(awk '/^name = "crates"$/ { own = 1 } own' Cargo.lock | sed -n "s/^ \"$(echo "$name" | tr _ '?' | sed 's/?/[-_]/g') \([^\" ]*\).*/\1/p")
    grep -A 1 -x "name = \"$(echo "$name" | sed 's/_/[-_]/g')\"" Cargo.lock | sed -n 's/^version = "\(.*\)"/\1/p' |
        { [ -z "$wanted" ] && head -n 1 || grep -x "$wanted"; } | sed "s/^/$name /"
done >$lib/libraries
# Compiled they are; cargo, their sources and what those need can go.
rm -rf /usr/share/cargo /usr/bin/cargo
