//! C strings.

use std::ffi::CString;

/// A C string, or NULL; `None` if a zero byte would end the string too early.
pub(super) fn to_c(text: Option<&str>) -> Option<Option<CString>> {
    text.map(CString::new).transpose().ok()
}

/// The text of a C string in a buffer, up to its zero byte.
pub(super) fn text_of(buf: &[u8]) -> String {
    let end = buf.iter().position(|byte| *byte == 0).unwrap_or(buf.len());
    String::from_utf8_lossy(&buf[..end]).into_owned()
}
