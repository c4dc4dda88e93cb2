//! The role to judge as, and the cases.

use std::collections::HashMap;
use std::fs;

use baresock::cli;
use baresock::judge::shown::listing;
use baresock::judge::{JudgeCase, Role, cases, clients};

use super::super::failure::Failure;

/// What is judged, and as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Who<'a> {
    pub(super) role: Role,
    pub(super) is_client: bool,
    /// The address of a running server, as written.
    pub(super) address: Option<&'a str>,
}

/// Reads `AS`, `AS ADDR` or `client AS`.
pub(super) fn who(asked: &cli::JudgeArgs) -> Result<Who<'_>, Failure> {
    let words: Vec<&str> = asked.role.iter().map(String::as_str).collect();
    let who = match words[..] {
        ["client", name] => {
            Who { role: role(name, Role::OF_CLIENTS)?, is_client: true, address: None }
        }
        ["client"] => {
            return Err(Failure::usage(format_args!(
                "write what the client is to be: {}",
                names(Role::OF_CLIENTS)
            )));
        }
        [name] => Who { role: role(name, Role::ALL)?, is_client: false, address: None },
        [name, address] => {
            Who { role: role(name, Role::ALL)?, is_client: false, address: Some(address) }
        }
        _ => return Err(Failure::usage("write AS and ADDR, or AS -- COMMAND")),
    };
    let has_command = !asked.command.is_empty();
    let wrong = match (who.address.is_some(), has_command, asked.each.is_some()) {
        _ if asked.list => who.address.map(|_| "--list shows the cases of a role: no ADDR"),
        (true, true, _) => {
            Some("it is a server that runs (ADDR), or one that judge starts (-- COMMAND): not both")
        }
        (true, _, true) => Some("--each starts the programs itself: no ADDR"),
        (false, false, false) if who.is_client => {
            Some("write the client behind '--', as in: judge client echo -- ./client {port}")
        }
        (false, false, false) => {
            Some("write where the server is (ADDR), or how it is started (-- COMMAND)")
        }
        (true, ..) if asked.packets || asked.pcap.is_some() => Some(
            "--packets and --pcap: only a program that judge starts (-- COMMAND) can be in a network of judge's own; a server \
             that runs already is in the machine's",
        ),
        (true, ..) if asked.watch => {
            Some("--watch: only a program that judge starts can be watched")
        }
        (_, true, _) if asked.pid.is_some() => {
            Some("--pid is for a running server; judge knows the pid of a server that it starts")
        }
        (false, ..) if asked.root.is_some() || asked.to.is_some() => Some(
            "--root and --to are for a running server; a server that judge starts gets {dir} and {to}",
        ),
        (true, ..) if who.role == Role::Http && asked.root.is_none() => Some(
            "--root DIR is missing: the directory that the server serves, for files of judge's own",
        ),
        (true, ..) if who.role == Role::Relay && asked.to.is_none() => Some(
            "--to HOST:PORT is missing: where the relay passes everything on to, for judge to listen there",
        ),
        _ if who.is_client && asked.at.is_some() => Some("--at is for servers"),
        _ => None,
    };
    wrong.map_or(Ok(who), |wrong| Err(Failure::usage(wrong)))
}

fn role(name: &str, of: &[Role]) -> Result<Role, Failure> {
    let role = Role::of_name(name).filter(|role| of.contains(role));
    role.ok_or_else(|| {
        Failure::usage(format_args!("'{}' is none of: {}", name.escape_debug(), names(of)))
    })
}

fn names(of: &[Role]) -> String {
    of.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ")
}

/// The selected cases, each with its points.
pub(super) fn cases(
    asked: &cli::JudgeArgs,
    who: Who<'_>,
) -> Result<Vec<(&'static JudgeCase, u32)>, Failure> {
    let mut all = all(who);
    let unknown = asked
        .only
        .iter()
        .chain(&asked.skip)
        .find(|name| all.iter().all(|(case, _)| case.name != **name));
    if let Some(name) = unknown {
        return Err(Failure::usage(format_args!(
            "there is no case '{}' for {}; see judge --list {}{}",
            name.escape_debug(),
            who.role,
            if who.is_client { "client " } else { "" },
            who.role
        )));
    }
    if let Some(file) = &asked.points {
        let shown = file.display().to_string().escape_debug().to_string();
        let text = fs::read_to_string(file)
            .map_err(|error| Failure::from_std(format_args!("open {shown}"), &error))?;
        let points = points(&text).map_err(|why| Failure::usage(format_args!("{shown}: {why}")))?;
        for (case, worth) in &mut all {
            *worth = points.get(case.name).copied().unwrap_or(*worth);
        }
    }
    let is_named = |names: &[String], case: &JudgeCase| names.iter().any(|name| name == case.name);
    all.retain(|(case, _)| asked.only.is_empty() || is_named(&asked.only, case));
    all.retain(|(case, _)| !is_named(&asked.skip, case));
    Ok(all)
}

fn all(who: Who<'_>) -> Vec<(&'static JudgeCase, u32)> {
    let all = if who.is_client { clients::ALL } else { cases::ALL };
    all.iter().filter(|case| case.of.contains(&who.role)).map(|case| (*case, case.points)).collect()
}

/// Lines of a name and a number; `#` begins a comment.
fn points(text: &str) -> Result<HashMap<&str, u32>, String> {
    let known = |name: &str| cases::ALL.iter().chain(clients::ALL).any(|case| case.name == name);
    let mut points = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let pair = line.split_once(char::is_whitespace);
        let pair = pair.and_then(|(name, worth)| Some((name, worth.trim().parse().ok()?)));
        match pair {
            Some((name, worth)) if known(name) => drop(points.insert(name, worth)),
            Some((name, _)) => {
                return Err(format!(
                    "line {}: there is no case '{}'",
                    number + 1,
                    name.escape_debug()
                ));
            }
            None => return Err(format!("line {}: write CASE POINTS", number + 1)),
        }
    }
    Ok(points)
}

/// The list of cases, of one role or of all.
pub(super) fn listed(asked: &cli::JudgeArgs) -> Result<String, Failure> {
    if !asked.role.is_empty() {
        let who = who(asked)?;
        return Ok(listing(&cases(asked, who)?));
    }
    let every = |all: &'static [&'static JudgeCase]| {
        listing(&all.iter().map(|case| (*case, case.points)).collect::<Vec<_>>())
    };
    Ok(format!("{}\nclients:\n{}", every(cases::ALL), every(clients::ALL)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_points_says_what_is_wrong_with_it() {
        let right = points("# mine\nhalf-close 5\n\nidle\t0 # none\n").unwrap();
        assert_eq!((right.get("half-close"), right.get("idle")), (Some(&5), Some(&0)));
        assert_eq!(points("half-close\n").unwrap_err(), "line 1: write CASE POINTS");
        assert_eq!(points("\nno-such 1\n").unwrap_err(), "line 2: there is no case 'no-such'");
    }
}
