//! What the calls that take or return an address have in common.

use std::borrow::Cow;
use std::os::fd::BorrowedFd;

use super::getsockname;
use super::sockaddr::RawAddress;
use crate::addr::Address;
use crate::names::Result;
use crate::trace::arg::Arg;
use crate::trace::call::{self, enter};
use crate::trace::page::Function;

/// The calls that read one address.
pub(super) fn with_address(
    function: Function,
    sockfd: BorrowedFd<'_>,
    addr: &Address,
    make: impl FnOnce(&RawAddress) -> Result<()>,
) -> Result<()> {
    let raw = RawAddress::encode(addr);
    let len = raw.as_ref().map_or(0, RawAddress::len);
    let read = raw.as_ref().map_or(Cow::Borrowed(addr), |raw| raw.as_read(addr));
    let call = enter(function, || [sockfd.into(), Arg::address(&read), Arg::Int(len.into())]);
    match raw {
        Err(errno) => call.refuse(errno),
        Ok(raw) => {
            let result = call.make(|| make(&raw));
            call.returns(result)
        }
    }
}

/// The calls that write one address.
pub(super) fn name_of(
    function: Function,
    sockfd: BorrowedFd<'_>,
    make: impl FnOnce(&mut RawAddress) -> Result<()>,
) -> Result<Address> {
    let call = enter(function, || [sockfd.into()]);
    let mut raw = RawAddress::room();
    let result = call.make(|| make(&mut raw));
    let shown = raw.shown();
    call.rest(|| written(&result, &raw, &shown)).returns(result)?;
    Ok(shown)
}

/// An address that a call wrote, and its length; after a failure, where it would have been written.
pub(super) fn written<'a, T>(
    result: &Result<T>,
    raw: &RawAddress,
    shown: &'a Address,
) -> [Arg<'a>; 2] {
    let given = RawAddress::room().len().into();
    match result {
        Ok(_) => [Arg::address(shown), Arg::Length { given, returned: raw.len().into() }],
        Err(_) => [Arg::Pointer(raw.as_ptr() as usize), Arg::Length { given, returned: given }],
    }
}

/// Reports both addresses of a new connection to the trace, if it needs them: two calls that the trace does not show.
pub(super) fn tell_connection(sockfd: BorrowedFd<'_>, peer: Option<&Address>) {
    if call::wants_connections() {
        let local = call::suspended(|| getsockname(sockfd).ok());
        call::connection(sockfd.into(), local, peer.cloned());
    }
}
