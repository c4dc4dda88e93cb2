//! Whole echo servers over loopback: each gets the same load, in turn, several times.
//!
//! All servers of a load run from its beginning to its end, with their connections; a server that is not being loaded
//! waits, which costs nothing.

use std::time::{Duration, Instant};

use super::contender::{Contender, Counting};
use super::load::{Load, MESSAGE_BYTES, Round};
use super::noise::Noise;
use super::report::{Served, Server, ServerRatio, Servers};
use super::statistics::MedianSpread;
use super::{CompareOptions, Failed, Schedule};
use crate::os::settings::most_waiting;
use crate::sys::FD_SETSIZE;

/// Numbers of active and idle connections. The last pair is beyond the limit of `select`.
const LOADS: &[(usize, usize)] = &[(1, 0), (100, 0), (1, 900), (10, 900), (1, 9_000)];
const QUICK_LOADS: &[(usize, usize)] = &[(1, 0), (100, 0), (1, 900)];
/// Descriptors of a server that are not connections, with some to spare.
const OTHERS: usize = 30;
/// A server with more threads than this would measure the system's limit on threads.
const MOST_THREADS: usize = 1_000;

/// How many requests are enough to count the calls of each, and how long that may take.
const COUNTED: u64 = 400;
const MOST_COUNTING: Duration = Duration::from_secs(1);

/// What the measurement of servers needs to know.
pub(super) struct ServersSetup<'a> {
    pub(super) options: &'a CompareOptions,
    pub(super) plan: Schedule,
    pub(super) descriptors: u64,
}

/// One server under one load.
struct Entrant {
    server: Server,
    contender: Contender,
    load: Load,
    rounds: Vec<(Round, Option<f64>)>,
}

pub(super) fn measure(
    asked: &ServersSetup<'_>,
    noise: &mut Noise,
    not_reached: &mut Vec<String>,
    progress: &mut dyn FnMut(&str, f64),
) -> Result<Servers, Failed> {
    let loads = if asked.options.quick { QUICK_LOADS } else { LOADS };
    let mut servers =
        Servers { message_bytes: MESSAGE_BYTES as u64, measured: Vec::new(), ratios: Vec::new() };
    for (number, (active, idle)) in loads.iter().copied().enumerate() {
        let what = format!("echo servers, {active} active and {idle} idle");
        progress(&what, number as f64 / loads.len() as f64);
        let all = entrants(asked, active, idle, not_reached);
        let mut told = |part: f64| progress(&what, (number as f64 + part) / loads.len() as f64);
        let measured = under_load(asked, &all, (active, idle), noise, not_reached, &mut told)?;
        let pairs = pairs(&measured);
        servers.ratios.extend(pairs);
        servers.measured.extend(measured);
    }
    Ok(servers)
}

/// Which servers can take this load here.
fn entrants(
    asked: &ServersSetup<'_>,
    active: usize,
    idle: usize,
    not_reached: &mut Vec<String>,
) -> Vec<Server> {
    let connections = active + idle;
    let most_waiting = usize::try_from(most_waiting()).unwrap_or(usize::MAX);
    if (most_waiting..MOST_THREADS).contains(&(connections - 1)) {
        not_reached.push(format!(
            "the server 'one-at-a-time' with {active} active and {idle} idle connections: its queue takes {most_waiting}"
        ));
    }
    let mut wanted = vec![Server::Select, Server::Poll, Server::Tiers];
    if asked.options.bare {
        wanted.extend([Server::BareSelect, Server::BarePoll]);
    }
    wanted.extend([Server::OneAtATime, Server::ThreadEach]);
    wanted.retain(|server| match server {
        Server::Select | Server::BareSelect => connections + OTHERS <= FD_SETSIZE,
        Server::ThreadEach => connections <= MOST_THREADS,
        // Its idle clients connect first, and it serves no other client until they leave; all but one wait in the
        // listener's queue.
        Server::OneAtATime => connections <= MOST_THREADS.min(most_waiting),
        Server::Poll | Server::Tiers | Server::BarePoll => true,
    });
    // The clients of all servers belong to this process.
    let room = (asked.descriptors as usize).saturating_sub(OTHERS);
    let most = room / connections.max(1);
    if connections + OTHERS > asked.descriptors as usize || most < wanted.len() {
        wanted.truncate(most);
        let names: Vec<_> = wanted.iter().map(|server| server.name()).collect();
        let only = if names.is_empty() { "none".to_string() } else { names.join(", ") };
        not_reached.push(format!(
            "servers with {active} active and {idle} idle connections: the limit is {} descriptors (measured: {only})",
            asked.descriptors
        ));
    }
    wanted
}

fn under_load(
    asked: &ServersSetup<'_>,
    servers: &[Server],
    (active, idle): (usize, usize),
    noise: &mut Noise,
    not_reached: &mut Vec<String>,
    progress: &mut dyn FnMut(f64),
) -> Result<Vec<Served>, Failed> {
    let program = &asked.options.program;
    let mut entrants = Vec::new();
    for server in servers.iter().copied() {
        let contender = Contender::start(program, server, Counting::Nothing)?;
        match Load::connect(contender.address, active, idle) {
            Ok(load) => entrants.push(Entrant { server, contender, load, rounds: Vec::new() }),
            // The other servers can still be measured.
            Err(error) => not_reached.push(format!(
                "the server '{}' with {active} active and {idle} idle connections: {error}",
                server.name()
            )),
        }
    }
    for entrant in &mut entrants {
        entrant
            .load
            .round(asked.plan.server_round / 4)
            .map_err(|why| failed(entrant.server, &why))?;
    }
    let rounds = asked.plan.server_rounds;
    for round in 0..rounds {
        progress(round as f64 / (rounds + 1) as f64);
        noise.probe();
        // Each server begins in turn, and every second round goes backwards: no server always comes after the same one.
        if round % 2 == 1 {
            entrants.iter_mut().rev().try_for_each(|entrant| entrant.round(asked.plan))?;
        } else {
            entrants.iter_mut().try_for_each(|entrant| entrant.round(asked.plan))?;
        }
    }
    progress(rounds as f64 / (rounds + 1) as f64);
    let mut measured = Vec::new();
    for entrant in entrants {
        let server = entrant.server;
        let load = (active, idle);
        let served = entrant.served(load);
        let calls_per_request = if served.requests_per_second.median > 0.0 {
            counted(asked, server, load)?
        } else {
            None
        };
        measured.push(Served { calls_per_request, ..served });
    }
    Ok(measured)
}

/// The calls for each request, in a run of their own, because counting takes time.
fn counted(
    asked: &ServersSetup<'_>,
    server: Server,
    (active, idle): (usize, usize),
) -> Result<Option<f64>, Failed> {
    let contender = Contender::start(&asked.options.program, server, Counting::Calls)?;
    let mut load =
        Load::connect(contender.address, active, idle).map_err(|error| failed(server, &error))?;
    let end = Instant::now() + MOST_COUNTING;
    let mut requests = 0;
    while requests < COUNTED && Instant::now() < end {
        let round = load.round(asked.plan.server_round);
        requests += round.map_err(|error| failed(server, &error))?.requests;
    }
    Ok(contender.calls_per_answer())
}

fn failed(server: Server, error: &std::io::Error) -> Failed {
    Failed::Server(format!("the clients of the server '{}': {error}", server.name()))
}

impl Entrant {
    fn round(&mut self, plan: Schedule) -> Result<(), Failed> {
        let before = self.contender.processor_time();
        let round =
            self.load.round(plan.server_round).map_err(|error| failed(self.server, &error))?;
        let used = before.zip(self.contender.processor_time());
        let cpu_us = used.filter(|_| round.requests > 0).map(|(before, after)| {
            (after.saturating_sub(before)).as_secs_f64() * 1e6 / round.requests as f64
        });
        self.rounds.push((round, cpu_us));
        Ok(())
    }

    fn served(self, (active, idle): (usize, usize)) -> Served {
        let rates: Vec<_> =
            self.rounds.iter().map(|(round, _)| round.requests as f64 / round.seconds).collect();
        let latency = |which: usize| {
            let all = self.rounds.iter().filter_map(|(round, _)| Some(round.latencies?[which]));
            summary(all.collect())
        };
        let cpu_us: Vec<_> = self.rounds.iter().filter_map(|(_, cpu_us)| *cpu_us).collect();
        let answered = self.rounds.iter().map(|(round, _)| round.answered_connections).max();
        debug_assert_eq!(self.load.len(), active + idle);
        Served {
            active: active as u64,
            idle: idle as u64,
            server: self.server,
            answered_connections: answered.unwrap_or(0) as u64,
            requests_per_second: MedianSpread::of(&rates),
            p50_us: latency(0),
            p99_us: latency(1),
            calls_per_request: None,
            cpu_us_per_request: summary(cpu_us.clone()),
            rates,
            cpu_us,
        }
    }
}

fn summary(samples: Vec<f64>) -> Option<MedianSpread> {
    (!samples.is_empty()).then(|| MedianSpread::of(&samples))
}

/// poll against select, tiers against poll, and each event loop against its bare one.
fn pairs(measured: &[Served]) -> Vec<ServerRatio> {
    let both = [
        (Server::Poll, Server::Select),
        (Server::Tiers, Server::Poll),
        (Server::Select, Server::BareSelect),
        (Server::Poll, Server::BarePoll),
    ];
    let find = |server| measured.iter().find(|served| served.server == server);
    let pairs = both.iter().filter_map(|(of, to)| Some((find(*of)?, find(*to)?)));
    let divided = |of: &[f64], to: &[f64]| -> Vec<f64> {
        of.iter().zip(to).filter(|(_, to)| **to > 0.0).map(|(of, to)| of / to).collect()
    };
    let ratio = |(of, to): (&Served, &Served)| {
        Some(ServerRatio {
            active: of.active,
            idle: of.idle,
            of: of.server,
            to: to.server,
            rates: summary(divided(&of.rates, &to.rates))?,
            cpu: summary(divided(&of.cpu_us, &to.cpu_us)),
        })
    };
    pairs.filter_map(ratio).collect()
}
