//! The functions of the C library: one line each, whatever they do inside.

use std::net::{Ipv4Addr, Ipv6Addr};

use baresock::sys::*;

use super::abstract_name;

pub(super) fn drive() {
    let numeric = Hints { flags: AI_NUMERICHOST | AI_NUMERICSERV, ..Hints::default() };
    let stream = Hints { family: AF_INET, socktype: SOCK_STREAM, ..numeric };
    getaddrinfo(Some("127.0.0.1"), Some("80"), Some(&stream)).unwrap();
    getaddrinfo(Some("::1"), None, Some(&numeric)).unwrap();
    getaddrinfo(Some("127.0.0.1"), Some("7"), None).unwrap();
    let _ = getaddrinfo(Some("localhost"), Some("echo"), None);
    getaddrinfo(Some("no number"), None, Some(&numeric)).unwrap_err();
    getaddrinfo(None, None, None).unwrap_err();
    getnameinfo(&Address::v4(Ipv4Addr::LOCALHOST, 7), NI_NUMERICHOST | NI_NUMERICSERV).unwrap();
    getnameinfo(&Address::v6(Ipv6Addr::LOCALHOST, 7), NI_NUMERICHOST).unwrap();
    let _ = getnameinfo(&abstract_name(b"x"), NameInfoFlags::NONE);
    gethostname().unwrap();
    let _ = getservbyname("echo", "tcp");
    getservbyname("no such service", "tcp").unwrap_err();
    let _ = getservbyport(7, "tcp");
    getservbyport(7, "no such protocol").unwrap_err();
    let _ = getprotobyname("tcp");
    getprotobyname("no such protocol").unwrap_err();
    gethostbyname("127.0.0.1").unwrap();
    gethostbyname("no name").unwrap_err();
    let _ = gethostbyaddr(Ipv4Addr::LOCALHOST.into());
    let _ = gethostbyaddr(Ipv6Addr::LOCALHOST.into());
    let (index, name) = if_nameindex().unwrap().swap_remove(0);
    if_nametoindex(&name).unwrap();
    if_indextoname(index).unwrap();
    assert_eq!(if_nametoindex("no interface"), Err(Errno::ENODEV));
    assert_eq!(if_indextoname(0), Err(Errno::ENXIO));
}
