//! `judge --packets` and `--pcap`: judge and the program in a network of their own.

use std::rc::Rc;

use baresock::addr::Written;
use baresock::cli;
use baresock::judge::recipe::wants_path;
use baresock::judge::wire::{JudgeWire, MOST_BYTES_OF_A_CASE, WireShows};
use baresock::os::own_network::UserNumbers;

use super::super::failure::Failure;
use super::super::messages::say;
use super::super::result_file::ResultFile;
use super::super::wire::enter_network;

/// The file for Wireshark, and whether packets are asked for at all.
#[derive(Debug)]
pub(super) struct AskedPackets {
    pub(super) shows: WireShows,
    pub(super) pcap: Option<ResultFile>,
}

impl AskedPackets {
    /// Opens the file and moves this process into a network of its own, if packets are asked for. It must have no second
    /// thread yet.
    pub(super) fn enter_network(asked: &cli::JudgeArgs) -> Result<Option<Self>, Failure> {
        if !asked.packets && asked.pcap.is_none() {
            return Ok(None);
        }
        if matches!(asked.at, Some(Written::Unix(_))) || wants_path(&asked.command) {
            return Err(Failure::usage(
                "--packets and --pcap: a Unix-domain socket sends no packets; the kernel copies its bytes to the other end",
            ));
        }
        let pcap = asked.pcap.as_deref().map(ResultFile::open).transpose()?;
        enter_network(UserNumbers::Kept)?;
        let shows = if asked.packets { WireShows::Packets } else { WireShows::StepsAlone };
        Ok(Some(Self { shows, pcap }))
    }

    /// Begins to capture.
    pub(super) fn begin(&self) -> Result<Rc<JudgeWire>, Failure> {
        let pcap = self.pcap.as_ref().map(ResultFile::emptied).transpose()?;
        JudgeWire::begin(self.shows, pcap).map_err(Failure::new)
    }

    /// Completes the file, and says what is missing.
    pub(super) fn end(&self, wire: &JudgeWire) -> Result<(), Failure> {
        let missing = match (wire.end(), &self.pcap) {
            (Ok(missing), _) => missing,
            (Err(error), Some(pcap)) => return Err(pcap.failure(&error)),
            (Err(_), None) => return Ok(()),
        };
        if missing.everywhere > 0 {
            say(format_args!(
                "{} packets are missing: they came faster than this machine could read them",
                missing.everywhere
            ));
        }
        if missing.in_file > 0 {
            say(format_args!(
                "--pcap: {} packets are not in the file: each case has room for {} MiB",
                missing.in_file,
                MOST_BYTES_OF_A_CASE >> 20
            ));
        }
        Ok(())
    }
}
