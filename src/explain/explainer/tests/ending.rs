use super::*;

#[test]
fn ending_has_its_lessons_and_knows_what_ends() {
    use Function as F;
    let mut told = ToldExplainer::new();
    let mut told = |function, args: &[Arg<'_>], outcome| told.plain(function, args, outcome);
    let half = |how: ShutdownHow| [FD, Arg::Named(how.named())];
    assert!(told(F::SHUTDOWN, &half(SHUT_WR), ok(0)).contains("may still send"));
    assert!(told(F::SHUTDOWN, &half(SHUT_RD), ok(0)).contains("not informed"));
    assert!(told(F::SHUTDOWN, &half(SHUT_RDWR), ok(0)).contains("every copy of 4"));

    assert_eq!(told(F::CLOSE, &[FD], ok(0)), "", "its kind is unknown");
    told(F::ACCEPT, &[Arg::Fd(FdNumber::new(3))], ok(4));
    assert!(told(F::CLOSE, &[FD], ok(0)).contains("will read 0, or get a reset"));
    told(F::ACCEPT, &[Arg::Fd(FdNumber::new(3))], ok(4));
    told(F::RECV, &bytes(100), ok(0));
    assert!(told(F::CLOSE, &[FD], ok(0)).contains("both sides have finished"));
    told(F::ACCEPT, &[Arg::Fd(FdNumber::new(3))], ok(4));
    told(F::RECV, &bytes(100), err(Errno::ECONNRESET));
    assert!(told(F::CLOSE, &[FD], ok(0)).contains("the number 4 is free again"));
    told(F::SOCKET, &[Arg::Type(SOCK_STREAM)], ok(4));
    told(F::LISTEN, &[FD, Arg::Int(5)], ok(0));
    assert!(told(F::CLOSE, &[FD], ok(0)).contains("no new clients"));
}

#[test]
fn a_copy_may_still_be_open() {
    use Function as F;
    let mut told = ToldExplainer::new();
    let mut told = |function, args: &[Arg<'_>], outcome| told.plain(function, args, outcome);
    let other = [Arg::Fd(FdNumber::new(5))];
    let to_5 = [FD, Arg::Fd(FdNumber::new(5))];
    told(F::ACCEPT, &[Arg::Fd(FdNumber::new(3))], ok(4));
    told(F::DUP2, &[FD, FD], ok(4));
    assert!(told(F::CLOSE, &[FD], ok(0)).contains("will read 0"), "4 itself is no copy");
    let duplicates = [F_DUPFD, F_DUPFD_CLOEXEC].map(|it| [FD, Arg::Named(it.named())]);
    for (copy, args) in [
        (F::DUP, &[FD] as &[_]),
        (F::DUP2, &to_5),
        (F::FCNTL, &duplicates[0]),
        (F::FCNTL, &duplicates[1]),
    ] {
        let mut told = ToldExplainer::new();
        let mut told = |function, args: &[Arg<'_>], outcome| told.plain(function, args, outcome);
        told(F::SOCKET, &[Arg::Type(SOCK_STREAM)], ok(5));
        told(F::LISTEN, &other, ok(0));
        told(F::ACCEPT, &other, ok(4));
        told(copy, args, ok(5));
        let said = told(F::CLOSE, &[FD], ok(0));
        assert!(
            said.starts_with("4 is free again; the file it referred to closes with its last"),
            "{said}"
        );
        let said = told(F::CLOSE, &other, ok(0));
        assert!(said.starts_with("the peer will read 0"), "5 is the last copy: {said}");
    }
}

#[test]
fn after_one_s_own_shutdown_epipe_does_not_say_that_the_peer_is_gone() {
    use Function as F;
    let mut told = ToldExplainer::new();
    let mut told = |function, args: &[Arg<'_>], outcome| told.plain(function, args, outcome);
    told(F::ACCEPT, &[Arg::Fd(FdNumber::new(3))], ok(4));
    told(F::SHUTDOWN, &[FD, Arg::Named(SHUT_WR.named())], ok(0));
    told(F::SEND, &bytes(6), err(Errno::EPIPE));
    told(F::RECV, &bytes(100), ok(0));
    assert!(told(F::CLOSE, &[FD], ok(0)).contains("both sides have finished"));
}
