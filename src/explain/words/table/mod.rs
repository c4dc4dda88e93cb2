//! The table of words, in chapters by kind. The short description of a constant is beside the constant, in
//! [`crate::names`]; its entry here says more. The text about a call is on its page, in [`crate::sys`].

mod advice;
mod descriptors;
mod errors_of_calls;
mod errors_of_peers;
mod fields;
mod fields_of_messages;
mod ideas;
mod messages;
mod notation;
mod options_of_protocols;
mod options_of_sockets;
mod resolver;
mod segments;
mod signals;
mod sockets;

use std::borrow::Cow;
use std::sync::LazyLock;

use super::entry::{Entry, WordGroup};
use crate::sys::CHAPTERS;
use crate::trace::page::Chapter;

/// A table of entries. Empty fields are left out. (A name may be a keyword of Rust, as `in` is.)
macro_rules! entries {
    ($TABLE:ident { $( $name:tt { $( $field:ident: $text:literal, )* } )* }) => {
        pub(super) const $TABLE: &[crate::explain::words::entry::Entry] = &[$(
            crate::explain::words::entry::Entry {
                $( $field: $text, )*
                ..crate::explain::words::entry::Entry::named(stringify!($name))
            },
        )*];
    };
}
use entries;

const fn group(title: &'static str, noun: &'static str, entries: &'static [Entry]) -> WordGroup {
    WordGroup { title, noun, entries: Cow::Borrowed(entries) }
}

/// The entries from the pages of a chapter's calls.
fn calls(chapter: &Chapter) -> WordGroup {
    let entries = chapter.calls.iter().map(|call| Entry::of_call(call.page())).collect();
    WordGroup { title: chapter.title, noun: chapter.noun, entries }
}

/// Every word, in the order in which a list shows them.
pub static GROUPS: LazyLock<Vec<WordGroup>> =
    LazyLock::new(|| CHAPTERS.iter().map(calls).chain(WORDS).collect());

/// All entries except the calls.
const WORDS: [WordGroup; 38] = [
    group("Errors: waiting", "an errno", errors_of_calls::WAITING),
    group("Errors: connections", "an errno", errors_of_peers::CONNECTIONS),
    group("Errors: addresses and messages", "an errno", errors_of_peers::ADDRESSES),
    group("Errors: descriptors", "an errno", errors_of_calls::DESCRIPTORS),
    group("Errors: arguments and rights", "an errno", errors_of_calls::ARGUMENTS),
    group("Errors: resources and files", "an errno", errors_of_calls::RESOURCES),
    group("Levels of options", "a level of options", options_of_sockets::LEVELS),
    group("Options of SOL_SOCKET", "an option of SOL_SOCKET", options_of_sockets::SOCKET_OPTIONS),
    group("Options of IPv4 and IPv6", "an option of IP", options_of_protocols::IP_OPTIONS),
    group("Options of TCP and UDP", "an option of TCP or UDP", options_of_protocols::TCP_OPTIONS),
    group("Flags of send and recv", "a flag of a message", messages::MESSAGE_FLAGS),
    group("Control messages", "a control message", messages::CONTROL_MESSAGES),
    group("Events of poll", "an event of poll", messages::POLL_EVENTS),
    group("Domains", "a domain", sockets::DOMAINS),
    group("Types of sockets and their flags", "a type of socket, or its flag", sockets::TYPES),
    group("Protocols", "a protocol", sockets::PROTOCOLS),
    group("Halves of a connection", "an argument of shutdown", sockets::HALVES),
    group("States of TCP", "a state of TCP", sockets::STATES),
    group("Flags of open files", "a status flag", descriptors::STATUS_FLAGS),
    group("Descriptors", "a word about descriptors", descriptors::DESCRIPTOR_FLAGS),
    group("Flags of splice", "a flag of splice", descriptors::SPLICE_FLAGS),
    group("Flags of close_range", "a flag of close_range", descriptors::CLOSE_RANGE_FLAGS),
    group("Commands of fcntl", "a command of fcntl", descriptors::FCNTL_COMMANDS),
    group("Requests of ioctl", "a request of ioctl", descriptors::IOCTL_REQUESTS),
    group("Signals", "a signal", signals::SIGNALS),
    group("Flags of sigaction", "a flag of sigaction", signals::SIGACTION_FLAGS),
    group("What is done with signals", "a word about signals", signals::DISPOSITIONS),
    group("Flags of getaddrinfo", "a flag of getaddrinfo", resolver::ADDRESS_FLAGS),
    group("Flags of getnameinfo", "a flag of getnameinfo", resolver::NAME_FLAGS),
    group("Errors of the resolver", "an error of the resolver", resolver::RESOLVER_ERRORS),
    group("Notation of addresses", "a word of the trace", notation::NOTATION),
    group("Fields of addresses, times and others", "a field", fields::FIELDS),
    group("Fields of messages", "a field", fields_of_messages::FIELDS_OF_MESSAGES),
    group("Marks on a line", "a mark of the trace", notation::MARKS),
    group("Ideas", "an idea", ideas::IDEAS),
    group("On the wire", "a word about packets", segments::SEGMENTS),
    group("Left out on purpose", "another system call", notation::LEFT_OUT),
    group("What goes wrong", "a piece of advice", advice::ADVICE),
];
