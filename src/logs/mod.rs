//! Reads logs of calls: strace's, in the form in which people make and post them.
//!
//! # Grammar
//!
//! ```text
//! log       = { line }
//! line      = [ pid ] [ time ] [ "[" address "]" ] [ "[" number "]" ] body
//! pid       = "[pid " digits "]"                      -f, to a terminal
//!           | digits                                  -f -o FILE
//! time      = "23:59:01" [ "." digits ]               -t, -tt
//!           | "1700000000.000123"                     -ttt
//!           | "0.000123"                              -r
//! body      = call | begun | resumed | signal | ended | remark
//! call      = name "(" arguments ")" " = " answer [ "<" seconds ">" ]
//! begun     = name "(" arguments "<unfinished ...>"
//! resumed   = "<... " name " resumed>" arguments ")" " = " answer [ "<" seconds ">" ]
//! signal    = "--- " name … " ---"
//! ended     = "+++ exited with " number " +++" | "+++ killed by " name " +++"
//! remark    = "strace: Process " digits " attached" | …
//! arguments = [ argument { ", " argument } ]
//! answer    = number [ description ] [ error ] [ "(" … ")" ] | "? " [ error ]
//! error     = "EAGAIN" "(" … ")"
//! ```
//!
//! Forums and mailers add to lines; [`clean`] removes these additions. A line that does not fit the grammar is kept as
//! text, and the reader goes on.

mod addresses;
pub mod answer;
pub mod arguments;
pub mod body;
pub mod calls;
pub mod choice;
pub mod clean;
mod clock;
mod constants;
pub mod events;
mod fold;
pub mod halves;
pub mod line;
pub mod lines;
mod notes;
mod number;
mod parameters;
mod processes;
pub mod reader;
pub mod restarts;
mod structures;
pub mod values;
