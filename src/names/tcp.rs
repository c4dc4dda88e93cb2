//! The states of a TCP connection.

use super::constants;

// Linux: include/net/tcp_states.h. The BSDs and macOS: TCPS_* in <netinet/tcp_fsm.h>.
#[cfg(linux)]
constants! {
    /// The state of a TCP connection (RFC 9293, figure 5).
    one TcpState, "TCP_???" {
        ESTABLISHED = 1, "both ends can send";
        SYN_SENT = 2, "asked for a connection, no answer yet";
        SYN_RECV = 3, "was asked for a connection, and has answered";
        FIN_WAIT1 = 4, "we have finished, the peer has not yet acknowledged that";
        FIN_WAIT2 = 5, "we have finished, the peer has not";
        TIME_WAIT = 6, "both have finished; late packets may still come";
        CLOSE = 7, "no connection";
        CLOSE_WAIT = 8, "the peer has finished, we have not";
        LAST_ACK = 9, "both have finished, our end is not yet acknowledged";
        LISTEN = 10, "takes connections";
        CLOSING = 11, "both have finished at the same time";
    }
}

#[cfg(not(linux))]
constants! {
    /// The state of a TCP connection (RFC 9293, figure 5).
    one TcpState, "TCPS_???" {
        CLOSE = 0, "no connection";
        LISTEN = 1, "takes connections";
        SYN_SENT = 2, "asked for a connection, no answer yet";
        SYN_RECV = 3, "was asked for a connection, and has answered";
        ESTABLISHED = 4, "both ends can send";
        CLOSE_WAIT = 5, "the peer has finished, we have not";
        FIN_WAIT1 = 6, "we have finished, the peer has not yet acknowledged that";
        CLOSING = 7, "both have finished at the same time";
        LAST_ACK = 8, "both have finished, our end is not yet acknowledged";
        FIN_WAIT2 = 9, "we have finished, the peer has not";
        TIME_WAIT = 10, "both have finished; late packets may still come";
    }
}
