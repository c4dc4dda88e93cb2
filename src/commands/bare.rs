//! `baresock bare`: the loop itself, without anything around it.

use baresock::addr::{Address, Written};
use baresock::cli::Common;
use baresock::names::{Errno, SOCK_STREAM};
use baresock::os::identity::caller;
use baresock::os::naming;
use baresock::os::receiving::PassedDescriptors;
use baresock::poller::Via;
use baresock::trace::call::Installed;
use baresock::trace::{Tracer, add_sink, install};
use baresock::view::{RunSink, RunView};
use baresock::{bare_poll, bare_select};

use super::failure::Failure;
use super::listen::{SocketFiles, makes_way};
use super::messages::{Loudness, announce};
use super::run_view::{PageListener, tell_address};

/// Serves until a signal or an error ends the program.
pub(crate) fn run(
    written: &Written,
    view: Option<&Written>,
    common: &Common,
    loudness: Loudness,
) -> Result<(), Failure> {
    let pages = PageListener::listen(view, common)?;
    let shown = pages.map(|pages| show(pages, common)).transpose()?;
    let via = common.via();
    let addresses = naming::resolve(written, SOCK_STREAM).map_err(Failure::new)?;
    let [address, ..] = &addresses[..] else {
        return Err(Failure::new(format_args!("{written}: no address")));
    };
    refuse_if_unsafe(address, PassedDescriptors::HERE)?;
    // A signal ends this loop at once. The file of a Unix-domain socket stays, for the next server to replace.
    makes_way(address, SOCK_STREAM, loudness);
    let mut files = SocketFiles::default();
    let mut listening = false;
    let mut unannounced = None;
    let announce = |name: &_| {
        files.add(name);
        listening = true;
        let told = announce("echo", name, loudness);
        let told = told.and_then(|()| shown.iter().try_for_each(|(view, _)| tell_address(view)));
        told.map_err(|failure| {
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

/// Refuses an address at which any client could take all of this server's descriptors. The loop itself stays as short as it is
/// because it receives with `recv` everywhere; the event loop of `serve` receives with room for descriptors and closes them.
fn refuse_if_unsafe(address: &Address, passed: PassedDescriptors) -> Result<(), Failure> {
    if !passed.can_fill_the_table(address) {
        return Ok(());
    }
    Err(Failure::new(format_args!(
        "bare at {address}: on this system recv keeps the descriptors that a client passes, so any client could fill this \
         program's table; use baresock serve echo, which closes them"
    )))
}

/// Shows the calls of this thread in a browser, in addition to its trace.
fn show(pages: PageListener, common: &Common) -> Result<(RunView, Option<Installed>), Failure> {
    let view = pages.serve_server("the bare loop", common)?;
    let sink = || RunSink::new(view.teller().clone(), "");
    let installed = (!add_sink(sink())).then(|| install(Tracer::new(sink()).with_caller(caller())));
    Ok((view, installed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn clients_that_could_fill_the_table_are_refused_before_they_can_come() {
        use PassedDescriptors::{AreClosed, StayOpen};
        let [unix, tcp] = [Address::unix("server"), Address::v4(Ipv4Addr::LOCALHOST, 7007)];
        let refused = refuse_if_unsafe(&unix, StayOpen).unwrap_err().to_string();
        assert!(refused.contains("serve echo"), "{refused}");
        for (address, passed) in [(&unix, AreClosed), (&tcp, StayOpen), (&tcp, AreClosed)] {
            assert!(refuse_if_unsafe(address, passed).is_ok(), "{address}");
        }
    }
}
