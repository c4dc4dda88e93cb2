//! The loop itself: an echo server over `poll`, with nothing hidden. Its twin is `bare_select.rs`.

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
/// Those of the calls on the listener, of `announce` and of `poll`; an error of one client ends that client only.
pub fn serve(address: &Address, announce: impl FnOnce(&Address) -> Result<()>) -> Result<()> {
    let listener = socket(address.domain(), SOCK_STREAM, Protocol::default())?;
    setsockopt(&listener, SOL_SOCKET, SO_REUSEADDR, &1)?;
    bind(&listener, address)?;
    listen(&listener, 4096)?;
    set_nonblocking(&listener)?;
    announce(&getsockname(&listener)?)?;

    let mut clients: Vec<Client> = Vec::new();
    let mut buf = vec![0; 65536];
    let mut full = false; // no descriptor is free: the listener is left out of one wait, which lasts a second at most
    loop {
        // A row borrows its descriptor, so the rows live for one turn. The listener's is the last.
        let mut rows: Vec<PollFd> = Vec::with_capacity(clients.len() + 1);
        // While bytes are unsent, nothing more is read (backpressure): so the memory for a client
        // has a bound.
        rows.extend(clients.iter().map(|client| {
            let events = if client.unsent.is_empty() { POLLIN } else { POLLOUT };
            PollFd::new(client.fd.as_fd(), events)
        }));
        rows.push(if full { PollFd::skipped() } else { PollFd::new(listener.as_fd(), POLLIN) });
        match poll(&mut rows, if std::mem::take(&mut full) { 1000 } else { -1 }) {
            Err(Errno::EINTR) => continue,
            result => result?,
        };
        let is_ready = |at: &usize| rows[*at].revents() != PollEvents::NONE;
        let ready: Vec<usize> = (0..rows.len()).filter(is_ready).collect();
        // From the last to the first, because `swap_remove` puts the last client into the place of one that leaves.
        for at in ready.into_iter().rev() {
            let Some(client) = clients.get_mut(at) else {
                full = accept_all(&listener, &mut clients);
                continue;
            };
            // POLLERR and POLLHUP are reported without being asked for. They need no case of their own: `recv` or
            // `send` says why.
            let stays =
                if client.unsent.is_empty() { echo(client, &mut buf) } else { send_rest(client) };
            if !stays {
                clients.swap_remove(at); // going out of scope closes the descriptor
                full = false;
            }
        }
    }
}

/// Accepts all waiting clients. Returns true if `accept` failed although a client is waiting, for example because
/// no descriptor is free: calling it again at once would spin.
fn accept_all(listener: &Fd, clients: &mut Vec<Client>) -> bool {
    loop {
        match accept(listener) {
            Ok((fd, _peer)) if set_nonblocking(&fd).is_err() => drop(fd), // a blocking socket could stop the loop
            Ok((fd, _peer)) => clients.push(Client { fd, unsent: Vec::new() }),
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
