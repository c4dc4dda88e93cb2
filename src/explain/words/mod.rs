//! `explain`: every name that the trace can show, in its own words.
//!
//! [`GROUPS`] is the table. [`find`] leads from what a student types to its entries, through the aliases in
//! [`aliases`]. [`Page`] is an entry with what this system knows of it, as text for a terminal or as JSON.

pub mod aliases;
mod entry;
mod known;
mod lookup;
mod page;
mod table;

pub use entry::{Entry, Group};
pub use known::{Known, known};
pub use lookup::{find, near};
pub use page::{Page, list};
pub use table::GROUPS;
