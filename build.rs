//! Short names for the conditions that the code asks about, so that a `cfg` reads as one word.

fn main() {
    // Without a line like this, Cargo would run it again after each change of any file of the package. TARGET never changes
    // within a build.
    println!("cargo:rerun-if-env-changed=TARGET");
    cfg_aliases::cfg_aliases! {
        linux: { target_os = "linux" },
        apple: { target_vendor = "apple" },
        freebsd: { target_os = "freebsd" },
        netbsd: { target_os = "netbsd" },
        openbsd: { target_os = "openbsd" },
        bsd: { any(target_os = "freebsd", target_os = "netbsd", target_os = "openbsd") },
        // A socket address begins with a byte that holds its length.
        has_sa_len: { any(target_vendor = "apple", target_os = "freebsd", target_os = "netbsd", target_os = "openbsd") },
        // The libc crate leaves out NetBSD's.
        has_close_range: { any(target_os = "linux", target_os = "freebsd") },
        // NetBSD has it since 10, and ppoll, too.
        has_accept4: { not(target_vendor = "apple") },
        // The one with these arguments: others have another function of this name, or none.
        has_sendfile: { target_os = "linux" },
        // OpenBSD has them since 7.2.
        has_mmsg: { not(target_vendor = "apple") },
        has_ppoll: { not(target_vendor = "apple") },
    }
    // `--version` and the manual name the target that the program was built for.
    println!("cargo:rustc-env=BARESOCK_TARGET={}", std::env::var("TARGET").unwrap_or_default());
}
