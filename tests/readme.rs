//! The README's example of the library, which must be the same here as there.

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::expect_used)]

use baresock::sys::*;

const README: &str = include_str!("../README.md");
const THIS_FILE: &str = include_str!("readme.rs");

// The example begins.
fn example() -> Result<()> {
    let [one, other] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    send(&one, b"hello", MSG_NOSIGNAL)?;

    let mut readable = FdSet::new();
    readable.set(&other).expect("a small number");
    let ready = select(readable.nfds(), Some(&mut readable), None, None, None)?;
    assert_eq!((ready, readable.isset(&other)), (1, true));

    let mut buf = [0; 64];
    let received = recv(&other, &mut buf, MsgFlags::NONE)?;
    assert_eq!(&buf[..received], b"hello");
    Ok(())
}
// The example ends.

#[test]
fn the_example_of_the_readme_runs() {
    example().unwrap();
    let after = THIS_FILE.split("// The example begins.\n").nth(1).unwrap();
    let example = after.split("// The example ends.").next().unwrap();
    let as_main = example.replace("fn example()", "fn main()");
    assert!(README.contains(as_main.trim_end()), "the README has another example than this test");
}
