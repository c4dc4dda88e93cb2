#!/bin/bash
# nix's if_indextoname(4242), where no interface has this number, gives Ok("") instead of Err(ENXIO). The C function returns NULL
# then; nix passes that pointer to Errno::result, which compares it with the sentinel of its type, and for `*mut c_void` that is
# -1, which mmap returns when it fails (MAP_FAILED; src/errno.rs, ErrnoSentinel). NULL is not -1, so the buffer, still all zeros,
# counts as the name. `baresock` asks the C function itself (src/sys/if_nameindex.rs), which gives ENXIO.
# Seen with nix 0.31.3 on Linux; the cause is in no part of it that depends on the system. Needs cargo, which downloads the crate.
set -eu
command -v cargo >/dev/null || { echo "needs cargo"; exit 2; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

mkdir "$place/src"
cat >"$place/Cargo.toml" <<'TOML'
[package]
name = "no-interface"
version = "0.0.0"
edition = "2021"

[dependencies]
nix = { version = "=0.31.3", default-features = false, features = ["net"] }
TOML

cat >"$place/src/main.rs" <<'RUST'
fn main() {
    println!("nix: {:?}", nix::net::if_::if_indextoname(4242));
    let mut name = [0; nix::libc::IF_NAMESIZE];
    // SAFETY: there is room for IF_NAMESIZE bytes.
    let returned = unsafe { nix::libc::if_indextoname(4242, name.as_mut_ptr()) };
    println!("C: NULL: {}, {:?}", returned.is_null(), nix::errno::Errno::last());
}
RUST

expected='nix: Ok("")
C: NULL: true, ENXIO'
actual=$(cd "$place" && cargo run -q --target-dir "$place/target")
echo "$actual"
[ "$actual" = "$expected" ] || { printf 'CHANGED: expected\n%s\n' "$expected"; exit 1; }
