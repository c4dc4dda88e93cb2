//! `baresock serve`: any number of services in one loop.

use std::fmt::Display;
use std::num::NonZeroUsize;

use baresock::addr::Address;
use baresock::cli::{Common, Serve};
use baresock::event_loop::{EventLoop, Limits};
use baresock::events::Service;
use baresock::names::{Errno, SIGINT, SIGTERM};
use baresock::os::privileges::{self, Account, NotDropped};
use baresock::os::{limits, naming, signals};
use baresock::services::{
    Chargen, Chat, Daytime, Discard, Echo, Framed, Guarded, Http, Kind, Relay, Signals, Spec, Time,
    Transport,
};
use baresock::sys::Fd;
use baresock::trace::Function;

use super::failure::Failure;
use super::listen::{Binding, SocketFiles, bind_all};
use super::messages::{Loudness, Reporter, announce, say};

/// Serves until a signal asks it to end.
pub(crate) fn run(serve: &Serve, common: &Common, loudness: Loudness) -> Result<(), Failure> {
    set_descriptor_limit(serve.nofile, loudness)?;
    let mut event_loop = EventLoop::new(common.via.into(), limits(serve));
    let mut reporter = Reporter::new(loudness);
    event_loop.notify(move |notice| reporter.tell(notice));
    watch_signals(&mut event_loop)?;

    let mut files = SocketFiles::default();
    let bound = bind_services(serve, loudness, &mut files)?;
    if let Some(name) = &serve.user {
        become_user(name, &files, loudness)?;
    }
    let own_ports = datagram_ports(&bound);
    for Bound { spec, sockets } in bound {
        let service = event_loop.add_service(service(spec, &own_ports)?);
        for (fd, name) in sockets {
            let entered = match spec.transport {
                Transport::Stream => event_loop.listen(fd, serve.backlog, service),
                Transport::Datagram => event_loop.add_datagram(fd, service),
            };
            entered.map_err(|errno| Failure::at(Function::Listen, &name, errno))?;
            // A closed standard output is no reason not to serve.
            let _ = announce(&spec.to_string(), &name);
        }
    }
    event_loop.run().map_err(|errno| Failure::of(baresock::poller::Via::from(common.via), errno))
}

/// A service that has its addresses.
struct Bound<'a> {
    spec: &'a Spec,
    sockets: Vec<(Fd, Address)>,
}

/// Binds all before the first serves: either everything that was asked for is served, or nothing.
fn bind_services<'a>(
    serve: &'a Serve,
    loudness: Loudness,
    files: &mut SocketFiles,
) -> Result<Vec<Bound<'a>>, Failure> {
    let mut bound = Vec::new();
    for spec in &serve.services {
        let (sndbuf, mode) = (serve.sndbuf, serve.mode);
        let binding = Binding { transport: spec.transport, sndbuf, mode, loudness };
        bound.push(Bound { spec, sockets: bind_all(&spec.address, binding, files)? });
    }
    if serve.mode.is_some() && files.is_empty() {
        return Err(Failure::new("--mode: it is for Unix-domain sockets, and none is served"));
    }
    Ok(bound)
}

/// Goes on as a user with fewer rights, or not at all. Everything is bound by now; nothing is served yet, and no file
/// of http is open.
fn become_user(name: &str, files: &SocketFiles, loudness: Loudness) -> Result<(), Failure> {
    let failure =
        |why: &dyn Display| Failure::new(format_args!("--user {}: {why}", name.escape_debug()));
    let account = Account::find(name).map_err(|errno| failure(&errno))?;
    let account = account.ok_or_else(|| failure(&"there is no user of this name"))?;
    if account.is_root() {
        return Err(failure(&"this is root, who has every right: name another user"));
    }
    files.give_to(&account)?;
    privileges::drop_to(&account).map_err(|why| match why {
        NotDropped::Failed(_, Errno::EPERM) => {
            failure(&format_args!("{why}: only root can become another user"))
        }
        _ => failure(&why),
    })?;
    if loudness == Loudness::Verbose {
        say(format_args!("goes on as {account}"));
    }
    Ok(())
}

/// The ports on which this server answers datagrams, and from which it takes none.
fn datagram_ports(bound: &[Bound<'_>]) -> Vec<u16> {
    let datagrams = bound.iter().filter(|bound| bound.spec.transport == Transport::Datagram);
    datagrams.flat_map(|bound| &bound.sockets).filter_map(|(_, name)| name.port()).collect()
}

/// The service that was asked for.
fn service(spec: &Spec, own_ports: &[u16]) -> Result<Box<dyn Service>, Failure> {
    let service: Box<dyn Service> = match spec.kind {
        Kind::Echo => Box::new(Echo),
        Kind::Discard => Box::new(Discard),
        Kind::Chargen => Box::new(Chargen::default()),
        Kind::Daytime => Box::new(Daytime::default()),
        Kind::Time => Box::new(Time::default()),
        Kind::Chat => Box::new(Chat::default()),
        Kind::Framed => Box::new(Framed::new(spec.frame().map_err(Failure::new)?)),
        Kind::Relay => Box::new(relay(spec)?),
        Kind::Http => Box::new(http(spec)?),
    };
    Ok(match spec.transport {
        Transport::Stream => service,
        Transport::Datagram => Box::new(Guarded::new(service, own_ports.to_vec())),
    })
}

/// The names are looked up once, at the start.
fn relay(spec: &Spec) -> Result<Relay, Failure> {
    let (to, time_limit) = spec.target().map_err(Failure::new)?;
    Ok(Relay::new(naming::resolve(&to).map_err(Failure::new)?, time_limit))
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

fn limits(serve: &Serve) -> Limits {
    Limits {
        max_clients: serve.max_clients.map_or(usize::MAX, NonZeroUsize::get),
        idle_timeout: serve.idle_timeout,
        receive_bytes: serve.receive_buffer,
        owed_bytes: serve.owed_limit,
        send_buffer: serve.sndbuf,
        drain: serve.drain,
    }
}

/// As many descriptors as the system allows, or as many as were asked for: at the usual 1,024 select and poll would
/// not differ, both would meet EMFILE first.
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
    let pipe = signals::into_pipe(&[SIGINT, SIGTERM])
        .map_err(|errno| Failure::of("the self-pipe", errno))?;
    let service = event_loop.add_service(Box::new(Signals));
    event_loop.add_self_pipe(pipe, service);
    Ok(())
}
