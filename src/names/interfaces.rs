//! Network interfaces: a link-local address contains the number of one, and people know its name.

use nix::net::if_::if_indextoname;

/// The name of the network interface that has this number on this machine now. (The system is asked each time, because
/// an interface that goes and comes back may get another number.)
pub fn interface_name(number: u32) -> Option<String> {
    // nix takes only -1 for a failure, not the NULL of this call, and then gives an empty name (0.31.3).
    let name = if_indextoname(number).ok()?.to_string_lossy().into_owned();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_has_a_name_and_0_has_none() {
        let interfaces = crate::sys::if_nameindex().unwrap();
        for (number, name) in interfaces {
            assert_eq!(interface_name(number), Some(name));
        }
        assert_eq!([0, u32::MAX].map(interface_name), [None, None]);
    }
}
