//! Writes a line of JSON straight into a reused string: without a tree, and without a string for each constant.

mod arguments;
mod values;

use std::fmt::Write;

use crate::trace::arg::{Arg, Note, ValueLimits};
use crate::trace::event::{Callee, Connection, Event, Mark, Outcome, States};
use crate::trace::line::LineBuffer;
use crate::values::SocketState;
use arguments::{argument, written};
use values::*;

/// Writes an event as one line, without a newline.
pub(crate) fn write_event(out: &mut LineBuffer, event: &Event<'_>, limits: ValueLimits) {
    write_caller(out, event);
    write_call(out, event, limits);
}

/// Writes the fields that are equal in all calls of one caller.
pub(super) fn write_caller(out: &mut LineBuffer, event: &Event<'_>) {
    out.push_str("{\"schema\":2,\"pid\":");
    out.decimal(event.pid.into());
    number(out, ",\"tid\":", event.tid);
    out.push_str(",\"clock\":");
    optional(out, event.clock.as_deref(), string);
}

/// Writes all other fields.
pub(super) fn write_call(out: &mut LineBuffer, event: &Event<'_>, limits: ValueLimits) {
    number(out, ",\"seq\":", event.seq);
    number(out, ",\"begin_ns\":", event.begin_ns);
    number(out, ",\"end_ns\":", event.end_ns);
    out.push_str(",\"call\":");
    match &event.callee {
        Callee::Known(function) => constant(out, function.name()),
        Callee::Other(name) => string(out, name),
    }
    arguments(out, event, limits);
    outcome(out, event);
    note(out, &event.note);
    out.push_str(match event.mark {
        Mark::None => "",
        Mark::Refused => ",\"mark\":\"refused\"",
        Mark::Libc => ",\"mark\":\"libc\"",
        Mark::Injected => ",\"mark\":\"injected\"",
    });
    if let Some(known) = &event.connection {
        connection(out, known);
    }
    if event.states != States::default() {
        out.push_str(",\"state\":{\"before\":");
        optional(out, event.states.before, state);
        out.push_str(",\"after\":");
        optional(out, event.states.after, state);
        out.push(b'}');
    }
    out.push(b'}');
}

fn arguments(out: &mut LineBuffer, event: &Event<'_>, limits: ValueLimits) {
    out.push_str(",\"arguments\":{");
    let mut parameters = event.callee.parameters().iter();
    for (place, arg) in (1..).zip(event.args.iter()) {
        out.push_str(if place == 1 { "\"" } else { ",\"" });
        let parameter = parameters.next();
        match parameter {
            Some(name) => out.push_str(name),
            None => out.decimal(place),
        }
        out.push_str("\":");
        match (parameter, arg) {
            (None, Arg::Fd(fd)) => {
                out.push_str("{\"fd\":");
                out.decimal(fd.get().into());
                out.push(b'}');
            }
            (Some(_), _) | (None, Arg::Int(_) | Arg::Bytes(_) | Arg::Word(_) | Arg::Pointer(_)) => {
                argument(out, arg, limits);
            }
            (None, _) => written(out, arg, limits),
        }
    }
    out.push(b'}');
}

fn outcome(out: &mut LineBuffer, event: &Event<'_>) {
    out.push_str(",\"result\":");
    match event.outcome {
        Outcome::Value(value) => out.decimal(value),
        Outcome::Error(_) => out.push_str("-1"),
        Outcome::Unknown => out.push_str("null"),
    }
    out.push_str(",\"errno\":");
    match (event.outcome, &event.note) {
        (Outcome::Error(errno), _) => match errno.name() {
            Some(name) => constant(out, name),
            None => {
                let _ = write!(out, "\"{}\"", errno.number());
            }
        },
        (Outcome::Value(_), Note::Code(code, _)) => {
            let _ = write!(out, "\"{code}\"");
        }
        _ => out.push_str("null"),
    }
}

fn note(out: &mut LineBuffer, note: &Note<'_>) {
    if *note == Note::None {
        return;
    }
    out.push_str(",\"returned\":{");
    match note {
        Note::None => {}
        Note::OpenFlags(flags) => {
            out.push_str("\"flags\":");
            open_flags(out, *flags);
        }
        Note::FdFlags(set) => {
            out.push_str("\"flags\":");
            flags(out, set.named());
        }
        Note::Select { sets, left } => {
            for (name, set) in ["\"in\":", ",\"out\":", ",\"except\":"].iter().zip(sets) {
                out.push_str(name);
                optional(out, set.as_deref(), numbers);
            }
            out.push_str(",\"left\":");
            optional(out, *left, timeval);
        }
        Note::Poll(rows) => {
            out.push_str("\"ready\":");
            array(out, rows.iter(), |out, row| {
                out.push_str("{\"fd\":");
                out.decimal(row.fd.get().into());
                out.push_str(",\"events\":");
                flags(out, row.events.named());
                out.push_str(",\"revents\":");
                flags(out, row.revents.named());
                out.push(b'}');
            });
        }
        Note::Code(_, text) => {
            out.push_str("\"text\":");
            string(out, text);
        }
        Note::Text(text) => {
            out.push_str("\"written\":");
            string(out, text);
        }
    }
    out.push(b'}');
}

fn connection(out: &mut LineBuffer, connection: &Connection) {
    number(out, ",\"connection\":{\"id\":", connection.id);
    out.push_str(",\"local\":");
    optional(out, connection.local.as_ref(), address);
    out.push_str(",\"peer\":");
    optional(out, connection.peer.as_ref(), address);
    number(out, ",\"bytes_in\":", connection.bytes_in);
    number(out, ",\"bytes_out\":", connection.bytes_out);
    out.push(b'}');
}

fn state(out: &mut LineBuffer, state: SocketState) {
    out.push_str("{\"state\":");
    one(out, state.state.named());
    let (waiting, backlog) = state.waiting.unzip();
    let counts = [
        (",\"unread\":", state.unread),
        (",\"unacknowledged\":", state.unacknowledged),
        (",\"waiting\":", waiting.map(u64::from)),
        (",\"backlog\":", backlog.map(u64::from)),
    ];
    for (name, count) in counts {
        out.push_str(name);
        optional(out, count, |out, count| number(out, "", count));
    }
    out.push(b'}');
}
