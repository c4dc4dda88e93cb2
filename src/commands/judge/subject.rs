//! From the command line to a running server, or a program to start, and what it needs besides.

use std::ffi::OsString;

use baresock::addr::{Address, Reach, Written};
use baresock::cli;
use baresock::judge::Role;
use baresock::judge::judging::JudgedProgram;
use baresock::judge::recipe::Recipe;
use baresock::judge::site::JudgeSite;
use baresock::names::{SOCK_DGRAM, SOCK_STREAM, SocketType};
use baresock::os::bound::is_served;
use baresock::os::naming;

use super::super::failure::Failure;
use super::chosen::Who;

/// The judged program, and the files and servers that it needs.
pub(super) fn subject(
    asked: &cli::JudgeArgs,
    who: Who<'_>,
    soft: u64,
) -> Result<(JudgedProgram, JudgeSite), Failure> {
    let failed =
        |error: std::io::Error| Failure::from_std("a directory or listener for judge", &error);
    let mut site = JudgeSite::make()
        .map_err(|(place, error)| Failure::of_scratch_directory(&place, &error))?;
    if who.is_client {
        let recipe = recipe(asked, who, soft, &site, None);
        return Ok((JudgedProgram::Client(recipe), site));
    }
    match who.role {
        Role::Http => site = site.with_files(asked.root.as_deref()).map_err(failed)?,
        Role::Relay => site = site.with_target(asked.to.as_deref()).map_err(failed)?,
        _ => {}
    }
    let kind = if who.role == Role::EchoUdp { SOCK_DGRAM } else { SOCK_STREAM };
    if let Some(written) = who.address {
        let written = Written::parse(written).map_err(|bad| Failure::usage(bad.why))?;
        let address = address(&written, kind, asked)?;
        return Ok((JudgedProgram::Running(address, asked.pid), site));
    }
    let at = asked.at.as_ref().map(|written| address(written, kind, asked)).transpose()?;
    let recipe = recipe(asked, who, soft, &site, at);
    Ok((JudgedProgram::Started(recipe), site))
}

fn recipe(
    asked: &cli::JudgeArgs,
    who: Who<'_>,
    soft: u64,
    site: &JudgeSite,
    at: Option<Address>,
) -> Recipe {
    let mut places: Vec<(&'static str, OsString)> = Vec::new();
    if let Some(served) = &site.served {
        places.push(("dir", served.path.clone().into_os_string()));
    }
    if let Some(to) = &site.to {
        places.push(("to", to.into()));
    }
    Recipe {
        words: asked.command.clone(),
        at,
        directory: site.own.path().to_path_buf(),
        places,
        kind: if who.role == Role::EchoUdp { SOCK_DGRAM } else { SOCK_STREAM },
        soft_limit: soft,
        strace: None,
    }
}

/// The address that is meant: of several, the one where a server listens.
fn address(
    written: &Written,
    kind: SocketType,
    asked: &cli::JudgeArgs,
) -> Result<Address, Failure> {
    let all = naming::resolve(written, kind).map_err(Failure::new)?;
    let served = all.iter().find(|address| is_served(address, kind) == Some(true));
    let Some(address) = served.or(all.first()) else {
        return Err(Failure::usage(format_args!("{written}: no address")));
    };
    if address.reach() != Reach::ThisMachine && !asked.anywhere {
        return Err(Failure::usage(format_args!(
            "{address} is not this machine, and judge attacks what it judges: --anywhere, if it is yours"
        )));
    }
    Ok(address.clone())
}
