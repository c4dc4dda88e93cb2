//! What the figures mean, in sentences. Every number in them comes from the report.

use super::report::{AxisName, Call, CallsResult, Comparison, Served, Server, Servers};
use super::rounding::figure;
use crate::compare::WatchedKind;

pub(super) fn of(report: &Comparison) -> Vec<String> {
    let mut findings = Vec::new();
    if report.noise.too_noisy {
        let noise = &report.noise;
        findings.push(format!(
            "This machine was too busy to say which call is cheaper: others had the processor for {} % of the time (at \
             most {} % is believed), and the figures spread by {} % ({} %). What follows holds all the same; for the \
             rest, measure again when it is quiet.",
            figure(noise.taken_percent),
            noise.most_taken_percent,
            figure(noise.spread_percent),
            noise.most_spread_percent,
        ));
    }
    if report.machine.debug_build {
        findings.push(
            "This program was built without optimisation, and adds its own time to every call: build it with --release \
             for figures to be believed."
                .to_string(),
        );
    }
    let overhead = report.method.overhead_percent;
    let most = report.method.most_overhead_percent;
    if overhead > most {
        findings.push(format!(
            "The harness itself took {} % of the time that it measured, and more than {} % is too much for the bare \
             calls: their times are high by that.",
            figure(overhead),
            figure(most),
        ));
    }
    if let Some(calls) = &report.calls {
        if !report.noise.too_noisy {
            findings.extend(lines(report, calls));
            findings.extend(at_the_end(calls));
            findings.extend(highest(report, calls));
            findings.extend(ready(calls));
            findings.extend(crossovers(calls));
        }
        findings.extend(copies(calls));
        findings.extend(beyond(report, calls));
    }
    if let Some(servers) = &report.servers {
        if !report.noise.too_noisy {
            findings.extend(whole_servers(servers));
            findings.extend(in_tiers(servers));
        }
        findings.extend(without_either(servers));
    }
    findings
}

fn lines(report: &Comparison, calls: &CallsResult) -> Option<String> {
    let line = |call| calls.line(AxisName::Descriptors, call);
    let (select, poll) = (line(Call::Select)?, line(Call::Poll)?);
    let kinds = [WatchedKind::Udp, WatchedKind::Tcp, WatchedKind::Unix, WatchedKind::Pipe];
    let kind = kinds.iter().find(|kind| kind.name() == report.method.watched);
    Some(format!(
        "Over {} to {} {}, none of them ready, a call of select costs {} µs and {} µs for each descriptor, one of poll {} \
         µs and {} µs.",
        select.from,
        select.to,
        kind.map_or("descriptors", |kind| kind.plural()),
        figure(select.fit.base_us),
        figure(select.fit.slope_us),
        figure(poll.fit.base_us),
        figure(poll.fit.slope_us),
    ))
}

/// Both calls at as many descriptors as both can watch.
fn at_the_end(calls: &CallsResult) -> Option<String> {
    let ratio = calls.ratios.iter().rfind(|ratio| ratio.axis == AxisName::Descriptors)?;
    let time = |call| {
        let mut there = calls.along(AxisName::Descriptors, call);
        there.find(|one| one.descriptors == ratio.place).map(|one| figure(one.time_us.median))
    };
    let (select, poll) = (time(Call::Select)?, time(Call::Poll)?);
    let verdict = match ratio.poll_to_select.against_one() {
        None => "the difference is within the spread",
        Some(ordering) if ordering.is_lt() => "poll is cheaper there",
        Some(_) => "select is cheaper there",
    };
    Some(format!(
        "With {} descriptors select takes {select} µs and poll {poll} µs: {verdict} (poll takes {} of select's time, \
         give or take {}).",
        ratio.place,
        figure(ratio.poll_to_select.median),
        figure(ratio.poll_to_select.spread),
    ))
}

fn highest(report: &Comparison, calls: &CallsResult) -> Option<String> {
    let of = |call| {
        let points: Vec<_> = calls.along(AxisName::Highest, call).collect();
        let last = points.iter().rfind(|one| one.highest < report.machine.fd_setsize)?;
        Some((*points.first()?, *last))
    };
    let ((select_low, select_high), (poll_low, poll_high)) = (of(Call::Select)?, of(Call::Poll)?);
    if select_low.highest == select_high.highest {
        return None;
    }
    let (low, high) = (select_low.time_us, select_high.time_us);
    let verdict = match high.median - high.spread > low.median + low.spread {
        true => "select pays for the highest number, poll for the descriptors that it watches",
        false => "that select pays for the highest number cannot be told from this run",
    };
    Some(format!(
        "With {} descriptors watched, select takes {} µs where the highest number is {} and {} µs where it is {}; poll \
         takes {} µs and {} µs: {verdict}.",
        select_low.descriptors,
        figure(low.median),
        select_low.highest,
        figure(high.median),
        select_high.highest,
        figure(poll_low.time_us.median),
        figure(poll_high.time_us.median),
    ))
}

fn ready(calls: &CallsResult) -> Option<String> {
    let line = |call| calls.line(AxisName::Ready, call);
    let (select, poll) = (line(Call::Select)?, line(Call::Poll)?);
    Some(format!(
        "Of {} watched, each that is ready adds {} µs to a call of select and {} µs to one of poll.",
        calls.along(AxisName::Ready, Call::Poll).last()?.descriptors,
        figure(select.fit.slope_us),
        figure(poll.fit.slope_us),
    ))
}

fn crossovers(calls: &CallsResult) -> Option<String> {
    let crossing = |crossover: &super::report::Crossover| {
        let along = match crossover.axis {
            AxisName::Highest => "as the highest number",
            _ => "as the number of descriptors",
        };
        format!(
            "{} becomes the cheaper one {along} grows from {} to {}",
            crossover.then_cheaper, crossover.after, crossover.before
        )
    };
    let crossings: Vec<_> = calls.crossovers.iter().map(crossing).collect();
    Some(match &crossings[..] {
        [] => "There is no crossover that this run could see: nowhere does the cheaper call become the more expensive one."
            .to_string(),
        some => format!("There is a crossover: {}.", some.join("; ")),
    })
}

/// Computed from the structures, and therefore without a spread.
fn copies(calls: &CallsResult) -> Option<String> {
    let ratio = calls.ratios.iter().rfind(|ratio| ratio.axis == AxisName::Descriptors)?;
    let there =
        |call| calls.along(AxisName::Descriptors, call).find(|one| one.descriptors == ratio.place);
    let (select, poll) = (there(Call::Select)?, there(Call::Poll)?);
    Some(format!(
        "For {} descriptors select copies {} bytes in and {} out for each set, poll {} in and {} out.",
        ratio.place, select.bytes_in, select.bytes_out, poll.bytes_in, poll.bytes_out,
    ))
}

fn beyond(report: &Comparison, calls: &CallsResult) -> Option<String> {
    let farthest = calls.along(AxisName::Descriptors, Call::Poll).last()?;
    let set_size = report.machine.fd_setsize;
    (farthest.highest >= set_size).then(|| {
        let time = figure(farthest.time_us.median);
        let spread = figure(farthest.time_us.spread);
        let count = farthest.descriptors;
        let wide = calls.along(AxisName::Descriptors, Call::WideSelect).last();
        let wide = wide.filter(|wide| wide.descriptors == count).map_or(String::new(), |wide| {
            let time = figure(wide.time_us.median);
            let spread = figure(wide.time_us.spread);
            format!(" (with sets longer than fd_set, select takes {time} µs, give or take {spread})")
        });
        format!(
            "Numbers from {set_size} on have no bit in an fd_set, so beyond only poll can watch: {count} descriptors took \
             {time} µs, give or take {spread}{wide}."
        )
    })
}

/// The server over select and the one over poll, with the most idle connections.
fn whole_servers(servers: &Servers) -> Option<String> {
    let is_twins = |of, to| (of, to) == (Server::Poll, Server::Select);
    let twins = servers.ratios.iter().filter(|ratio| is_twins(ratio.of, ratio.to));
    let ratio = twins.max_by_key(|ratio| ratio.idle)?;
    let under = |server| {
        let mut under = servers.measured.iter();
        under.find(|served| {
            (served.active, served.idle, served.server) == (ratio.active, ratio.idle, server)
        })
    };
    let (select, poll) = (under(Server::Select)?, under(Server::Poll)?);
    let rate = |served: &Served| figure(served.requests_per_second.median);
    let verdict = match ratio.rates.against_one() {
        None => "which is faster cannot be told from this run",
        Some(ordering) if ordering.is_lt() => "select serves more",
        Some(_) => "poll serves more",
    };
    let cpu = |served: &Served| served.cpu_us_per_request.map(|cpu| figure(cpu.median));
    let cpu = cpu(select).zip(cpu(poll)).map_or(String::new(), |(select, poll)| {
        format!(
            " Its processor time for each request: {select} µs over select, {poll} µs over poll."
        )
    });
    Some(format!(
        "A whole echo server with {} idle connections beside {} active: {} requests a second over select, {} over poll; \
         {verdict}.{cpu}",
        ratio.idle,
        ratio.active,
        rate(select),
        rate(poll),
    ))
}

/// The server in tiers and the one that always asks about all, with the most idle connections.
fn in_tiers(servers: &Servers) -> Option<String> {
    let pairs = servers.ratios.iter().filter(|ratio| ratio.of == Server::Tiers);
    let ratio = pairs.max_by_key(|ratio| ratio.idle).filter(|ratio| ratio.idle > 0)?;
    Some(format!(
        "With {} idle connections beside {} active, the server over poll in tiers serves {} times as many requests, \
         give or take {}.",
        ratio.idle,
        ratio.active,
        figure(ratio.rates.median),
        figure(ratio.rates.spread),
    ))
}

fn without_either(servers: &Servers) -> Vec<String> {
    let of = |server| servers.measured.iter().filter(move |served| served.server == server);
    let mut sentences = Vec::new();
    if let Some(served) = of(Server::OneAtATime).max_by_key(|served| served.active) {
        sentences.push(format!(
            "One blocking client at a time: of {} active connections {} got an answer.",
            served.active, served.answered_connections
        ));
    }
    if let Some(served) = of(Server::OneAtATime).max_by_key(|served| served.idle)
        && served.idle > 0
        && served.answered_connections == 0
    {
        sentences.push(format!(
            "With {} idle clients that connected first it answered {}: the first of them holds it forever.",
            served.idle, served.answered_connections
        ));
    }
    if let Some(served) = of(Server::ThreadEach).max_by_key(|served| served.active) {
        let all = if served.answered_connections == served.active { "all " } else { "" };
        sentences.push(format!(
            "A thread for each answered {all}{} of {} and needed neither call: {} requests a second, give or take {}.",
            served.answered_connections,
            served.active,
            figure(served.requests_per_second.median),
            figure(served.requests_per_second.spread)
        ));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::report::{Machine, Measured, MeasuringMethod, NoiseVerdict};

    /// The figures of a quiet machine: select costs 0.2 µs and 0.05 for each descriptor; poll's base and slope are
    /// arguments.
    fn report(poll_base: f64, poll_slope: f64, too_noisy: bool) -> Comparison {
        let mut measured = Vec::new();
        for n in [1usize, 10, 100, 1000] {
            let mut push = |call, time| {
                measured.push(Measured::of(AxisName::Descriptors, call, [n, 0, n + 5], &[time; 9]));
            };
            push(Call::Select, 0.2 + 0.05 * n as f64);
            push(Call::Poll, poll_base + poll_slope * n as f64);
        }
        for nfds in [16usize, 1024] {
            let mut push = |call, time| {
                measured.push(Measured::of(AxisName::Highest, call, [4, 0, nfds], &[time; 9]));
            };
            push(Call::Select, 0.4 + 0.0001 * nfds as f64);
            push(Call::Poll, 0.3);
        }
        for ready in [0usize, 1, 100, 1000] {
            let mut push = |call, each| {
                let time = 50.0 + each * ready as f64;
                measured.push(Measured::of(AxisName::Ready, call, [1000, ready, 1005], &[time; 9]));
            };
            push(Call::Select, 0.04);
            push(Call::Poll, 0.03);
        }
        let machine = Machine {
            system: "X".into(),
            processors: 2,
            fd_setsize: 1024,
            descriptor_limit: 20_000,
            descriptor_limit_before: 1024,
            debug_build: false,
        };
        let method = MeasuringMethod {
            quick: true,
            watched: "udp",
            few: 4,
            call_rounds: 9,
            server_rounds: 3,
            server_round_ms: 80,
            warm_up_ms: 200,
            overhead_percent: if too_noisy { 2.5 } else { 1.0 },
            most_overhead_percent: 2.0,
            seconds: 5.0,
        };
        let noise = NoiseVerdict {
            taken_percent: 41.4,
            spread_percent: 2.0,
            most_taken_percent: 20.0,
            most_spread_percent: 20.0,
            too_noisy,
        };
        let calls = Some(CallsResult::of(measured, 9, 1.0));
        let not_reached = Vec::new();
        let findings = Vec::new();
        let servers = None;
        Comparison { schema: 1, machine, method, noise, not_reached, calls, servers, findings }
    }

    #[test]
    fn a_quiet_machine_is_told_which_call_is_cheaper_and_where_that_changes() {
        let all = of(&report(0.11, 0.06, false)).join("\n");
        for part in [
            "Over 1 to 1000 UDP sockets, none of them ready, a call of select costs 0.200 µs and 0.0500 µs for each \
             descriptor, one of poll 0.110 µs and 0.0600 µs.",
            "With 1000 descriptors select takes 50.2 µs and poll 60.1 µs: select is cheaper there",
            "select takes 0.402 µs where the highest number is 15 and 0.502 µs where it is 1023; poll takes 0.300 µs and \
             0.300 µs: select pays for the highest number",
            "Of 1000 watched, each that is ready adds 0.0400 µs to a call of select and 0.0300 µs to one of poll.",
            "There is a crossover: select becomes the cheaper one as the number of descriptors grows from 1 to 100.",
        ] {
            assert!(all.contains(part), "{part}\nis missing in\n{all}");
        }
    }

    #[test]
    fn that_select_pays_for_the_highest_number_is_said_where_it_was_seen() {
        let mut report = report(0.11, 0.06, false);
        for one in &mut report.calls.as_mut().unwrap().measured {
            one.time_us.spread = 0.06;
        }
        let all = of(&report).join("\n");
        assert!(all.contains("cannot be told from this run"), "{all}");
        assert!(!all.contains("select pays for the highest number, poll"), "{all}");
    }

    #[test]
    fn a_difference_within_the_spread_is_not_reported() {
        let all = of(&report(0.2, 0.0503, false)).join("\n");
        assert!(all.contains("the difference is within the spread"), "{all}");
        assert!(all.contains("There is no crossover"), "{all}");
        assert!(!all.contains("The harness itself"), "{all}");
    }

    #[test]
    fn a_busy_machine_is_told_nothing_but_what_holds_all_the_same() {
        let all = of(&report(0.1, 0.06, true));
        assert!(all[0].contains("too busy to say") && all[0].contains("41.4 %"), "{all:?}");
        let all = all.join("\n");
        assert!(all.contains("The harness itself took 2.50 % of the time"), "{all}");
        assert!(all.contains("bytes in") && !all.contains("cheaper there"), "{all}");
        assert!(!all.contains("crossover") && !all.contains("µs for each"), "{all}");
    }
}
