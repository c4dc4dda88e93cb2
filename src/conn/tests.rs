use std::fs;
use std::net::Ipv4Addr;
use std::rc::Rc;

use super::*;
use crate::names::Errno;
use crate::names::{AF_UNIX, MSG_NOSIGNAL, MsgFlags, Protocol, SO_SNDBUF, SOCK_STREAM, SOL_SOCKET};
use crate::os::accepting::set_nonblocking;
use crate::os::splicing::HAS_SPLICE;
use crate::sys::{self, AsFd, Fd};

fn pair() -> [Fd; 2] {
    let pair = sys::socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
    pair.iter().for_each(|fd| set_nonblocking(fd).unwrap());
    pair
}

#[test]
fn the_rest_of_a_short_write_is_queued_and_arrives_in_order() {
    let [ours, theirs] = pair();
    sys::setsockopt(&ours, SOL_SOCKET, SO_SNDBUF, &4096).unwrap();
    let ends = Ends::Socket(ours);
    let mut conn = Conn::default();
    let message: Vec<u8> = (0..100_000u32).map(|k| (k % 251) as u8).collect();
    conn.sending.send(&ends, &message).unwrap();
    assert!(conn.owed() > 0, "the send was not short");
    conn.sending.send(&ends, b"and the end").unwrap();

    let mut arrived = Vec::new();
    let mut buf = [0; 1000];
    while conn.owed() > 0 || arrived.len() < message.len() + 11 {
        conn.sending.send_owed(&ends).unwrap();
        while let Ok(len) = sys::recv(&theirs, &mut buf, MsgFlags::NONE) {
            arrived.extend_from_slice(&buf[..len]);
        }
    }
    assert_eq!(&arrived[..message.len()], message);
    assert_eq!(&arrived[message.len()..], b"and the end");
    assert!(conn.sending.owed.is_none(), "an idle connection holds a buffer");
}

#[test]
fn descriptors_that_a_peer_passes_are_closed_where_recv_would_keep_them() {
    let [ours, theirs] = pair();
    let ends = Ends::Socket(ours);
    // As on macOS: a connection in the Unix domain, whose peer has no name.
    let unnamed = sys::getpeername(&theirs).unwrap();
    let mut receiving = Conn::where_passed(PassedDescriptors::StayOpen, &unnamed).receiving;
    let mut buf = [0; 16];
    let [out, into] = sys::pipe().unwrap();
    set_nonblocking(&out).unwrap();
    let passed = [into.as_fd(); sys::MAX_PASSED];
    sys::sendmsg(&theirs, None, &[b"hello"], &passed[..200], MSG_NOSIGNAL).unwrap();
    drop(into);
    assert_eq!(receiving.receive(&ends, &mut buf), Ok(Incoming::Bytes(5)));
    assert_eq!(&buf[..5], b"hello");
    // None of the copies is left: the pipe has no writer.
    assert_eq!(sys::read(&out, &mut buf), Ok(0));
    // The results are those of `recv`: nothing now, an ordinary message, the end of file.
    assert_eq!(receiving.receive(&ends, &mut buf), Ok(Incoming::Nothing));
    sys::send(&theirs, b"more", MSG_NOSIGNAL).unwrap();
    assert_eq!(receiving.receive(&ends, &mut buf), Ok(Incoming::Bytes(4)));
    drop(theirs);
    assert_eq!(receiving.receive(&ends, &mut buf), Ok(Incoming::Finished));
    assert!(receiving.peer_finished());
}

#[test]
fn room_for_descriptors_costs_nothing_where_the_kernel_closes_them_and_on_tcp() {
    use PassedDescriptors::{AreClosed, StayOpen};
    let [unix, tcp] = [Address::unix("server"), Address::v4(Ipv4Addr::LOCALHOST, 7007)];
    let closes = |passed, peer| Conn::where_passed(passed, peer).receiving.closes_passed();
    assert!(closes(StayOpen, &unix));
    assert!(!closes(AreClosed, &unix) && !closes(StayOpen, &tcp) && !closes(AreClosed, &tcp));
}

#[test]
fn our_half_ends_when_everything_is_sent_and_not_before() {
    let [ours, theirs] = pair();
    sys::setsockopt(&ours, SOL_SOCKET, SO_SNDBUF, &4096).unwrap();
    let mut ends = Ends::Socket(ours);
    let mut conn = Conn::default();
    conn.sending.send(&ends, &[7; 100_000]).unwrap();
    conn.sending.finish();
    conn.sending.finish_if_sent(&mut ends).unwrap();
    assert!(!conn.sending.finished());

    let mut buf = vec![0; 200_000];
    let mut arrived = 0;
    loop {
        match sys::recv(&theirs, &mut buf, MsgFlags::NONE) {
            Ok(0) => break,
            Ok(len) => arrived += len,
            Err(Errno::EAGAIN) => {
                conn.sending.send_owed(&ends).unwrap();
                conn.sending.finish_if_sent(&mut ends).unwrap();
            }
            Err(errno) => panic!("{errno}"),
        }
    }
    assert_eq!(arrived, 100_000);
    sys::send(&theirs, b"still here", MSG_NOSIGNAL).unwrap();
    assert_eq!(conn.receiving.receive(&ends, &mut buf), Ok(Incoming::Bytes(10)));
    drop(theirs);
    assert_eq!(conn.receiving.receive(&ends, &mut buf), Ok(Incoming::Finished));
}

/// An unnamed file of 300,000 bytes.
fn file() -> (Rc<fs::File>, Vec<u8>) {
    let path = std::env::temp_dir().join(format!(
        "baresock-conn-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    let bytes: Vec<u8> = (0..300_000u32).map(|k| (k % 251) as u8).collect();
    fs::write(&path, &bytes).unwrap();
    let file = fs::File::options().read(true).write(true).open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    (Rc::new(file), bytes)
}

#[test]
fn bytes_and_files_go_out_in_their_order_and_only_bytes_are_held() {
    let [ours, theirs] = pair();
    sys::setsockopt(&ours, SOL_SOCKET, SO_SNDBUF, &4096).unwrap();
    let ends = Ends::Socket(ours);
    let mut conn = Conn::default();
    let (file, content) = file();
    let part = |at: usize, len| FilePart::new(Rc::clone(&file), at as u64, len);
    conn.sending.send_before_file(&ends, b"first ").unwrap();
    conn.sending.send_file(&ends, part(7, 200_000)).unwrap();
    conn.sending.send(&ends, b" between").unwrap();
    conn.sending.send(&ends, b" two ").unwrap();
    conn.sending.send_file(&ends, part(0, 0)).unwrap();
    conn.sending.send_file(&ends, part(299_990, 10)).unwrap();
    conn.sending.send_file(&ends, part(3, 100)).unwrap();
    assert!(
        conn.owed() > 100_000 && conn.sending.held() < 20,
        "{} {}",
        conn.owed(),
        conn.sending.held()
    );

    let end = &content[299_990..];
    let expected =
        [b"first ", &content[7..][..200_000], b" between two ", end, &content[3..][..100]].concat();
    let mut arrived = Vec::new();
    let mut buf = [0; 10_000];
    while arrived.len() < expected.len() {
        if conn.owed() > 0 {
            conn.sending.send_owed(&ends).unwrap();
        }
        while let Ok(len) = sys::recv(&theirs, &mut buf, MsgFlags::NONE) {
            arrived.extend_from_slice(&buf[..len]);
        }
    }
    assert!(arrived == expected, "other bytes");
    assert!(conn.owed() == 0 && conn.sending.owed.is_none());
    assert_eq!(Rc::strong_count(&file), 1, "the file is still held");
}

#[test]
fn a_file_that_has_become_shorter_is_no_end_and_no_spin() {
    let [ours, _theirs] = pair();
    let ends = Ends::Socket(ours);
    let (file, _) = file();
    file.set_len(10).unwrap();
    let mut conn = Conn::default();
    conn.sending.send_file(&ends, FilePart::new(file, 0, 20)).unwrap();
    assert_eq!((conn.owed(), conn.sending.is_broken()), (10, false));
    conn.sending.send_owed(&ends).unwrap();
    assert_eq!((conn.owed(), conn.sending.is_broken()), (10, true));
}

#[test]
fn bytes_in_a_pipe_wait_for_room_and_leave_before_those_sent_after_them() {
    if !HAS_SPLICE {
        return eprintln!("skipped: this system has no splice");
    }
    let [source, theirs] = pair();
    let message: Vec<u8> = (0..60_000u32).map(|k| (k % 251) as u8).collect();
    assert_eq!(sys::send(&theirs, &message, MSG_NOSIGNAL), Ok(message.len()));
    let source = Ends::Socket(source);
    let mut pipe = SplicePipe::new().unwrap();
    assert_eq!(pipe.fill(&source, 50_000), Ok(50_000));
    // The pipe may be full by now: then this moves nothing, and what is left comes later.
    assert!(pipe.fill(&source, 50_000).unwrap() <= 10_000);
    let filled = pipe.len();

    let [ours, theirs] = pair();
    let mut before = 0;
    while let Ok(len) = sys::send(&ours, &[0; 1000], MSG_NOSIGNAL) {
        before += len;
    }
    let mut ends = Ends::Socket(ours);
    let mut conn = Conn::default();
    conn.sending.set_pipe(pipe);
    conn.sending.send(&ends, b"and the end").unwrap();
    conn.sending.finish();
    assert_eq!((conn.owed(), conn.sending.held()), (filled + 11, 11));
    conn.sending.send_owed(&ends).unwrap();
    assert_eq!(conn.sending.piped(), filled);
    conn.sending.finish_if_sent(&mut ends).unwrap();
    assert!(!conn.sending.finished());

    let mut arrived = Vec::new();
    let mut buf = [0; 1000];
    loop {
        match sys::recv(&theirs, &mut buf, MsgFlags::NONE) {
            Ok(0) => break,
            Ok(len) => arrived.extend_from_slice(&buf[..len]),
            Err(Errno::EAGAIN) => {
                conn.sending.send_owed(&ends).unwrap();
                conn.sending.finish_if_sent(&mut ends).unwrap();
            }
            Err(errno) => panic!("{errno}"),
        }
    }
    let arrived = &arrived[before..];
    assert!(arrived[..filled] == message[..filled] && &arrived[filled..] == b"and the end");
}

#[test]
fn a_pipe_from_a_silent_or_finished_peer_stays_empty() {
    if !HAS_SPLICE {
        return eprintln!("skipped: this system has no splice");
    }
    let [source, theirs] = pair();
    let source = Ends::Socket(source);
    let mut pipe = SplicePipe::new().unwrap();
    assert_eq!((pipe.fill(&source, 10), pipe.is_empty()), (Ok(0), true));
    drop(theirs);
    assert_eq!((pipe.fill(&source, 10), pipe.is_empty()), (Ok(0), true));
}
