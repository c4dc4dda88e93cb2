//! `serve --view`: the view beside the services, in the same loop.

use baresock::addr::Written;
use baresock::cli::{Common, TraceForm};
use baresock::event_loop::EventLoop;
use baresock::events::ServiceId;
use baresock::services::Spec;
use baresock::sys::Fd;
use baresock::trace;
use baresock::view::View;

use super::failure::Failure;
use super::messages::{print, say};
use super::view_listener::listen_for_pages;

/// The view, and where it listens.
#[derive(Debug)]
pub(crate) struct ServedView {
    view: View,
    listener: Option<Fd>,
}

impl ServedView {
    /// Begins to listen, on this machine only.
    pub(crate) fn listen(at: &Written, common: &Common) -> Result<Self, Failure> {
        let (listener, name) = listen_for_pages(at)?;
        let view = View::new(common.via(), &[name]);
        let view = view.map_err(|error| Failure::from_std("--view: /dev/urandom", &error))?;
        Ok(Self { view, listener: Some(listener) })
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
