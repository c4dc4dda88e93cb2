//! `baresock bare`: the loop itself, without anything around it.

use baresock::addr::Written;
use baresock::names::{Errno, SOCK_STREAM};
use baresock::os::naming;
use baresock::poller::Via;
use baresock::{bare_poll, bare_select};

use super::failure::Failure;
use super::listen::{SocketFiles, makes_way};
use super::messages::{Loudness, announce};

/// Serves until a signal or an error ends the program.
pub(crate) fn run(written: &Written, via: Via, loudness: Loudness) -> Result<(), Failure> {
    let addresses = naming::resolve(written, SOCK_STREAM).map_err(Failure::new)?;
    let [address, ..] = &addresses[..] else {
        return Err(Failure::new(format_args!("{written}: no address")));
    };
    // A signal ends this loop at once. The file of a Unix-domain socket stays, for the next server to replace.
    makes_way(address, SOCK_STREAM, loudness);
    let mut files = SocketFiles::default();
    let mut listening = false;
    let mut unannounced = None;
    let announce = |name: &_| {
        files.add(name);
        listening = true;
        announce("echo", name, loudness).map_err(|failure| {
            unannounced = Some(failure);
            Errno::EIO
        })
    };
    let served = match via {
        Via::Select => bare_select::serve(address, announce),
        Via::Poll => bare_poll::serve(address, announce),
    };
    served.map_err(|errno: Errno| match (unannounced, listening) {
        (Some(failure), _) => failure,
        (None, true) => Failure::of(via, errno),
        (None, false) => Failure::at(baresock::trace::Function::BIND, address, errno)
            .unless_unwatchable(via, errno),
    })
}
