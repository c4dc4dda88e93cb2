//! `--view` of a lab, of the tour and of a bare loop: starts the thread that serves the pages, and lets the run begin.

use std::io::{self, BufRead, IsTerminal, Write};

use baresock::addr::{Address, Written};
use baresock::cli::Common;
use baresock::names::Errno;
use baresock::os::output::Patient;
use baresock::os::watching::poll_can_watch;
use baresock::sys::{AsFd, Fd, POLLIN, PollFd, poll};
use baresock::trace::suspended;
use baresock::view::{RunKind, RunPlace, RunView};

use super::failure::Failure;
use super::messages::{print, say};
use super::view_listener::listen_for_pages;

/// Without a terminal, at which a key could be typed, the run begins after this time even if no page looks.
const PATIENCE_SECONDS: i32 = 60;

/// A listener for the pages. It is made before a lab or the tour moves into a network of its own, which no browser reaches.
#[derive(Debug)]
pub(crate) struct PageListener {
    listener: Fd,
    name: Address,
}

impl PageListener {
    /// Begins to listen, if the command line asks for a view.
    pub(crate) fn listen(at: Option<&Written>, common: &Common) -> Result<Option<Self>, Failure> {
        let Some(at) = at else { return Ok(None) };
        if common.step {
            return Err(Failure::usage(
                "--view and --step both stop before calls: the page has a step of its own; give one of the two",
            ));
        }
        let (listener, name) = listen_for_pages(at)?;
        Ok(Some(Self { listener, name }))
    }

    fn serve(
        self,
        kind: (RunKind, RunPlace),
        what: &str,
        common: &Common,
    ) -> Result<RunView, Failure> {
        let via = common.via().to_string();
        RunView::start(self.listener, &[self.name], kind, what.to_string(), via)
            .map_err(|error| Failure::from_std("--view", &error))
    }

    /// Serves pages about a server.
    pub(crate) fn serve_server(self, what: &str, common: &Common) -> Result<RunView, Failure> {
        self.serve((RunKind::Server, RunPlace::Here), what, common)
    }

    /// Serves pages about a script, and says on standard error where they are, because standard output has its report.
    /// Returns when the first page looks, or when Enter is typed in the terminal.
    pub(crate) fn serve_script(
        self,
        place: RunPlace,
        what: &str,
        common: &Common,
    ) -> Result<RunView, Failure> {
        let view = self.serve((RunKind::Script, place), what, common)?;
        let _ = Patient(io::stderr()).write_all(addresses(&view).as_bytes());
        suspended(|| wait_to_begin(&view, what, common))?;
        Ok(view)
    }
}

/// Says on standard output where the pages are.
pub(crate) fn tell_address(view: &RunView) -> Result<(), Failure> {
    print(addresses(view).as_bytes())
}

/// Also with `--quiet`, because without its key the view cannot be opened.
fn addresses(view: &RunView) -> String {
    view.urls().iter().map(|url| format!("view {url} (this machine only)\n")).collect()
}

fn wait_to_begin(view: &RunView, what: &str, common: &Common) -> Result<(), Failure> {
    let stdin = io::stdin();
    let has_keys = stdin.is_terminal() && poll_can_watch(&stdin);
    let (keys, timeout) = match has_keys {
        true => ("or without a page when you press Enter".to_string(), -1),
        false => {
            (format!("or after {PATIENCE_SECONDS} seconds without one"), PATIENCE_SECONDS * 1000)
        }
    };
    if !common.quiet {
        say(format_args!("{what} begins when the page is opened, {keys}"));
    }
    loop {
        let mut rows = [view.begun(), stdin.as_fd()].map(|fd| PollFd::new(fd, POLLIN));
        let asked = if has_keys { &mut rows[..] } else { &mut rows[..1] };
        match poll(asked, timeout) {
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(Failure::of("--view: poll", errno)),
            Ok(_) if rows[0].revents().bits() != 0 => return Ok(()),
            Ok(ready) => {
                if ready > 0 {
                    // Also at the end of file: no key can follow.
                    let _ = stdin.lock().read_line(&mut String::new());
                }
                view.begin_unwatched();
                return Ok(());
            }
        }
    }
}
