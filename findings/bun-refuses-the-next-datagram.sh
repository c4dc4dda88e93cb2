#!/bin/bash
# A UDP socket without a peer sends one datagram to a port that has no socket any more and the next one to a client that is
# there. In Node and in Deno both sends succeed, and the client receives its datagram. In Bun 1.4.5 the second send fails with
# ECONNREFUSED, and its datagram is not sent: one client that has left costs another client its answer. Bun sets IP_RECVERR on
# each UDP socket, which makes Linux keep the error of an earlier datagram for the next call, whatever the destination of that
# call is. On loopback the ICMP message is there before the first send returns. (Over a network, which was not tried, only a
# datagram that Bun sends between the message's arrival and its own next receive should be lost.)
# `baresock lab udp-refused-later` makes the same calls.
# Seen with Bun 1.4.5, Deno 2.9.6 and Node 20.20.2 on Linux 6.18. Needs npm and node; Node is the installed one.
set -eu
for program in npm node; do
    command -v "$program" >/dev/null || { echo "needs $program"; exit 2; }
done
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

(cd "$place" && npm init -y >/dev/null &&
    npm install --silent --no-audit --no-fund --ignore-scripts @oven/bun-linux-x64@1.4.5 @deno/linux-x64-glibc@2.9.6) || exit 2

cat >"$place/send.mjs" <<'JS'
import dgram from 'node:dgram';

function bound() {
  const socket = dgram.createSocket('udp4');
  return new Promise((done) => socket.bind(0, '127.0.0.1', () => done(socket)));
}

const server = await bound();
const client = await bound();
const gone = await bound();
const gonePort = gone.address().port;
await new Promise((done) => gone.close(done));

server.on('error', () => {});
const received = new Promise((done) => client.on('message', (message) => done(`received "${message}"`)));
const send = (text, port) =>
  new Promise((done) => server.send(text, port, '127.0.0.1', (error) => done(error ? error.code : 'sent')));
// Both in one turn of the loop, as a server answers several clients.
const [toGone, toClient] = await Promise.all([send('bye', gonePort), send('hello', client.address().port)]);
console.log(`to the closed port: ${toGone}; to the client: ${toClient}`);
if (toClient === 'sent') console.log(`the client ${await received}`);
server.close();
client.close();
JS

check() {
    local name=$1 expected=$2 seen
    seen=$(timeout 60 "${@:3}" "$place/send.mjs")
    printf '%s\n%s\n\n' "$name" "$seen"
    [ "$seen" = "$expected" ] || { printf 'CHANGED: expected\n%s\n' "$expected"; exit 1; }
}

both='to the closed port: sent; to the client: sent
the client received "hello"'
check "Node $(node --version)" "$both" node
check "Deno 2.9.6" "$both" "$place/node_modules/@deno/linux-x64-glibc/deno" run --quiet --allow-net
check "Bun 1.4.5" 'to the closed port: sent; to the client: ECONNREFUSED' "$place/node_modules/@oven/bun-linux-x64/bin/bun"
