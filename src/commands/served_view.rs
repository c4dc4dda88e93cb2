//! `serve --view`: the view beside the services, in the same loop.

use baresock::addr::{Address, Reach, Written};
use baresock::cli::{Common, TraceForm};
use baresock::event_loop::EventLoop;
use baresock::events::ServiceId;
use baresock::names::SOCK_STREAM;
use baresock::os::naming;
use baresock::services::Spec;
use baresock::sys::Fd;
use baresock::trace::{self, suspended};
use baresock::view::View;

use super::failure::Failure;
use super::listen::{Listening, SocketFiles, listen_at};
use super::messages::{print, say};

/// How many browsers may wait to be accepted.
const BACKLOG: i32 = 16;

/// The kernel's send buffer of each browser: a browser that does not read holds no more memory than this.
const SEND_BUFFER: i32 = 128 * 1024;

/// The view, and where it listens.
#[derive(Debug)]
pub(crate) struct ServedView {
    view: View,
    listener: Option<Fd>,
}

impl ServedView {
    /// Begins to listen, on this machine only.
    pub(crate) fn listen(at: &Written, common: &Common) -> Result<Self, Failure> {
        let addresses = naming::resolve(at, SOCK_STREAM).map_err(Failure::new)?;
        // One listener is enough: its address is printed.
        let first = addresses.into_iter().next().map(reachable_here_only).transpose()?;
        let how = Listening { sndbuf: Some(SEND_BUFFER), ..Listening::for_streams(BACKLOG) };
        let sockets =
            suspended(|| listen_at(first.into_iter().collect(), how, &mut SocketFiles::default()))?;
        let (listeners, names): (Vec<_>, Vec<_>) = sockets.into_iter().unzip();
        let view = View::new(common.via(), &names);
        let view = view.map_err(|error| Failure::from_std("--view: /dev/urandom", &error))?;
        Ok(Self { view, listener: listeners.into_iter().next() })
    }

    /// Adds the view to the loop, and says in the trace what is left out of it.
    pub(crate) fn add_to(
        &mut self,
        event_loop: &mut EventLoop,
        common: &Common,
    ) -> Result<(), Failure> {
        let Some(listener) = self.listener.take() else { return Ok(()) };
        let number = listener.number().get();
        Failure::if_unwatchable(common.via(), number)?;
        self.view.observe(event_loop, listener);
        if trace::add_sink(self.view.sink()) {
            self.view.share_tracer();
            let line = format!(
                "--view: left out of this trace are the calls on its listener, {number}, and on its browsers' sockets"
            );
            match common.trace {
                Some(TraceForm::Json) => say(&line),
                _ => trace::remark(&line),
            }
        }
        Ok(())
    }

    pub(crate) fn name_service(&mut self, service: ServiceId, spec: &Spec) {
        self.view.name_service(service, spec.to_string());
    }

    /// Tells the person where the view is, and runs the loop to its end.
    pub(crate) fn run(mut self, event_loop: &mut EventLoop) -> Result<(), Failure> {
        for url in self.view.urls() {
            // Also with --quiet, because without its key the view cannot be opened.
            print(format!("view {url} (this machine only)\n").as_bytes())?;
        }
        self.view.run(event_loop).map_err(Failure::new)
    }
}

/// The view can pause the server, so no other machine may reach it.
fn reachable_here_only(address: Address) -> Result<Address, Failure> {
    match &address {
        Address::Unix(_) => Err(Failure::usage(
            "--view: a browser cannot open a Unix-domain socket: write a port, or 127.0.0.1:PORT",
        )),
        _ if address.reach() != Reach::ThisMachine => Err(Failure::usage(format_args!(
            "--view {address}: other machines could reach it, and pause the server: write 127.0.0.1:PORT, and look from \
             elsewhere through ssh -L"
        ))),
        _ => Ok(address),
    }
}
