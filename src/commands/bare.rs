//! `baresock bare`: the loop itself, without anything around it.

use baresock::addr::Written;
use baresock::cli::Common;
use baresock::names::{Errno, SOCK_STREAM};
use baresock::os::identity::caller;
use baresock::os::naming;
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

/// Shows the calls of this thread in a browser, in addition to its trace.
fn show(pages: PageListener, common: &Common) -> Result<(RunView, Option<Installed>), Failure> {
    let view = pages.serve_server("the bare loop", common)?;
    let sink = || RunSink::new(view.teller().clone(), "");
    let installed = (!add_sink(sink())).then(|| install(Tracer::new(sink()).with_caller(caller())));
    Ok((view, installed))
}
