//! The settings of a terminal.

use std::os::fd::AsFd;

use nix::sys::termios::{ControlFlags, InputFlags, LocalFlags, OutputFlags, tcgetattr};

/// How a terminal is set. Two of them can be compared, unlike two answers of tcgetattr: the C library has room for more
/// control characters than the kernel, and musl leaves there what was in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TerminalSettings {
    input: InputFlags,
    output: OutputFlags,
    control: ControlFlags,
    local: LocalFlags,
    characters: Vec<u8>,
}

/// As many control characters as have a name on every system.
const NAMED: usize = 17;

#[track_caller]
pub(crate) fn settings_of(terminal: impl AsFd) -> TerminalSettings {
    let found = tcgetattr(terminal).unwrap();
    TerminalSettings {
        input: found.input_flags,
        output: found.output_flags,
        control: found.control_flags,
        local: found.local_flags,
        characters: found.control_chars[..NAMED].to_vec(),
    }
}
