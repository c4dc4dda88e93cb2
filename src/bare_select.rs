//! The loop itself: an echo server over `select`, with nothing hidden. Its twin is `bare_poll.rs`.

use crate::sys::*;

/// One client, and what is still owed to it because `send` did not take it.
struct Client {
    fd: Fd,
    unsent: Vec<u8>,
}

/// Listens on `address`, announces the name that it got, and echoes until something fails for good.
///
/// # Errors
/// What `socket`, `bind`, `listen` or `select` give; an error of one client ends that client only.
pub fn serve(address: &Address, announce: impl FnOnce(&Address)) -> Result<()> {
    let listener = socket(address.domain(), SOCK_STREAM, Protocol::default())?;
    setsockopt(&listener, SOL_SOCKET, SO_REUSEADDR, &1)?;
    bind(&listener, address)?;
    listen(&listener, 4096)?;
    set_nonblocking(&listener)?;
    announce(&getsockname(&listener)?);

    let mut clients: Vec<Option<Client>> = Vec::new(); // by the number of the descriptor
    let mut buf = vec![0; 65536];
    let (mut want_read, mut want_write) = (FdSet::new(), FdSet::new());
    want_read.set(&listener).map_err(|_| Errno::EMFILE)?;
    loop {
        // select rewrites its sets, so it gets copies: what we want must survive the call.
        let (mut readable, mut writable) = (want_read, want_write);
        let nfds = readable.nfds().max(writable.nfds());
        match select(nfds, Some(&mut readable), Some(&mut writable), None, None) {
            Err(Errno::EINTR) => continue,
            result => result?,
        };
        for number in readable.numbers().chain(writable.numbers()) {
            let Some(place) = clients.get_mut(number.get() as usize) else { continue };
            let Some(client) = place else { continue };
            let serving =
                if client.unsent.is_empty() { echo(client, &mut buf) } else { send_rest(client) };
            want_read.clr(&client.fd);
            want_write.clr(&client.fd);
            if serving.is_err() {
                *place = None; // going out of scope closes the descriptor
                want_read.set(&listener).map_err(|_| Errno::EMFILE)?; // there is one free again
                continue;
            }
            // While something is owed, nothing more is read: so the memory for a client has a bound.
            let want = if client.unsent.is_empty() { &mut want_read } else { &mut want_write };
            want.set(&client.fd).map_err(|_| Errno::EMFILE)?;
        }
        while readable.isset(&listener) {
            match accept(&listener) {
                // A number from FD_SETSIZE on has no bit: this client is closed at once.
                Ok((fd, _peer)) if want_read.set(&fd).is_err() => drop(fd),
                Ok((fd, _peer)) => {
                    set_nonblocking(&fd)?;
                    let at = fd.number().get() as usize;
                    clients.resize_with(clients.len().max(at + 1), || None);
                    clients[at] = Some(Client { fd, unsent: Vec::new() });
                }
                Err(Errno::EMFILE | Errno::ENFILE) => want_read.clr(&listener), // until one is free
                Err(_) => break, // EAGAIN: all are in; anything else is that one client's misfortune
            }
            if !want_read.isset(&listener) {
                break;
            }
        }
    }
}

/// Receives once and sends that back. An error means that this client is done with.
fn echo(client: &mut Client, buf: &mut [u8]) -> Result<()> {
    let received = match recv(&client.fd, buf, MsgFlags::NONE) {
        Ok(0) => return Err(Errno::EPIPE), // the peer has finished, and nothing is owed to it
        Err(Errno::EAGAIN | Errno::EINTR) => return Ok(()), // readiness was only a hint
        result => result?,
    };
    let sent = match send(&client.fd, &buf[..received], MSG_NOSIGNAL) {
        Err(Errno::EAGAIN | Errno::EINTR) => 0,
        result => result?,
    };
    client.unsent.extend_from_slice(&buf[sent..received]); // a short send leaves a rest
    Ok(())
}

/// Sends what is owed, as far as it goes.
fn send_rest(client: &mut Client) -> Result<()> {
    let sent = match send(&client.fd, &client.unsent, MSG_NOSIGNAL) {
        Err(Errno::EAGAIN | Errno::EINTR) => 0,
        result => result?,
    };
    client.unsent = client.unsent.split_off(sent); // where nothing is left, it holds no memory
    Ok(())
}

/// Sets `O_NONBLOCK` and keeps the other flags: no call on this socket may stop the loop.
fn set_nonblocking(fd: &Fd) -> Result<()> {
    fcntl_setfl(fd, fcntl_getfl(fd)? | O_NONBLOCK)
}
