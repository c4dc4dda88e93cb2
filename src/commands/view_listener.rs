//! Where a view listens: on this machine only.

use baresock::addr::{Address, Reach, Written};
use baresock::names::SOCK_STREAM;
use baresock::os::naming;
use baresock::sys::Fd;
use baresock::trace::suspended;

use super::failure::Failure;
use super::listen::{Listening, SocketFiles, listen_at};

/// How many browsers may wait to be accepted.
const BACKLOG: i32 = 16;

/// The kernel's send buffer of each browser: a browser that does not read holds no more memory than this.
const SEND_BUFFER: i32 = 128 * 1024;

/// Begins to listen for the browsers of a view, without a trace.
pub(crate) fn listen_for_pages(at: &Written) -> Result<(Fd, Address), Failure> {
    let addresses = naming::resolve(at, SOCK_STREAM).map_err(Failure::new)?;
    // One listener is enough: its address is printed.
    let first = addresses.into_iter().next().map(reachable_here_only).transpose()?;
    let how = Listening { sndbuf: Some(SEND_BUFFER), ..Listening::for_streams(BACKLOG) };
    let listening =
        suspended(|| listen_at(first.into_iter().collect(), how, &mut SocketFiles::default()))?;
    let none = || Failure::new(format_args!("--view {at}: no address"));
    listening.into_iter().next().ok_or_else(none)
}

/// The view can hold what it shows, so no other machine may reach it.
fn reachable_here_only(address: Address) -> Result<Address, Failure> {
    match &address {
        Address::Unix(_) => Err(Failure::usage(
            "--view: a browser cannot open a Unix-domain socket: write a port, or 127.0.0.1:PORT",
        )),
        _ if address.reach() != Reach::ThisMachine => Err(Failure::usage(format_args!(
            "--view {address}: other machines could reach it, and pause the program: write 127.0.0.1:PORT, and look from \
             elsewhere through ssh -L"
        ))),
        _ => Ok(address),
    }
}
