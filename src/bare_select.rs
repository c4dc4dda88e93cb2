//! The loop itself: an echo server over `select`, with nothing hidden. Its twin is `bare_poll.rs`.

use crate::sys::*;

/// One client, and the bytes still to be sent to it because `send` did not take them.
struct Client {
    fd: Fd,
    unsent: Vec<u8>,
}

/// Listens on `address`, calls `announce` with the address that the socket got, and echoes until a call fails for good.
/// Not for a Unix-domain address on macOS: `recv` keeps the descriptors that a client passes there.
///
/// # Errors
/// Those of the calls on the listener, of `announce` and of `select`; an error of one client ends that client only.
pub fn serve(address: &Address, announce: impl FnOnce(&Address) -> Result<()>) -> Result<()> {
    let listener = socket(address.domain(), SOCK_STREAM, Protocol::default())?;
    setsockopt(&listener, SOL_SOCKET, SO_REUSEADDR, &1)?;
    bind(&listener, address)?;
    listen(&listener, 4096)?;
    set_nonblocking(&listener)?;
    let (mut want_read, mut want_write) = (FdSet::new(), FdSet::new());
    want_read.set(&listener).map_err(|_| Errno::EMFILE)?;
    announce(&getsockname(&listener)?)?;

    let mut clients: Vec<Option<Client>> = (0..FD_SETSIZE).map(|_| None).collect(); // by the number of the descriptor
    let (mut buf, mut full) = (vec![0; 65536], false); // full: no descriptor is free
    loop {
        // select rewrites its sets, so it gets copies: what we want must survive the call.
        let (mut readable, mut writable) = (want_read, want_write);
        let mut timeout = full.then_some(TimeVal { tv_sec: 1, tv_usec: 0 });
        if full {
            readable.clr(&listener); // left out of one wait, which lasts a second at most
        }
        let nfds = readable.nfds().max(writable.nfds());
        match select(nfds, Some(&mut readable), Some(&mut writable), None, timeout.as_mut()) {
            Err(Errno::EINTR) => continue,
            result => result?,
        };
        for number in readable.numbers().chain(writable.numbers()) {
            // The listener is among the numbers and is not a client: its turn comes last.
            let Some(client) = &mut clients[number.get() as usize] else { continue };
            let stays =
                if client.unsent.is_empty() { echo(client, &mut buf) } else { send_rest(client) };
            want_read.clr(&client.fd);
            want_write.clr(&client.fd);
            if !stays {
                clients[number.get() as usize] = None; // going out of scope closes the descriptor
                continue;
            }
            // While bytes are unsent, nothing more is read (backpressure): so the memory for a
            // client has a bound.
            let want = if client.unsent.is_empty() { &mut want_read } else { &mut want_write };
            want.set(&client.fd).map_err(|_| Errno::EMFILE)?;
        }
        full = readable.isset(&listener) && accept_all(&listener, &mut clients, &mut want_read);
    }
}

/// Accepts all waiting clients. Returns true if `accept` failed although a client is waiting, for example because
/// no descriptor is free: calling it again at once would spin.
fn accept_all(listener: &Fd, clients: &mut [Option<Client>], want_read: &mut FdSet) -> bool {
    loop {
        match accept(listener) {
            // A blocking socket could stop the loop, and a number from FD_SETSIZE on has no bit: such a client is
            // closed at once.
            Ok((fd, _)) if set_nonblocking(&fd).is_err() || want_read.set(&fd).is_err() => drop(fd),
            Ok((fd, _peer)) => {
                let at = fd.number().get() as usize;
                clients[at] = Some(Client { fd, unsent: Vec::new() });
            }
            Err(Errno::EINTR | Errno::ECONNABORTED) => {} // a signal came, or that client is gone: accept again
            Err(errno) => return errno != Errno::EAGAIN,  // all are in; or EMFILE and its like
        }
    }
}

/// Receives once and sends the same bytes back. Returns false if the client is done.
fn echo(client: &mut Client, buf: &mut [u8]) -> bool {
    let received = match recv(&client.fd, buf, MsgFlags::NONE) {
        Err(Errno::EAGAIN | Errno::EINTR) => return true, // readiness was only a hint
        Ok(0) | Err(_) => return false, // the peer has finished, and nothing is unsent; or a reset
        Ok(received) => received,
    };
    let Some(sent) = taken(send(&client.fd, &buf[..received], MSG_NOSIGNAL)) else { return false };
    client.unsent.extend_from_slice(&buf[sent..received]); // a short write leaves a rest
    true
}

/// Sends unsent bytes, as many as the kernel takes. Returns false if nothing more can be sent to this client.
fn send_rest(client: &mut Client) -> bool {
    let Some(sent) = taken(send(&client.fd, &client.unsent, MSG_NOSIGNAL)) else { return false };
    client.unsent = client.unsent.split_off(sent); // an empty vector holds no memory
    true
}

/// How many bytes a send took: 0 if it would have had to wait, `None` if the client is gone.
fn taken(sent: Result<usize>) -> Option<usize> {
    match sent {
        Err(Errno::EAGAIN | Errno::EINTR) => Some(0),
        sent => sent.ok(),
    }
}

/// Sets `O_NONBLOCK` and keeps the other flags: no call on this socket may stop the loop.
fn set_nonblocking(fd: &Fd) -> Result<()> {
    fcntl_setfl(fd, fcntl_getfl(fd)? | O_NONBLOCK)
}
