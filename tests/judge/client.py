"""A right client of HTTP and daytime, and wrong ones: client.py MISTAKE URL-OR-PORT.

What a mistake changes stands in an `if mistake == ...`, so that the rest is read as it is.
"""

import socket
import sys
import urllib.parse

mistake, where = sys.argv[1], sys.argv[2]


def all_of(server):
    while received := server.recv(65536):
        yield received
        if mistake == "one-recv":
            return


def daytime(port):
    with socket.create_connection(("127.0.0.1", port)) as server:
        for received in all_of(server):
            sys.stdout.buffer.write(received)


def http(url):
    with socket.create_connection((url.hostname, url.port)) as server:
        server.sendall(f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        if mistake == "waits-without-a-wait":
            server.setblocking(False)
        while True:
            try:
                received = server.recv(65536)
            except BlockingIOError:
                continue
            answer += received
            if mistake == "one-recv" or not received:
                break
        head, body = answer.split(b"\r\n\r\n", 1)
        length = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if length and len(body) < length[0] and mistake != "length-unchecked":
            sys.exit("the answer ended before its end")
        sys.stdout.buffer.write(body[: length[0]] if length else body)


try:
    if where.startswith("http:"):
        http(urllib.parse.urlsplit(where))
    else:
        daytime(int(where))
except OSError as error:
    if mistake != "hides-errors":
        sys.exit(f"client: {error}")
