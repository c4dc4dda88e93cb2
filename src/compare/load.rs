//! The clients of an echo server: active ones, which send the next request as soon as they have an answer, and idle
//! ones that send nothing. One thread plays all of them.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::statistics::quantile;
use crate::names::{Errno, POLLIN, PollEvents};
use crate::sys::{PollFd, poll};

/// The size of a request, and of its answer.
pub(super) const MESSAGE_BYTES: usize = 64;

/// How long to wait for an answer that may never arrive: the server may be busy with another client.
const PATIENCE: Duration = Duration::from_millis(60);

/// The longest time for a connection over loopback.
const CONNECTED_WITHIN: Duration = Duration::from_secs(5);

/// The connections to one server.
pub(super) struct Load {
    active: Vec<TcpStream>,
    states: Vec<ActiveConnection>,
    idle: Vec<TcpStream>,
}

#[derive(Clone, Copy)]
struct ActiveConnection {
    /// How many bytes of the awaited answer have arrived.
    received: usize,
    is_waiting: bool,
    asked: Instant,
    answers: u64,
}

/// The results of one server in one round.
pub(super) struct Round {
    pub(super) requests: u64,
    pub(super) seconds: f64,
    pub(super) answered_connections: usize,
    /// The median and the 99th percentile, in microseconds.
    pub(super) latencies: Option<[f64; 2]>,
}

impl Load {
    /// Connects; the idle connections come first.
    pub(super) fn connect(address: SocketAddr, active: usize, idle: usize) -> io::Result<Self> {
        // If a queue is full, the kernel would try for more than a minute.
        let connect = |_| TcpStream::connect_timeout(&address, CONNECTED_WITHIN);
        let idle = (0..idle).map(connect).collect::<io::Result<_>>()?;
        let active: Vec<_> = (0..active).map(connect).collect::<io::Result<_>>()?;
        for connection in &active {
            connection.set_nodelay(true)?;
            connection.set_nonblocking(true)?;
        }
        let state =
            ActiveConnection { received: 0, is_waiting: false, asked: Instant::now(), answers: 0 };
        let states = vec![state; active.len()];
        Ok(Self { active, states, idle })
    }

    /// How many connections there are.
    pub(super) const fn len(&self) -> usize {
        self.active.len() + self.idle.len()
    }

    /// Loads the server for this time, and then receives the answers that are still missing.
    pub(super) fn round(&mut self, time: Duration) -> io::Result<Round> {
        let Self { active, states, .. } = self;
        let mut rows: Vec<_> =
            active.iter().map(|connection| PollFd::new(connection.as_fd(), POLLIN)).collect();
        let mut latencies = Vec::new();
        states.iter_mut().for_each(|state| state.answers = 0);
        let began = Instant::now();
        let end = began + time;
        for (connection, state) in active.iter().zip(&mut *states) {
            // A connection that still waits since an earlier round goes on waiting.
            if !state.is_waiting {
                ask(connection, state)?;
            }
        }
        let mut buffer = [0; MESSAGE_BYTES];
        let mut last_answer = began;
        let mut requests = 0;
        let mut seconds = 0.0;
        while states.iter().any(|state| state.is_waiting) {
            let now = Instant::now();
            let until = if now < end { end } else { (last_answer + PATIENCE).max(end) };
            if until <= now {
                break;
            }
            let wait_ms = (until - now).as_millis() as i32 + 1;
            match poll(&mut rows, wait_ms) {
                Err(Errno::EINTR) | Ok(0) => continue,
                result => result.map_err(|errno| io::Error::from_raw_os_error(errno.number()))?,
            };
            for (at, row) in rows.iter().enumerate() {
                if row.revents() == PollEvents::NONE {
                    continue;
                }
                let connection = &active[at];
                let state = &mut states[at];
                if !answer_is_complete(connection, state, &mut buffer)? {
                    continue;
                }
                last_answer = Instant::now();
                state.answers += 1;
                if last_answer < end {
                    requests += 1;
                    seconds = (last_answer - began).as_secs_f64();
                    latencies.push((last_answer - state.asked).as_secs_f64() * 1e6);
                    ask(connection, state)?;
                }
            }
        }
        latencies.sort_by(f64::total_cmp);
        let [median, most] = [0.5, 0.99].map(|part| quantile(&latencies, part));
        Ok(Round {
            requests,
            // If there was no answer, the whole time passed.
            seconds: if requests > 0 { seconds.max(1e-6) } else { time.as_secs_f64() },
            answered_connections: states.iter().filter(|state| state.answers > 0).count(),
            latencies: (!latencies.is_empty()).then_some([median, most]),
        })
    }
}

fn ask(mut connection: &TcpStream, state: &mut ActiveConnection) -> io::Result<()> {
    // There is always room, because nothing else is queued.
    connection.write_all(&[b'x'; MESSAGE_BYTES])?;
    *state = ActiveConnection { received: 0, is_waiting: true, asked: Instant::now(), ..*state };
    Ok(())
}

fn answer_is_complete(
    mut connection: &TcpStream,
    state: &mut ActiveConnection,
    buffer: &mut [u8],
) -> io::Result<bool> {
    match connection.read(buffer) {
        Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(received) => state.received += received,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
        Err(error) => return Err(error),
    }
    state.is_waiting = state.received < MESSAGE_BYTES;
    Ok(!state.is_waiting)
}
