//! The functions that can stand in a trace: every one that [`crate::sys`] wraps.

use std::fmt;

/// When a call may put its caller to sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// It returns at once. (`close` with `SO_LINGER` may not; its line comes as a whole when it does.)
    Never,
    /// As long as its descriptor is not ready, unless that is non-blocking.
    OnDescriptor,
    /// Until something happens: waiting is its work.
    Always,
}

macro_rules! functions {
    ($( $Name:ident $name:literal $prototype:literal [$($parameter:literal),*] $waits:ident $($library:ident)?; )*) => {
        /// A function of C that a wrapper calls.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Function {
            $( #[doc = concat!("`", $prototype, "`")] $Name, )*
        }

        impl Function {
            /// Every function, in the order of the chapters of [`crate::sys`].
            pub const ALL: &'static [Self] = &[$( Self::$Name, )*];

            /// Its name in C.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$Name => $name, )* }
            }

            /// Its prototype in C.
            pub const fn prototype(self) -> &'static str {
                match self { $( Self::$Name => $prototype, )* }
            }

            /// The names of its parameters.
            pub const fn parameters(self) -> &'static [&'static str] {
                match self { $( Self::$Name => &[$($parameter),*], )* }
            }

            /// When it may put its caller to sleep.
            pub const fn waits(self) -> Waits {
                match self { $( Self::$Name => Waits::$waits, )* }
            }

            /// Whether it is a function of the C library that makes calls of its own, or none at all: its
            /// line stands for whatever it does inside, and is marked `(library)`.
            pub const fn is_library(self) -> bool {
                match self { $( Self::$Name => functions!(@library $($library)?), )* }
            }
        }
    };
    (@library) => { false };
    (@library library) => { true };
}

functions! {
    Socket "socket" "int socket(int domain, int type, int protocol)" ["domain", "type", "protocol"] Never;
    Socketpair "socketpair" "int socketpair(int domain, int type, int protocol, int sv[2])" ["domain", "type", "protocol", "sv"] Never;
    Bind "bind" "int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen)" ["sockfd", "addr", "addrlen"] Never;
    Listen "listen" "int listen(int sockfd, int backlog)" ["sockfd", "backlog"] Never;
    Accept "accept" "int accept(int sockfd, struct sockaddr *addr, socklen_t *addrlen)" ["sockfd", "addr", "addrlen"] OnDescriptor;
    Accept4 "accept4" "int accept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen, int flags)" ["sockfd", "addr", "addrlen", "flags"] OnDescriptor;
    Connect "connect" "int connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen)" ["sockfd", "addr", "addrlen"] OnDescriptor;
    Shutdown "shutdown" "int shutdown(int sockfd, int how)" ["sockfd", "how"] Never;
    Close "close" "int close(int fd)" ["fd"] Never;
    Dup "dup" "int dup(int oldfd)" ["oldfd"] Never;
    Dup2 "dup2" "int dup2(int oldfd, int newfd)" ["oldfd", "newfd"] Never;
    Pipe "pipe" "int pipe(int pipefd[2])" ["pipefd"] Never;
    Getsockname "getsockname" "int getsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen)" ["sockfd", "addr", "addrlen"] Never;
    Getpeername "getpeername" "int getpeername(int sockfd, struct sockaddr *addr, socklen_t *addrlen)" ["sockfd", "addr", "addrlen"] Never;
    Send "send" "ssize_t send(int sockfd, const void *buf, size_t len, int flags)" ["sockfd", "buf", "len", "flags"] OnDescriptor;
    Recv "recv" "ssize_t recv(int sockfd, void *buf, size_t len, int flags)" ["sockfd", "buf", "len", "flags"] OnDescriptor;
    Sendto "sendto" "ssize_t sendto(int sockfd, const void *buf, size_t len, int flags, const struct sockaddr *dest_addr, socklen_t addrlen)" ["sockfd", "buf", "len", "flags", "dest_addr", "addrlen"] OnDescriptor;
    Recvfrom "recvfrom" "ssize_t recvfrom(int sockfd, void *buf, size_t len, int flags, struct sockaddr *src_addr, socklen_t *addrlen)" ["sockfd", "buf", "len", "flags", "src_addr", "addrlen"] OnDescriptor;
    Sendmsg "sendmsg" "ssize_t sendmsg(int sockfd, const struct msghdr *msg, int flags)" ["sockfd", "msg", "flags"] OnDescriptor;
    Recvmsg "recvmsg" "ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags)" ["sockfd", "msg", "flags"] OnDescriptor;
    Read "read" "ssize_t read(int fd, void *buf, size_t count)" ["fd", "buf", "count"] OnDescriptor;
    Write "write" "ssize_t write(int fd, const void *buf, size_t count)" ["fd", "buf", "count"] OnDescriptor;
    Sendfile "sendfile" "ssize_t sendfile(int out_fd, int in_fd, off_t *offset, size_t count)" ["out_fd", "in_fd", "offset", "count"] OnDescriptor;
    Setsockopt "setsockopt" "int setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen)" ["sockfd", "level", "optname", "optval", "optlen"] Never;
    Getsockopt "getsockopt" "int getsockopt(int sockfd, int level, int optname, void *optval, socklen_t *optlen)" ["sockfd", "level", "optname", "optval", "optlen"] Never;
    Fcntl "fcntl" "int fcntl(int fd, int cmd, ...)" ["fd", "cmd", "arg"] Never;
    Ioctl "ioctl" "int ioctl(int fd, unsigned long request, ...)" ["fd", "request", "arg"] Never;
    Sockatmark "sockatmark" "int sockatmark(int sockfd)" ["sockfd"] Never;
    Select "select" "int select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, struct timeval *timeout)" ["nfds", "readfds", "writefds", "exceptfds", "timeout"] Always;
    Pselect "pselect" "int pselect(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, const struct timespec *timeout, const sigset_t *sigmask)" ["nfds", "readfds", "writefds", "exceptfds", "timeout", "sigmask"] Always;
    Poll "poll" "int poll(struct pollfd *fds, nfds_t nfds, int timeout)" ["fds", "nfds", "timeout"] Always;
    Ppoll "ppoll" "int ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *tmo_p, const sigset_t *sigmask)" ["fds", "nfds", "tmo_p", "sigmask"] Always;
    Sigaction "sigaction" "int sigaction(int signum, const struct sigaction *act, struct sigaction *oldact)" ["signum", "act", "oldact"] Never;
    Sigprocmask "sigprocmask" "int sigprocmask(int how, const sigset_t *set, sigset_t *oldset)" ["how", "set", "oldset"] Never;
    Kill "kill" "int kill(pid_t pid, int sig)" ["pid", "sig"] Never;
    Getaddrinfo "getaddrinfo" "int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)" ["node", "service", "hints", "res"] Always library;
    Getnameinfo "getnameinfo" "int getnameinfo(const struct sockaddr *addr, socklen_t addrlen, char *host, socklen_t hostlen, char *serv, socklen_t servlen, int flags)" ["addr", "addrlen", "host", "hostlen", "serv", "servlen", "flags"] Always library;
    Gethostname "gethostname" "int gethostname(char *name, size_t len)" ["name", "len"] Never library;
    Getservbyname "getservbyname" "struct servent *getservbyname(const char *name, const char *proto)" ["name", "proto"] Never library;
    IfNameindex "if_nameindex" "struct if_nameindex *if_nameindex(void)" [] Never library;
}

/// Functions that do the same work, each in its own way.
const ALIKE: &[&[Function]] = &[
    &[Function::Accept, Function::Accept4],
    &[Function::Dup, Function::Dup2],
    &[Function::Send, Function::Sendto, Function::Sendmsg, Function::Write, Function::Sendfile],
    &[Function::Recv, Function::Recvfrom, Function::Recvmsg, Function::Read],
    &[Function::Select, Function::Pselect, Function::Poll, Function::Ppoll],
];

impl Function {
    /// Whether both do the same work: who looks in vain for one may have meant the other.
    pub fn is_like(self, other: Self) -> bool {
        ALIKE.iter().any(|group| group.contains(&self) && group.contains(&other))
    }

    /// Whether its result is a count of bytes that were sent.
    pub const fn sends(self) -> bool {
        matches!(self, Self::Send | Self::Sendto | Self::Sendmsg | Self::Write | Self::Sendfile)
    }

    /// The function of this name, if it is wrapped.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|function| function.name() == name)
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_the_prototype() {
        for function in Function::ALL {
            let before_arguments = function.prototype().split('(').next().unwrap();
            assert_eq!(before_arguments.rsplit([' ', '*']).next(), Some(function.name()));
            assert_eq!(Function::from_name(function.name()), Some(*function));
        }
    }

    #[test]
    fn parameters_are_those_of_the_prototype() {
        for function in Function::ALL {
            let prototype = function.prototype();
            let inside = &prototype[prototype.find('(').unwrap() + 1..prototype.len() - 1];
            let names: Vec<_> = inside
                .split(", ")
                .filter(|parameter| *parameter != "void")
                .map(|parameter| {
                    parameter.rsplit([' ', '*']).next().unwrap().trim_end_matches("[2]")
                })
                .map(|name| if name == "..." { "arg" } else { name })
                .collect();
            assert_eq!(names, function.parameters(), "{prototype}");
        }
    }
}
