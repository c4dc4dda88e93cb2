//! `baresock connect`: talk to a server.

use std::io::{self, IsTerminal};

use baresock::addr::{Address, Host, Port, Written};
use baresock::cli::{Common, ConnectArgs};
use baresock::client::{self, ClientEnd, ClientOptions, Meeting, SessionReport};
use baresock::framing::in_bytes;
use baresock::names::{FD_CLOEXEC, Protocol, SIGCONT, SOCK_DGRAM, SOCK_STREAM};
use baresock::os::accepting::set_nonblocking;
use baresock::os::signals::interrupt_waits;
use baresock::os::{naming, standard_output, watching};
use baresock::poller::Via;
use baresock::sys::{self, Fd};
use baresock::trace::Function;

use super::failure::Failure;
use super::listen::{Listening, SocketFiles, listen_at};
use super::messages::{CONNECTED_TO_ITSELF, Loudness, Reporter, Told, say};

/// Runs a session until the peer has finished.
pub(crate) fn run(
    connect: &ConnectArgs,
    common: &Common,
    loudness: Loudness,
) -> Result<(), Failure> {
    if let Some(port) = &connect.port {
        let port = port.escape_debug();
        // A host alone looks like the name of a service.
        let host = match &connect.address {
            Written::Internet { host: Host::Loopback, port: Port::Service(name) } => {
                name.escape_debug().to_string()
            }
            _ => "HOST".to_string(),
        };
        return Err(Failure::usage(format_args!(
            "'{port}' is one argument too many: write host and port with a colon, {host}:{port}"
        )));
    }
    if standard_output::was_closed(io::stdout()) {
        return Err(Failure::new(
            "standard output is closed, but the peer's bytes go there; use >/dev/null to discard them",
        ));
    }
    let via = via_for_files(common.via(), loudness);
    let mut files = SocketFiles::default();
    let meeting = meeting(connect, loudness, &mut files)?;
    let options = ClientOptions {
        half_close: !connect.no_half_close,
        keep_sending: connect.keep_sending,
        crlf: connect.crlf,
        frame: connect.frame,
        idle_timeout: connect.idle_timeout,
    };
    // After Control-Z and fg, poll's timeout has run on, while select would wait for the rest of its own. The signal
    // interrupts both, and the loop asks again.
    interrupt_waits(SIGCONT).map_err(|errno| Failure::of("sigaction", errno))?;
    let mut reporter = Reporter::new(loudness);
    let report = client::talk(via, meeting, options, move |notice| reporter.tell(notice))
        .map_err(Failure::new)?;
    let not_connected = match report.end {
        Some(ClientEnd::NotConnected(_, errno)) => Some(errno),
        _ => None,
    };
    end(report, connect, loudness).map_err(|failure| match not_connected {
        Some(errno) => failure.unless_unwatchable(via, errno),
        None => failure,
    })
}

/// The call that can watch standard input and output.
fn via_for_files(wanted: Via, loudness: Loudness) -> Via {
    let can_watch = watching::poll_can_watch(io::stdin()) && watching::poll_can_watch(io::stdout());
    if wanted == Via::Select || can_watch {
        return wanted;
    }
    if loudness >= Loudness::Ordinary {
        say("this system's poll cannot watch standard input or output: waiting with select");
    }
    Via::Select
}

fn meeting(
    connect: &ConnectArgs,
    loudness: Loudness,
    files: &mut SocketFiles,
) -> Result<Meeting, Failure> {
    if connect.listen {
        let mut listeners = Vec::new();
        let addresses = naming::resolve(&connect.address, SOCK_STREAM).map_err(Failure::new)?;
        let how = Listening { loudness, ..Listening::for_streams(1) };
        for (fd, name) in listen_at(addresses, how, files)? {
            if loudness >= Loudness::Ordinary {
                // Standard output is reserved for the peer's bytes.
                say(format_args!("listening {} ({})", Told(&name), name.reach()));
            }
            listeners.push(fd);
        }
        return Ok(Meeting::Accept(listeners));
    }
    let kind = if connect.udp { SOCK_DGRAM } else { SOCK_STREAM };
    let addresses = naming::resolve(&connect.address, kind).map_err(Failure::new)?;
    if !connect.udp {
        return Ok(Meeting::Connect(addresses, connect.timeout));
    }
    let mut failure = Failure::new(format_args!("{}: no address", connect.address));
    for address in addresses {
        match datagram_socket(&address) {
            Ok(fd) => return Ok(Meeting::Datagrams(fd, address)),
            Err(errno) => failure = Failure::at(Function::CONNECT, &address, errno),
        }
    }
    Err(failure)
}

/// For datagrams, `connect` sends nothing: it only sets the peer's address.
fn datagram_socket(address: &Address) -> baresock::names::Result<Fd> {
    let fd = sys::socket(address.domain(), SOCK_DGRAM, Protocol::default())?;
    sys::fcntl_setfd(&fd, FD_CLOEXEC)?;
    set_nonblocking(&fd)?;
    sys::connect(&fd, address)?;
    Ok(fd)
}

fn end(report: SessionReport, connect: &ConnectArgs, loudness: Loudness) -> Result<(), Failure> {
    let peer = report.peer.map_or(String::new(), |peer| Told(&peer).to_string());
    let counts =
        format!("{} sent, {} received", in_bytes(report.bytes_sent), report.bytes_received);
    let why = match report.end {
        Some(ClientEnd::NotConnected(Some(address), errno)) => {
            return Err(Failure::at(Function::CONNECT, &address, errno));
        }
        Some(ClientEnd::NotConnected(None, errno)) => return Err(Failure::of("connect", errno)),
        Some(ClientEnd::ConnectedToItself(address)) => {
            let address = Told(&address);
            return Err(Failure::new(format_args!("connect {address}: {CONNECTED_TO_ITSELF}")));
        }
        Some(ClientEnd::Failed(call, errno)) => {
            return Err(Failure::of(format_args!("{call} {peer}"), errno).adding(&counts));
        }
        Some(ClientEnd::FileFailed(call, errno)) => {
            let file = if call == Function::READ { "standard input" } else { "standard output" };
            return Err(Failure::of(format_args!("{call} {file}"), errno).adding(&counts));
        }
        Some(ClientEnd::Unfinished(unfinished)) => {
            return Err(Failure::new(format_args!("{peer}: {unfinished}: {counts}")));
        }
        Some(ClientEnd::TooLong(too_long)) => {
            return Err(Failure::new(format_args!("{peer}: {too_long}: {counts}")));
        }
        Some(ClientEnd::NoClientCame) => {
            let waited = connect.idle_timeout.map_or(0.0, |limit| limit.as_secs_f64());
            return Err(Failure::new(format_args!(
                "{}: no client connected within {waited} s",
                connect.address
            )));
        }
        // As for every filter whose reader has closed the pipe.
        Some(ClientEnd::OutputClosed) | None => return Ok(()),
        // At a terminal, standard input never ends before.
        Some(ClientEnd::PeerFinished) if !report.input_ended && !io::stdin().is_terminal() => {
            "the peer has finished, but standard input has not (see --keep-sending)"
        }
        Some(ClientEnd::PeerFinished) => "the peer has finished",
        Some(ClientEnd::Silent) => "no more datagrams arrived",
    };
    if loudness >= Loudness::Ordinary {
        say(format_args!("{peer}: {why}: {counts}"));
    }
    Ok(())
}
