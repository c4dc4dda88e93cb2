//! The functions that can stand in a trace: every one that [`crate::sys`] wraps.

use std::fmt;

/// When a call may put its caller to sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// It returns at once.
    Never,
    /// As long as its descriptor is not ready, unless that is non-blocking.
    OnDescriptor,
    /// Until something happens: waiting is its work.
    Always,
}

macro_rules! functions {
    ($( $Name:ident $prototype:literal [$($parameter:literal),*] $waits:ident $($library:ident)?; )*) => {
        /// A function of C that a wrapper calls.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Function {
            $( #[doc = concat!("`", $prototype, "`")] $Name, )*
        }

        impl Function {
            /// Every function, in the order of the chapters of [`crate::sys`].
            pub const ALL: &'static [Self] = &[$( Self::$Name, )*];

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
    Socket "int socket(int domain, int type, int protocol)" ["domain", "type", "protocol"] Never;
    Socketpair "int socketpair(int domain, int type, int protocol, int sv[2])" ["domain", "type", "protocol", "sv"] Never;
    Bind "int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen)" ["sockfd", "addr", "addrlen"] Never;
    Listen "int listen(int sockfd, int backlog)" ["sockfd", "backlog"] Never;
    Accept "int accept(int sockfd, struct sockaddr *addr, socklen_t *addrlen)" ["sockfd", "addr", "addrlen"] OnDescriptor;
    Accept4 "int accept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen, int flags)" ["sockfd", "addr", "addrlen", "flags"] OnDescriptor;
    Connect "int connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen)" ["sockfd", "addr", "addrlen"] OnDescriptor;
    Shutdown "int shutdown(int sockfd, int how)" ["sockfd", "how"] Never;
    Close "int close(int fd)" ["fd"] Never;
    Dup "int dup(int oldfd)" ["oldfd"] Never;
    Dup2 "int dup2(int oldfd, int newfd)" ["oldfd", "newfd"] Never;
    Pipe "int pipe(int pipefd[2])" ["pipefd"] Never;
    Getsockname "int getsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen)" ["sockfd", "addr", "addrlen"] Never;
    Getpeername "int getpeername(int sockfd, struct sockaddr *addr, socklen_t *addrlen)" ["sockfd", "addr", "addrlen"] Never;
    Send "ssize_t send(int sockfd, const void *buf, size_t len, int flags)" ["sockfd", "buf", "len", "flags"] OnDescriptor;
    Recv "ssize_t recv(int sockfd, void *buf, size_t len, int flags)" ["sockfd", "buf", "len", "flags"] OnDescriptor;
    Sendto "ssize_t sendto(int sockfd, const void *buf, size_t len, int flags, const struct sockaddr *dest_addr, socklen_t addrlen)" ["sockfd", "buf", "len", "flags", "dest_addr", "addrlen"] OnDescriptor;
    Recvfrom "ssize_t recvfrom(int sockfd, void *buf, size_t len, int flags, struct sockaddr *src_addr, socklen_t *addrlen)" ["sockfd", "buf", "len", "flags", "src_addr", "addrlen"] OnDescriptor;
    Sendmsg "ssize_t sendmsg(int sockfd, const struct msghdr *msg, int flags)" ["sockfd", "msg", "flags"] OnDescriptor;
    Recvmsg "ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags)" ["sockfd", "msg", "flags"] OnDescriptor;
    Read "ssize_t read(int fd, void *buf, size_t count)" ["fd", "buf", "count"] OnDescriptor;
    Write "ssize_t write(int fd, const void *buf, size_t count)" ["fd", "buf", "count"] OnDescriptor;
    Setsockopt "int setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen)" ["sockfd", "level", "optname", "optval", "optlen"] Never;
    Getsockopt "int getsockopt(int sockfd, int level, int optname, void *optval, socklen_t *optlen)" ["sockfd", "level", "optname", "optval", "optlen"] Never;
    Fcntl "int fcntl(int fd, int cmd, ...)" ["fd", "cmd", "arg"] Never;
    Ioctl "int ioctl(int fd, unsigned long request, ...)" ["fd", "request", "arg"] Never;
    Sockatmark "int sockatmark(int sockfd)" ["sockfd"] Never;
    Select "int select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, struct timeval *timeout)" ["nfds", "readfds", "writefds", "exceptfds", "timeout"] Always;
    Pselect "int pselect(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, const struct timespec *timeout, const sigset_t *sigmask)" ["nfds", "readfds", "writefds", "exceptfds", "timeout", "sigmask"] Always;
    Poll "int poll(struct pollfd *fds, nfds_t nfds, int timeout)" ["fds", "nfds", "timeout"] Always;
    Ppoll "int ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *tmo_p, const sigset_t *sigmask)" ["fds", "nfds", "tmo_p", "sigmask"] Always;
    Sigaction "int sigaction(int signum, const struct sigaction *act, struct sigaction *oldact)" ["signum", "act", "oldact"] Never;
    Sigprocmask "int sigprocmask(int how, const sigset_t *set, sigset_t *oldset)" ["how", "set", "oldset"] Never;
    Kill "int kill(pid_t pid, int sig)" ["pid", "sig"] Never;
    Getaddrinfo "int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)" ["node", "service", "hints", "res"] Always library;
    Getnameinfo "int getnameinfo(const struct sockaddr *addr, socklen_t addrlen, char *host, socklen_t hostlen, char *serv, socklen_t servlen, int flags)" ["addr", "addrlen", "host", "hostlen", "serv", "servlen", "flags"] Always library;
    Gethostname "int gethostname(char *name, size_t len)" ["name", "len"] Never library;
    Getservbyname "struct servent *getservbyname(const char *name, const char *proto)" ["name", "proto"] Never library;
    IfNameindex "struct if_nameindex *if_nameindex(void)" [] Never library;
}

impl Function {
    /// Its name in C.
    pub fn name(self) -> &'static str {
        let before_arguments = self.prototype().split('(').next().unwrap_or_default();
        before_arguments.rsplit([' ', '*']).next().unwrap_or_default()
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
        assert_eq!(Function::Getservbyname.name(), "getservbyname");
        assert_eq!(Function::Recv.name(), "recv");
        for function in Function::ALL {
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
