//! `baresock serve`: any number of services in one loop.

use std::fmt::Display;
use std::num::NonZeroUsize;

use baresock::addr::Address;
use baresock::cli::{Common, ServeArgs};
use baresock::event_loop::{EventLoop, Limits};
use baresock::events::Service;
use baresock::names::{Errno, SIGCONT, SIGHUP, SIGINT, SIGTERM, SOCK_STREAM};
use baresock::os::privileges::{self, Account, NotDropped};
use baresock::os::{limits, naming, signals};
use baresock::poller::TierLimits;
use baresock::services::{
    Chargen, Chat, Daytime, Discard, Echo, Framed, Guarded, Http, Relay, ServiceKind, Signals,
    Spec, Time, Transport, Upper,
};
use baresock::sys::Fd;

use super::failure::Failure;
use super::listen::{Listening, SocketFiles, listen_at};
use super::messages::{Loudness, Reporter, announce, say};
use super::served_view::ServedView;

/// Serves until a signal ends it.
pub(crate) fn run(serve: &ServeArgs, common: &Common, loudness: Loudness) -> Result<(), Failure> {
    set_descriptor_limit(serve.nofile, loudness)?;
    let mut event_loop = EventLoop::new(common.via(), limits(serve, tiers(serve)?));
    let mut reporter = Reporter::new(loudness);
    event_loop.notify(move |notice| reporter.tell(notice));
    watch_signals(&mut event_loop)?;

    let mut view = serve.view.as_ref().map(|at| ServedView::listen(at, common)).transpose()?;
    let account = serve.user.as_deref().map(account).transpose()?;
    let mut files = SocketFiles::default();
    let listening = listen(serve, loudness, &mut files)?;
    if let Some(account) = account {
        become_user(&account, &files, loudness)?;
    }
    if let Some(view) = &mut view {
        view.add_to(&mut event_loop, common)?;
    }
    for (fd, _) in listening.iter().flat_map(|entrance| &entrance.sockets) {
        Failure::if_unwatchable(common.via(), fd.number().get())?;
    }
    let own_ports = datagram_ports(&listening);
    for Entrance { spec, sockets } in listening {
        let service = event_loop.add_service(service(spec, &own_ports)?);
        view.iter_mut().for_each(|view| view.name_service(service, spec));
        for (fd, name) in sockets {
            match spec.transport {
                Transport::Stream => event_loop.add_listener(fd, service),
                Transport::Datagram => event_loop.add_datagram(fd, service),
            };
            announce(&spec.to_string(), &name, loudness)?;
        }
    }
    match view {
        None => event_loop.run().map_err(Failure::new),
        Some(view) => view.run(&mut event_loop),
    }
}

/// Where a service listens.
struct Entrance<'a> {
    spec: &'a Spec,
    sockets: Vec<(Fd, Address)>,
}

/// Starts every listener before it serves any client: either all requested services start, or none. (It looks names up
/// first, which may take long.)
fn listen<'a>(
    serve: &'a ServeArgs,
    loudness: Loudness,
    files: &mut SocketFiles,
) -> Result<Vec<Entrance<'a>>, Failure> {
    let addresses = serve
        .services
        .iter()
        .map(|spec| naming::resolve(&spec.address, spec.transport.socket_type()));
    let addresses: Vec<_> = addresses.collect::<Result<_, _>>().map_err(Failure::new)?;
    let mut entrances = Vec::new();
    for (spec, addresses) in serve.services.iter().zip(addresses) {
        let how = Listening {
            transport: spec.transport,
            backlog: serve.backlog,
            sndbuf: serve.sndbuf,
            mode: serve.mode,
            loudness,
        };
        entrances.push(Entrance { spec, sockets: listen_at(addresses, how, files)? });
    }
    if serve.mode.is_some() && files.is_empty() {
        return Err(Failure::new(
            "--mode: applies to Unix-domain sockets, but no service uses one",
        ));
    }
    Ok(entrances)
}

/// The user to go on as.
fn account(name: &str) -> Result<Account, Failure> {
    let account = Account::find(name).map_err(|errno| user_failure(name, errno))?;
    let account = account.ok_or_else(|| user_failure(name, "unknown user"))?;
    if account.is_root() {
        return Err(user_failure(
            name,
            "this is root, which keeps every privilege: name another user",
        ));
    }
    Ok(account)
}

fn user_failure(name: &str, why: impl Display) -> Failure {
    Failure::new(format_args!("--user {}: {why}", name.escape_debug()))
}

/// Switches to a user with fewer privileges, or fails. Every port is bound by now; no client is served yet, and no file
/// of http is open.
fn become_user(account: &Account, files: &SocketFiles, loudness: Loudness) -> Result<(), Failure> {
    files.give_to(account)?;
    privileges::drop_to(account).map_err(|why| match why {
        NotDropped::Failed(_, Errno::EPERM) => user_failure(
            account.name(),
            format_args!("{why}: only root can switch to another user"),
        ),
        _ => user_failure(account.name(), why),
    })?;
    if loudness == Loudness::Verbose {
        say(format_args!("running as {account}"));
    }
    Ok(())
}

/// The ports on which this server answers datagrams, and from which it takes none.
fn datagram_ports(entrances: &[Entrance<'_>]) -> Vec<u16> {
    let is_for_datagrams =
        |entrance: &&Entrance<'_>| entrance.spec.transport == Transport::Datagram;
    let datagrams = entrances.iter().filter(is_for_datagrams);
    datagrams.flat_map(|entrance| &entrance.sockets).filter_map(|(_, name)| name.port()).collect()
}

/// The service that was asked for.
fn service(spec: &Spec, own_ports: &[u16]) -> Result<Box<dyn Service>, Failure> {
    let service: Box<dyn Service> = match spec.kind {
        ServiceKind::Echo => Box::new(Echo),
        ServiceKind::Discard => Box::new(Discard),
        ServiceKind::Chargen => Box::new(Chargen::default()),
        ServiceKind::Daytime => Box::new(Daytime::default()),
        ServiceKind::Time => Box::new(Time::default()),
        ServiceKind::Upper => Box::new(Upper::default()),
        ServiceKind::Chat => Box::new(Chat::default()),
        ServiceKind::Framed => Box::new(Framed::new(spec.frame().map_err(Failure::new)?)),
        ServiceKind::Relay => Box::new(relay(spec)?),
        ServiceKind::Http => Box::new(http(spec)?),
    };
    Ok(match spec.transport {
        Transport::Stream => service,
        Transport::Datagram => Box::new(Guarded::new(service, own_ports.to_vec())),
    })
}

/// The names are looked up once, at the start.
fn relay(spec: &Spec) -> Result<Relay, Failure> {
    let (to, time_limit) = spec.target().map_err(Failure::new)?;
    let moving = spec.moving().map_err(Failure::new)?;
    Ok(Relay::new(naming::resolve(&to, SOCK_STREAM).map_err(Failure::new)?, time_limit, moving))
}

fn http(spec: &Spec) -> Result<Http, Failure> {
    let options = spec.http().map_err(Failure::new)?;
    Http::new(&options).map_err(|error| {
        let root = options.root.display().to_string();
        let why = error.raw_os_error().map(Errno::from_number);
        let why = why.map_or(error.to_string(), |errno| errno.to_string());
        Failure::new(format_args!("http: root={}: {why}", root.escape_debug()))
    })
}

fn limits(serve: &ServeArgs, tiers: Option<TierLimits>) -> Limits {
    Limits {
        max_clients: serve.max_clients.map_or(usize::MAX, NonZeroUsize::get),
        idle_timeout: serve.idle_timeout,
        receive_bytes: serve.receive_buffer,
        owed_bytes: serve.owed_limit,
        send_buffer: serve.sndbuf,
        drain: serve.drain,
        tiers,
    }
}

/// How to divide the time between the tiers, if the loop is to wait in tiers.
fn tiers(serve: &ServeArgs) -> Result<Option<TierLimits>, Failure> {
    let usual = TierLimits::default();
    let flags = [
        ("--tiers-share", serve.tiers_share.is_some()),
        ("--tiers-wait", serve.tiers_wait.is_some()),
        ("--tiers-from", serve.tiers_from.is_some()),
    ];
    match flags.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) if !serve.tiers => {
            Err(Failure::usage(format_args!("{flag}: applies to tiers only: add --tiers")))
        }
        _ => Ok(serve.tiers.then(|| TierLimits {
            share_percent: serve.tiers_share.unwrap_or(usual.share_percent),
            longest_wait: serve.tiers_wait.unwrap_or(usual.longest_wait),
            least_cold: serve.tiers_from.map_or(usual.least_cold, NonZeroUsize::get),
        })),
    }
}

/// As many descriptors as the system allows, or as requested: at the usual 1,024 accept would fail with EMFILE before a
/// descriptor reaches FD_SETSIZE, and select and poll would not differ.
fn set_descriptor_limit(nofile: Option<u64>, loudness: Loudness) -> Result<(), Failure> {
    let before = limits::descriptor_limits().map_err(|errno| Failure::of("getrlimit", errno))?;
    let set = match nofile {
        Some(wanted) => {
            limits::set_descriptor_limit(wanted).and_then(|()| limits::descriptor_limits())
        }
        None => limits::raise_descriptor_limit(),
    };
    let after = set.map_err(|errno| {
        Failure::new(format_args!(
            "setrlimit: {errno}: the hard limit on descriptors is {}",
            before.hard
        ))
    })?;
    if loudness == Loudness::Verbose {
        say(format_args!("limit on descriptors: {} (it was {})", after.soft, before.soft));
    }
    Ok(())
}

fn watch_signals(event_loop: &mut EventLoop) -> Result<(), Failure> {
    let failure = |errno| match errno {
        Errno::EMFILE => Failure::of("the self-pipe", errno).adding(
            "this process has reached its limit on file descriptors; see --nofile and ulimit -n",
        ),
        _ => Failure::of("the self-pipe", errno),
    };
    let mut ending = vec![SIGINT, SIGTERM];
    // Its terminal is closed. A server started with nohup must continue.
    if !signals::is_ignored(SIGHUP).map_err(failure)? {
        ending.push(SIGHUP);
    }
    let pipe = signals::into_pipe(&ending).map_err(failure)?;
    // After Control-Z and fg, poll's deadline has run on, and select would wait for the rest: the signal interrupts
    // both, and the loop waits again.
    signals::interrupt_waits(SIGCONT).map_err(|errno| Failure::of("sigaction", errno))?;
    let service = event_loop.add_service(Box::new(Signals));
    event_loop.add_self_pipe(pipe, service);
    Ok(())
}
