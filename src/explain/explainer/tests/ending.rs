use super::*;

#[test]
fn ending_has_its_lessons_and_knows_what_ends() {
    use Function as F;
    let mut told = Told::new();
    let mut told = |function, args: &[Arg<'_>], outcome| told.plain(function, args, outcome);
    let half = |how: ShutdownHow| [FD, Arg::Named(how.named())];
    assert!(told(F::Shutdown, &half(SHUT_WR), ok(0)).contains("may still send"));
    assert!(told(F::Shutdown, &half(SHUT_RD), ok(0)).contains("not told"));
    assert!(told(F::Shutdown, &half(SHUT_RDWR), ok(0)).contains("every copy of 4"));

    assert_eq!(told(F::Close, &[FD], ok(0)), "", "nobody knows what it was");
    told(F::Accept, &[Arg::Fd(FdNumber::new(3))], ok(4));
    assert!(told(F::Close, &[FD], ok(0)).contains("will read 0, or a reset"));
    told(F::Accept, &[Arg::Fd(FdNumber::new(3))], ok(4));
    told(F::Recv, &bytes(100), ok(0));
    assert!(told(F::Close, &[FD], ok(0)).contains("both have finished"));
    told(F::Accept, &[Arg::Fd(FdNumber::new(3))], ok(4));
    told(F::Recv, &bytes(100), err(Errno::ECONNRESET));
    assert!(told(F::Close, &[FD], ok(0)).contains("the number 4 is free again"));
    told(F::Socket, &[Arg::Type(SOCK_STREAM)], ok(4));
    told(F::Listen, &[FD, Arg::Int(5)], ok(0));
    assert!(told(F::Close, &[FD], ok(0)).contains("no new clients"));
}

#[test]
fn a_copy_may_still_be_open() {
    use Function as F;
    let mut told = Told::new();
    let mut told = |function, args: &[Arg<'_>], outcome| told.plain(function, args, outcome);
    let other = [Arg::Fd(FdNumber::new(5))];
    let to_5 = [FD, Arg::Fd(FdNumber::new(5))];
    told(F::Accept, &[Arg::Fd(FdNumber::new(3))], ok(4));
    told(F::Dup2, &[FD, FD], ok(4));
    assert!(told(F::Close, &[FD], ok(0)).contains("will read 0"), "4 itself is no copy");
    let duplicates = [F_DUPFD, F_DUPFD_CLOEXEC].map(|it| [FD, Arg::Named(it.named())]);
    for (copy, args) in [
        (F::Dup, &[FD] as &[_]),
        (F::Dup2, &to_5),
        (F::Fcntl, &duplicates[0]),
        (F::Fcntl, &duplicates[1]),
    ] {
        let mut told = Told::new();
        let mut told = |function, args: &[Arg<'_>], outcome| told.plain(function, args, outcome);
        told(F::Socket, &[Arg::Type(SOCK_STREAM)], ok(5));
        told(F::Listen, &other, ok(0));
        told(F::Accept, &other, ok(4));
        told(copy, args, ok(5));
        let said = told(F::Close, &[FD], ok(0));
        assert!(said.starts_with("4 is free again; what it led to ends with its last"), "{said}");
        assert_eq!(told(F::Close, &other, ok(0)), "", "5 is no listener any more");
    }
}

#[test]
fn after_one_s_own_shutdown_epipe_does_not_say_that_the_peer_is_gone() {
    use Function as F;
    let mut told = Told::new();
    let mut told = |function, args: &[Arg<'_>], outcome| told.plain(function, args, outcome);
    told(F::Accept, &[Arg::Fd(FdNumber::new(3))], ok(4));
    told(F::Shutdown, &[FD, Arg::Named(SHUT_WR.named())], ok(0));
    told(F::Send, &bytes(6), err(Errno::EPIPE));
    told(F::Recv, &bytes(100), ok(0));
    assert!(told(F::Close, &[FD], ok(0)).contains("both have finished"));
}
