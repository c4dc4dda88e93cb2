use std::path::Path;

use super::*;

#[test]
fn a_service_is_written_with_or_without_an_address() {
    let spec = Spec::parse("echo").unwrap();
    assert_eq!((spec.kind, spec.transport), (ServiceKind::Echo, Transport::Stream));
    assert_eq!(spec.address, Written::parse("7007").unwrap());
    let spec = Spec::parse("echo/udp=*:9").unwrap();
    assert_eq!((spec.to_string().as_str(), spec.transport), ("echo/udp", Transport::Datagram));
    assert_eq!(spec.address, Written::parse("*:9").unwrap());
    let spec = Spec::parse("http=8081,root=public").unwrap();
    assert_eq!((spec.kind, spec.option("root")), (ServiceKind::Http, Some("public")));
    let spec = Spec::parse("http=root=public,keep-alive=5").unwrap();
    assert_eq!(spec.address, Written::parse("8080").unwrap());
    assert_eq!((spec.option("root"), spec.option("keep-alive")), (Some("public"), Some("5")));
}

#[test]
fn every_service_has_a_port_that_needs_no_privilege() {
    for (text, port) in [
        ("discard", 9009),
        ("discard/udp", 9009),
        ("chargen", 1919),
        ("chargen/udp", 1919),
        ("daytime", 1313),
        ("daytime/udp", 1313),
        ("time", 3737),
        ("time/udp", 3737),
        ("upper", 7117),
        ("upper/udp", 7117),
        ("chat", 9034),
        ("framed", 7070),
        ("framed=frame=close", 7070),
    ] {
        let spec = Spec::parse(text).unwrap();
        assert_eq!(spec.address, Written::parse(&port.to_string()).unwrap(), "{text}");
    }
}

#[test]
fn a_frame_can_be_chosen() {
    assert_eq!(Spec::parse("framed").unwrap().frame(), Ok(Rule::Line));
    let spec = Spec::parse("framed=*:1,frame=length").unwrap();
    assert_eq!((spec.frame(), spec.address), (Ok(Rule::Length), Written::parse("*:1").unwrap()));
}

#[test]
fn a_relay_says_where_it_passes_on_to() {
    let relay = |text| Spec::parse(text).unwrap().target().unwrap();
    assert_eq!(
        relay("relay=9000,to=db:5432"),
        (Written::parse("db:5432").unwrap(), relay::TIME_LIMIT)
    );
    let moving = |text| Spec::parse(text).and_then(|spec| spec.moving());
    assert_eq!(moving("relay=9000,to=db:5432"), Ok(Moving::Copied));
    assert_eq!(moving("relay=9000,to=db:5432,move=copy"), Ok(Moving::Copied));
    let spliced = moving("relay=9000,to=db:5432,move=splice");
    match HAS_SPLICE {
        true => assert_eq!(spliced, Ok(Moving::Spliced)),
        false => assert!(spliced.unwrap_err().contains("only Linux has splice")),
    }
    let (to, time_limit) = relay("relay=*:0,timeout=0.5,to=unix:/run/db");
    assert_eq!(to, Written::parse("unix:/run/db").unwrap());
    assert_eq!(time_limit, Duration::from_millis(500));
}

#[test]
fn a_comma_that_is_written_twice_belongs_to_the_name() {
    let spec =
        Spec::parse("http=unix:/run/a,,b,root=/srv/,,,keep-alive=1,header-timeout=2").unwrap();
    assert_eq!(spec.address, Written::parse("unix:/run/a,b").unwrap());
    let options = spec.http().unwrap();
    assert_eq!(options.root, Path::new("/srv/,"));
    assert_eq!(options.keep_alive, Duration::from_secs(1));
    let spec = Spec::parse("echo=unix:,,").unwrap();
    assert_eq!(spec.address, Written::parse("unix:,").unwrap());
}

#[test]
fn what_cannot_be_served_is_refused_with_what_can() {
    for (text, reason) in [
        ("nonsense", "services: echo"),
        ("echo/sctp", "write /udp"),
        ("echo=7,color=red", "has no options"),
        ("echo=host:99999", "out of range"),
        ("http/udp", "needs connections"),
        ("http=8080,colour=red", "it has: root=…"),
        ("http=8080,keep-alive=soon", "a number of seconds"),
        ("\x1b[2J", "\\u{1b}"),
        ("relay", "needs an address"),
        ("relay=9000", "needs a target"),
        ("relay=to=db:5432", "needs an address"),
        ("relay=9000,to=db:", "a port is missing"),
        ("relay=9000,to=db:5432,timeout=-1", "number of seconds"),
        ("relay=9000,to=db:5432,timeout=nan", "number of seconds"),
        ("relay=9000,to=db:5432,timeout=0", "timeout=0: write a number of seconds above 0"),
        ("relay=9000,to=db:5432,timeout=1e-12", "above 0"),
        ("relay=9000,to=db:5432,move=\x1b", "move=\\u{1b}: write copy or splice"),
        ("relay=9000,to=db:5432,splice", "it has: to=…, timeout=…, move=…"),
        ("http=8080,header-timeout=0", "header-timeout=0: write a number of seconds above 0"),
        ("http=8080,keep-alive=0", "keep-alive=0: write a number of seconds above 0"),
        ("echo=127.0.0.1:0,", "nothing goes behind the comma: echo has no options"),
        ("framed=7,", "an option of framed is missing behind a comma; it has: frame=…"),
        ("http=8080,root=a,b", "http has no option 'b'"),
        ("http=8080,root=a,b", "(a comma that belongs to a name is written twice)"),
        ("echo=unix:/run/a,b", "(a comma that belongs to a name is written twice)"),
        ("echo=1.2.3.4", "1.2.3.4 is a host: write 1.2.3.4:PORT"),
        ("relay/udp=9000,to=db:5432", "needs connections"),
        ("chat/udp", "needs connections"),
        ("framed/udp", "needs connections"),
        ("framed=7,frame=", "fixed:N, line, length or close"),
        ("framed=7,frame=fixed:0", "fixed:1 to"),
        ("framed=7,frames=line", "it has: frame=…"),
        ("framed=7,frame=line,frame=close", "written twice"),
    ] {
        let why = Spec::parse(text).unwrap_err();
        assert!(why.contains(reason), "{text:?} gave {why:?}");
    }
}
