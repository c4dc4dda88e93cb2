//! What the older functions of <netdb.h> have in common: each answers in a structure of the C library that the next
//! call overwrites. So the wrappers make one such call at a time, and copy the answer before the next one. (Code that
//! calls C itself can still interfere.)

use std::ffi::{CStr, c_char};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// While this lock is held, no other wrapper overwrites the answer.
pub(super) fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ANSWER: Mutex<()> = Mutex::new(());
    ANSWER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A copy of a C string, printable like the trace.
///
/// # Safety
/// `text` points to a string that ends with a zero byte and does not change during the call.
pub(super) unsafe fn copied(text: *const c_char) -> String {
    // SAFETY: the caller says so.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
