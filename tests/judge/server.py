"""Right servers in Python, a thread for each client, and wrong ones: server.py ROLE MISTAKE PORT [DIR].

What a mistake changes stands in an `if mistake == ...`, so that the rest is read as it is.
"""

import os
import signal
import socket
import struct
import sys
import threading
import time
import urllib.parse

role, mistake, port = sys.argv[1], sys.argv[2], int(sys.argv[3])


def lines_of(client):
    """Lines as they are complete, and what is left at the end."""
    held = b""
    while received := client.recv(65536):
        held += received
        *lines, held = held.split(b"\n")
        yield from lines


def echo(client):
    while received := client.recv(65536):
        if mistake == "text":
            received = received.decode().encode()
        client.sendall(received)


def daytime(client):
    client.sendall(time.strftime("%A, %B %d, %Y %H:%M:%S\r\n").encode())
    if mistake == "stays-open":
        time.sleep(3600)


def seconds(client):
    since = int(time.time()) + (0 if mistake == "unix-epoch" else 2208988800)
    client.sendall(struct.pack("=I" if mistake == "host-order" else "!I", since & 0xFFFFFFFF))


members, lock = [], threading.Lock()


def chat(client):
    with lock:
        members.append(client)
    try:
        for line in lines_of(client):
            with lock:
                others = [member for member in members if member is not client]
            for member in others:
                try:
                    member.sendall(line + b"\n")
                except OSError:
                    pass  # it is gone
    finally:
        with lock:
            members.remove(client)


def answer(client, status, body=b"", head_only=False, goes_on=True):
    reasons = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 414: "URI Too Long"}
    head = f"HTTP/1.1 {status} {reasons[status]}\r\nContent-Length: {len(body)}\r\n"
    if not goes_on and mistake != "claims-to-go-on":
        head += "Connection: close\r\n"
    client.sendall(head.encode() + b"\r\n" + (b"" if head_only else body))


def http(client):
    root, held = os.path.realpath(sys.argv[4]), b""
    while True:
        while b"\r\n\r\n" not in held:
            if len(held) > 16384:
                return answer(client, 414, goes_on=False)
            if not (received := client.recv(65536)):
                return
            held += received
            if mistake == "one-recv" and b"\r\n\r\n" not in held:
                return answer(client, 400, goes_on=False)
        head, held = held.split(b"\r\n\r\n", 1)
        if mistake == "one-request-per-recv":
            held = b""
        request, *fields = head.decode("latin-1").split("\r\n")
        method, target, version = request.split(" ")
        fields = {name.lower(): value.strip() for name, value in (field.split(":", 1) for field in fields)}
        goes_on = version != "HTTP/1.0" and fields.get("connection", "").lower() != "close"
        if mistake == "claims-to-go-on":
            goes_on = False
        if version == "HTTP/1.1" and "host" not in fields and mistake != "no-host-is-fine":
            return answer(client, 400, goes_on=False)
        if method not in ("GET", "HEAD"):
            if mistake != "body-is-a-request":
                return answer(client, 405, goes_on=False)
            answer(client, 405)
            continue
        path = root + urllib.parse.unquote(target.split("?")[0])
        if mistake != "climbs-out" and not os.path.realpath(path).startswith(root + "/"):
            status, body = 404, b""
        elif os.path.isfile(path):
            with open(path, "rb") as file:
                status, body = 200, file.read()
        else:
            status, body = (200 if mistake == "everything-is-found" else 404), b"nothing here\n"
        answer(client, status, body, method == "HEAD" and mistake != "head-has-a-body", goes_on)
        if not goes_on:
            return


SERVICES = {"echo": echo, "daytime": daytime, "time": seconds, "chat": chat, "http": http}


def fork_on():
    """A child for each client, in a session of its own, which outlives the client and the server."""
    if not os.fork():
        os.setsid()
        os.closerange(3, 4096)
        time.sleep(3600)


def with_client(client):
    if mistake == "forks-on":
        fork_on()
    try:
        with client:
            SERVICES[role](client)
    except (OSError, ValueError):
        pass  # this client is lost, and no other


def datagrams():
    fixed = None
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", port))
    while True:
        received, sender = server.recvfrom(1024 if mistake == "short-buffer" else 65536)
        if not received and mistake == "empty-is-the-end":
            return
        fixed = fixed or sender
        server.sendto(received, fixed if mistake == "first-sender-only" else sender)


def double_fork():
    """The server runs in a process that is in no group of its parent's."""
    if os.fork():
        time.sleep(3600)
    os.setsid()
    if os.fork():
        os._exit(0)


def main():
    if mistake == "ignores-sigterm":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if mistake == "never-listens":
        time.sleep(3600)
    if mistake == "double-fork":
        double_fork()
    if role == "udp":
        return datagrams()
    server = socket.create_server(("127.0.0.1", port), backlog=1024)
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            time.sleep(0.1)  # no descriptor is left: perhaps later
            continue
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=with_client, args=[client], daemon=True).start()


main()
