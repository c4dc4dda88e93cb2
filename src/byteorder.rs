//! `htons`, `htonl`, `ntohs`, `ntohl`: the two byte orders that meet in a socket address.
//!
//! Network order is big-endian: the most significant byte comes first, as we write numbers. Most
//! machines are little-endian, and C lets a port that was never converted compile: 8080 becomes
//! 36895. These four functions are the whole subject; on a big-endian machine they change nothing.
//!
//! References: `byteorder(3)`; POSIX `htonl`.

/// `uint16_t htons(uint16_t hostshort);` host to network, for ports.
///
/// ```
/// # use baresock_core as baresock;
/// // Whatever the machine, in memory the high byte of a port stands first.
/// assert_eq!(baresock::byteorder::htons(8080).to_ne_bytes(), [0x1f, 0x90]);
/// ```
pub const fn htons(host: u16) -> u16 {
    host.to_be()
}

/// `uint32_t htonl(uint32_t hostlong);` host to network, for IPv4 addresses and lengths on the wire.
pub const fn htonl(host: u32) -> u32 {
    host.to_be()
}

/// `uint16_t ntohs(uint16_t netshort);` network to host: the same swap again.
pub const fn ntohs(network: u16) -> u16 {
    u16::from_be(network)
}

/// `uint32_t ntohl(uint32_t netlong);` network to host.
pub const fn ntohl(network: u32) -> u32 {
    u32::from_be(network)
}

/// Whether this machine's own order is that of the network, so that a forgotten `htons` goes unnoticed.
pub const HOST_IS_NETWORK_ORDER: bool = 1u16.to_be() == 1;

/// Bytes as they lie in memory, to be looked at: `1f 90`.
pub fn shown(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_byte_comes_first_on_the_wire() {
        assert_eq!(htons(0x1f90).to_ne_bytes(), [0x1f, 0x90]);
        assert_eq!(htonl(0x7f00_0001).to_ne_bytes(), [127, 0, 0, 1]);
        assert_eq!(shown(&htons(8080).to_ne_bytes()), "1f 90");
    }

    #[test]
    fn there_and_back_is_the_same_number() {
        assert_eq!(ntohs(htons(12345)), 12345);
        assert_eq!(ntohl(htonl(0xdead_beef)), 0xdead_beef);
    }

    #[test]
    fn forgetting_htons_moves_the_port_on_little_endian_machines_only() {
        let seen_by_the_kernel = u16::from_be_bytes(8080u16.to_ne_bytes());
        assert_eq!(seen_by_the_kernel, if HOST_IS_NETWORK_ORDER { 8080 } else { 36895 });
    }
}
