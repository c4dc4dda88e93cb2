//! What the older functions of <netdb.h> have in common: each answers in a structure of the C library that the next call
//! overwrites. So the wrappers make one of these calls at a time, and copy the answer before the next. (Code that calls C
//! itself is not kept apart from them.)

use std::ffi::{CStr, c_char};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// As long as this is held, no other wrapper overwrites the answer.
pub(super) fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ANSWER: Mutex<()> = Mutex::new(());
    ANSWER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A copy of a string of C, printable as the trace is.
///
/// # Safety
/// `text` leads to a string with a zero byte at its end, which stays as it is meanwhile.
pub(super) unsafe fn copied(text: *const c_char) -> String {
    // SAFETY: the caller says so.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
