"""A thousand slow and silent clients beside good ones: the slow are cut off at the deadline, the good do not notice.

The server's deadline for a request is set to 2 s here (20 s by default), so that the test is quick."""

import asyncio
import http.client
import multiprocessing
import os
import ssl
import subprocess
import time

import pytest

from fleet import Server, until

DEADLINE = 2.0
EACH = 250  # of four kinds
LATEST = 10.0  # a thousand handshakes on one small machine take their time, too


class HastyServer(Server):
    def start(self):
        self.log = open(self.base / "server.log", "a")
        self.process = subprocess.Popen([str(self.build / "troth"), "server", "--dir", str(self.dir), "--request-time", "2s"],
                                        stdout=self.log, stderr=self.log)
        until("the server", lambda: self.cli.run("health").returncode == 0 or self.process.poll() is not None)


@pytest.fixture(scope="module")
def hasty(build):
    with HastyServer(build) as s:
        yield s


def tls(server):
    context = ssl.create_default_context(cafile=str(server.dir / "ca.pem"))
    return context


async def drip(server, context, first, byte):
    """Sends `first`, then `byte` each second; returns how long it took until the server ended it."""
    began = time.monotonic()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context,
                                                       server_hostname="127.0.0.1" if context else None)
    except (OSError, ssl.SSLError):
        return time.monotonic() - began  # cut in the handshake
    try:
        writer.write(first)
        while time.monotonic() - began < 3 * LATEST:
            if byte:
                writer.write(byte)
            try:
                if not await asyncio.wait_for(reader.read(4096), 1.0):
                    break
            except asyncio.TimeoutError:
                continue
            except (OSError, ssl.SSLError):
                break
    finally:
        writer.close()
    return time.monotonic() - began


def good_client(port, ca, stop, results):
    """A process of its own, so that the crowd's interpreter cannot slow it."""
    latencies = []
    try:
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=ssl.create_default_context(cafile=ca), timeout=10)
        while not stop.is_set():
            began = time.monotonic()
            connection.request("GET", "/v1/health")
            reply = connection.getresponse()
            assert reply.status == 200 and reply.read()
            latencies.append(time.monotonic() - began)
            time.sleep(0.05)  # its own pace, nothing waits for it
    except Exception as e:  # the test has to hear of it
        results.put(repr(e))
    results.put(latencies)


async def crowd(server):
    context = tls(server)
    kinds = {
        "silent": (None, b"", b""),
        "hello": (None, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"a"),
        "header": (context, b"GET /v1/health HTTP/1.1\r\nHost: a\r\nX: ", b"a"),
        "body": (context, b"POST /v1/agent/enroll HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                          b"Content-Length: 1000\r\n\r\n", b" "),
    }
    lives = {name: [asyncio.ensure_future(drip(server, *row)) for _ in range(EACH)] for name, row in kinds.items()}
    return {name: await asyncio.gather(*tasks) for name, tasks in lives.items()}


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def test_a_thousand_slow_clients(hasty):
    before = descriptors(hasty)
    stop, results = multiprocessing.Event(), multiprocessing.Queue()
    good = [multiprocessing.Process(target=good_client, args=(hasty.port, str(hasty.dir / "ca.pem"), stop, results)) for _ in range(3)]
    for process in good:
        process.start()
    taken = asyncio.run(crowd(hasty))
    stop.set()
    answers = [results.get(timeout=20) for _ in good]
    for process in good:
        process.join(20)
    for name, lives in taken.items():
        assert len(lives) == EACH
        assert max(lives) < LATEST, f"{name}: one lived {max(lives):.1f} s"
    for name in ("silent", "hello"):
        assert min(taken[name]) > DEADLINE * 0.7, f"{name}: one was cut after {min(taken[name]):.1f} s"
    assert all(isinstance(a, list) for a in answers), answers
    latencies = sorted(x for a in answers for x in a)
    assert len(latencies) > 30
    assert latencies[len(latencies) * 95 // 100] < 2.0, f"good clients waited: {latencies[-5:]}"
    until("the connections to be gone", lambda: descriptors(hasty) <= before + 5)
    assert hasty.process.poll() is None


def test_a_slow_client_is_told_why(hasty):
    r = subprocess.run(["curl", "-sS", "--cacert", str(hasty.dir / "ca.pem"), "-H", "Content-Length: 100", "-H", "Content-Type: application/json",
                        "-d", "{", "-w", "%{http_code}", f"{hasty.url}/v1/agent/enroll"], capture_output=True, text=True, timeout=30)
    assert r.stdout.endswith("408"), r.stdout + r.stderr
    assert "did not arrive within" in r.stdout


def test_held_polls_survive_pipelined_bytes_and_notice_a_vanished_peer(hasty):
    """Longer than the request's deadline: a held poll has none."""
    async def run():
        context = tls(hasty)
        held = b"GET /v1/events?after=1000000&wait=5s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + hasty.token.encode() + b"\r\n\r\n"
        r1, w1 = await asyncio.open_connection("127.0.0.1", hasty.port, ssl=context, server_hostname="127.0.0.1")
        r2, w2 = await asyncio.open_connection("127.0.0.1", hasty.port, ssl=context, server_hostname="127.0.0.1")
        w1.write(held)
        w2.write(held)
        during = descriptors(hasty)
        w2.transport.abort()
        w1.write(b"GET /v1/health HTTP/1.1\r\nHost: a\r\n\r\n")
        began = time.monotonic()
        while descriptors(hasty) == during and time.monotonic() - began < 3:
            await asyncio.sleep(0.02)
        gone = during - descriptors(hasty)
        first = await asyncio.wait_for(r1.readuntil(b"\r\n\r\n"), 10)
        took = time.monotonic() - began
        text = await asyncio.wait_for(r1.readuntil(b'"status":"ok"'), 10)
        w1.close()
        return gone, first, took, text

    gone, first, took, text = asyncio.run(run())
    assert gone == 1
    assert first.startswith(b"HTTP/1.1 200 ") and took > 1.5 * DEADLINE
    assert b"HTTP/1.1 200 " in text
    assert hasty.process.poll() is None
