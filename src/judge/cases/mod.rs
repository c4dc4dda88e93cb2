//! The cases for servers, one short file each; related cases share one.

mod a_mebibyte;
mod answers;
mod bad_http;
mod datagrams;
mod descriptors_flat;
mod ends;
mod every_byte_value;
mod gone_while_answered;
mod half_close;
mod idle;
mod leave_at_once;
mod many;
mod never_reads;
mod one_byte_at_a_time;
mod one_in_two;
mod optional_http;
mod out_of_descriptors;
mod over_http;
mod relayed;
mod reset_idle;
mod reset_in_queue;
mod reset_mid_message;
mod silence;
mod slow_line;
mod slow_reader;
mod two_in_one;
mod urgent_byte;

use super::JudgeCase;

/// Every case for a server, in the order in which they are asked: the basic ones first, those that need a newly started
/// program last.
pub const ALL: &[&JudgeCase] = &[
    &answers::CASE,
    &datagrams::ANSWERS,
    &every_byte_value::CASE,
    &one_byte_at_a_time::CASE,
    &two_in_one::CASE,
    &one_in_two::CASE,
    &half_close::CASE,
    &a_mebibyte::CASE,
    &over_http::IN_PIECES,
    &over_http::PIPELINED,
    &over_http::KEEP_ALIVE,
    &over_http::HTTP_1_0,
    &over_http::HEAD,
    &bad_http::NO_HOST,
    &bad_http::NOT_FOUND,
    &bad_http::CLIMBING_OUT,
    &bad_http::LONG_LINE,
    &bad_http::POST,
    &optional_http::RANGE,
    &optional_http::CONDITION,
    &relayed::TARGET_CLOSES,
    &relayed::TARGET_RESETS,
    &datagrams::EVERY_BYTE,
    &datagrams::EMPTY,
    &datagrams::LARGEST,
    &datagrams::TWO_SENDERS,
    &datagrams::SENDER_GONE,
    &silence::CASE,
    &slow_line::CASE,
    &many::FIFTY,
    &leave_at_once::CASE,
    &reset_idle::CASE,
    &reset_mid_message::CASE,
    &reset_in_queue::CASE,
    &gone_while_answered::CASE,
    &urgent_byte::CASE,
    &idle::CASE,
    &datagrams::IDLE,
    &slow_reader::CASE,
    &never_reads::CASE,
    &descriptors_flat::CASE,
    &many::NINE_HUNDRED,
    &many::BEYOND_FD_SETSIZE,
    &out_of_descriptors::CASE,
    &ends::RESTART,
    &ends::SIGTERM_ENDS,
];
