//! The program.
//!
//! Exit status: 0 done; 1 the operation failed; 2 the command line is wrong; 3 what was to be judged could not be.

use std::process::ExitCode;

fn main() -> ExitCode {
    baresock::commands::run_program()
}
