use super::*;

fn internet(host: Host, port: u16) -> Result<Written, BadAddress> {
    Ok(Written::Internet { host, port: Port::Number(port) })
}

#[test]
fn every_form_of_an_address_is_read() {
    assert_eq!(Written::parse("7007"), internet(Host::Loopback, 7007));
    assert_eq!(Written::parse(":7007"), internet(Host::Loopback, 7007));
    assert_eq!(Written::parse("*:0"), internet(Host::Every, 0));
    assert_eq!(Written::parse("[::1]:80"), internet(Host::Ip(Ipv6Addr::LOCALHOST.into()), 80));
    assert_eq!(Written::parse("127.0.0.1:80"), internet(Host::Ip(Ipv4Addr::LOCALHOST.into()), 80));
    assert_eq!(Written::parse("db:5432"), internet(Host::Name("db".into()), 5432));
    let port = Port::Service("http".into());
    assert_eq!(
        Written::parse("localhost:http"),
        Ok(Written::Internet { host: Host::Name("localhost".into()), port })
    );
    assert_eq!(Written::parse("unix:/tmp/x"), Ok(Written::Unix(UnixName::Path("/tmp/x".into()))));
    assert_eq!(Written::parse("unix:@x"), Ok(Written::Unix(UnixName::Abstract(b"x".to_vec()))));
}

#[test]
fn what_is_no_address_is_refused_with_a_reason() {
    for (text, reason) in [
        ("", "a port is missing"),
        ("host:", "a port is missing"),
        ("65536", "out of range"),
        ("99999999999999999999", "out of range"),
        ("host:-1", "is no port"),
        ("host:8 0", "is no port"),
        ("::1", "in brackets"),
        ("::1:80", "in brackets"),
        ("[::1]", "[::1]:PORT"),
        ("[]:80", "[::1]:PORT"),
        ("[::zz]:80", "is no IPv6 address"),
        ("unix:", "needs a path"),
        ("unix:@", "needs a name"),
        ("unix:/a\0b", "zero byte"),
    ] {
        let why = Written::parse(text).unwrap_err().why;
        assert!(why.contains(reason), "{text:?} gave {why:?}");
    }
}

#[test]
fn what_was_read_prints_as_it_could_be_written() {
    for text in [
        "*:80",
        "[::1]:80",
        "[fe80::1%eth0]:80",
        "127.0.0.1:80",
        "db:http",
        "unix:/tmp/x",
        "unix:@x",
    ] {
        assert_eq!(Written::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn an_address_says_which_machines_can_reach_it() {
    assert_eq!(Address::v4(Ipv4Addr::new(127, 5, 6, 7), 1).reach(), Reach::ThisMachine);
    assert_eq!(Address::v6(Ipv6Addr::LOCALHOST, 1).reach(), Reach::ThisMachine);
    assert_eq!(Address::v4(Ipv4Addr::UNSPECIFIED, 1).reach(), Reach::EveryInterface);
    assert_eq!(Address::v4(Ipv4Addr::new(192, 168, 1, 2), 1).reach(), Reach::OneAddress);
    let mapped = |ip: Ipv4Addr| Address::v6(ip.to_ipv6_mapped(), 1).reach();
    assert_eq!(mapped(Ipv4Addr::LOCALHOST), Reach::ThisMachine);
    assert_eq!(mapped(Ipv4Addr::UNSPECIFIED), Reach::EveryInterface);
    assert_eq!(Address::unix("/tmp/x").reach(), Reach::ThisMachine);
}

#[test]
fn a_path_cannot_harm_a_terminal() {
    assert_eq!(Address::unix("/tmp/\x1b[2J").to_string(), r"unix:/tmp/\x1b[2J");
}
