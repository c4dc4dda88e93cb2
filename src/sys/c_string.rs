//! Strings of C.

use std::ffi::CString;

/// A string of C, or NULL; none if a zero byte would end it before its end.
pub(super) fn to_c(text: Option<&str>) -> Option<Option<CString>> {
    text.map(CString::new).transpose().ok()
}

/// A string of C in a buffer, up to its zero byte.
pub(super) fn text_of(buf: &[u8]) -> String {
    let end = buf.iter().position(|byte| *byte == 0).unwrap_or(buf.len());
    String::from_utf8_lossy(&buf[..end]).into_owned()
}
