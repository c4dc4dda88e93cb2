//! What rules say, and what happens to calls.

use super::*;

/// Which of the first ten calls a rule changes.
fn hits(rule: &str, function: Function) -> Vec<u64> {
    let mut rules = [InjectRule::parse(rule).unwrap()];
    (1..=10).filter(|_| plan(&mut rules, function) != Plan::default()).collect()
}

#[test]
fn a_rule_strikes_when_it_says() {
    assert_eq!(hits("recv:EINTR@3", Function::RECV), [3]);
    assert_eq!(hits("recv:EINTR@9+", Function::RECV), [9, 10]);
    assert_eq!(hits("recv:EINTR@every:4", Function::RECV), [4, 8]);
    assert_eq!(hits("recv:EINTR@2-5", Function::RECV), [2, 3, 4, 5]);
    assert_eq!(hits("recv:EINTR@2..3", Function::RECV), [2, 3]);
    assert_eq!(hits("recv:EINTR", Function::RECV).len(), 10);
    assert!(hits("recv:EINTR", Function::SEND).is_empty());
    assert_eq!(hits("accept:EMFILE@3", Function::ACCEPT4), [3]);
    assert!(hits("accept4:EMFILE@3", Function::ACCEPT).is_empty());
    assert_eq!(hits("RECV:ewouldblock@3", Function::RECV), [3]);
}

#[test]
fn a_rule_that_never_struck_says_what_was_called_instead() {
    let mut rules = ["accept:EMFILE", "recvfrom:EINTR", "send:EINTR"]
        .map(|rule| InjectRule::parse(rule).unwrap());
    plan(&mut rules, Function::ACCEPT4);
    plan(&mut rules, Function::RECV);
    let idle: Vec<_> = rules.iter().filter_map(InjectRule::idle).collect();
    assert_eq!(
        idle,
        [
            "--inject recvfrom:EINTR: recvfrom was never called; recv was",
            "--inject send:EINTR: send was never called"
        ]
    );
}

#[test]
fn a_rule_that_changed_nothing_has_not_struck() {
    let mut rules = [InjectRule::parse("send:short=5").unwrap()];
    let send = |rules: &mut [InjectRule], len| {
        let mut plan = plan(rules, Function::SEND);
        plan.length(len);
        count_shortened(rules, &plan);
    };
    send(&mut rules, 5);
    let idle = rules[0].idle().unwrap();
    assert_eq!(idle, "--inject send:short=5: send was never called with more than 5 bytes then");
    send(&mut rules, 6);
    assert_eq!(rules[0].idle(), None);
}

#[test]
fn chance_is_the_same_for_the_same_seed() {
    assert_eq!(
        hits("send:EAGAIN%50:seed=7", Function::SEND),
        hits("send:EAGAIN%50:seed=7", Function::SEND)
    );
    assert_eq!(hits("send:EAGAIN%100:seed=7", Function::SEND).len(), 10);
    let mut rules = [InjectRule::parse("send:EAGAIN%10:seed=3").unwrap()];
    let many = (0..10_000).filter(|_| plan(&mut rules, Function::SEND) != Plan::default()).count();
    assert!((800..1200).contains(&many), "{many} of 10,000");
}

#[test]
fn what_cannot_apply_is_refused_with_what_can() {
    for (rule, reason) in [
        ("recv", "CALL:FAULT"),
        ("quaff:EINTR", "calls: socket"),
        ("selct:EINTR", "did you mean select?"),
        ("recv:EGAIN", "did you mean EAGAIN?"),
        ("poll:spurius", "did you mean spurious?"),
        ("poll:hangs", "did you mean hang?"),
        ("getaddrinfo:EINTR", "not a call that baresock wraps"),
        ("recv:short=5", "chunk=BYTES"),
        ("send:chunk=5", "short=BYTES"),
        ("send:spurious", "an errno by name"),
        ("poll:EWRONG", "spurious"),
        ("send:short=0", "short=0@3"),
        ("send:short=0@2+", "short=0@3"),
        ("recv:EINTR@5-2", "@2-5"),
        ("recv:EINTR@0", "@every:5"),
        ("recv:EINTR@x", "@every:5"),
        ("recv:EINTR%0", "@every:5"),
        ("recv:EINTR%101", "@every:5"),
        ("recv:chunk=0", "chunk=BYTES"),
        ("connect:delay=5", "delay=200ms"),
    ] {
        let why = InjectRule::parse(rule).unwrap_err().to_string();
        assert!(why.contains(reason), "{rule:?} gave {why:?}");
    }
}
