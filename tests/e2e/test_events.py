"""What happened, as it happens: server-sent events with resume, and troth events."""

import json
import signal
import subprocess

from fleet import until


class Stream:
    """curl as an EventSource: the events seen so far, by id."""

    def __init__(self, server, tmp_path, after=0, last=None):
        self.out = tmp_path / f"events-{after}-{last}"
        head = ["-H", f"Last-Event-ID: {last}"] if last is not None else []
        self.process = subprocess.Popen(
            ["curl", "-sSN", "--cacert", str(server.dir / "ca.pem"), "-H", f"Authorization: Bearer {server.token}", "-H",
             "Accept: text/event-stream", *head, "-o", str(self.out), f"{server.url}/v1/events?after={after}"])

    def events(self):
        text = self.out.read_text() if self.out.exists() else ""
        found = []
        for block in text.split("\n\n")[:-1]:
            lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if "id" in lines:
                data = json.loads(lines["data"])
                assert data["seq"] == int(lines["id"]) and data["kind"] == lines["event"]
                found.append(data)
        return found

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def test_a_stream_has_all_once_and_goes_on_where_it_was(server, tmp_path):
    server.cli.ok("authority", "create", "/events/one")
    stream = Stream(server, tmp_path)
    try:
        until("the past", lambda: any(e["object"] == "/events/one" for e in stream.events()), 20)
        server.cli.ok("authority", "create", "/events/two")
        until("the present", lambda: any(e["object"] == "/events/two" for e in stream.events()), 20)
        seen = [e["seq"] for e in stream.events()]
        assert seen == sorted(set(seen)), "each once, in order"
    finally:
        stream.stop()
    server.cli.ok("authority", "create", "/events/three")
    again = Stream(server, tmp_path, last=seen[-1]) # as a browser does: the first URL, and what it saw last
    try:
        until("what was missed", lambda: any(e["object"] == "/events/three" for e in again.events()), 20)
        assert all(e["seq"] > seen[-1] for e in again.events())
    finally:
        again.stop()


def test_the_cli_follows(server, tmp_path):
    out = open(tmp_path / "out", "w+")
    p = subprocess.Popen([server.cli.program, "--dir", server.cli.server_dir, "events", "--follow", "-o", "json"], stdout=out, text=True,
                         preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # a background job's shell has it ignored
    try:
        server.cli.ok("authority", "create", "/events/four")
        until("the event", lambda: any(json.loads(line)["object"] == "/events/four" for line in (tmp_path / "out").read_text().splitlines()), 20)
    finally:
        p.send_signal(signal.SIGINT)
        p.wait(10)
    assert "/events/four" in server.cli.ok("events")
    assert server.cli.run("events", "--after", "x").returncode == 2


def test_bad_streams_are_refused(server):
    ask = lambda *args: server.curl("GET", "/v1/events", token=server.token, args=["-H", "Accept: text/event-stream", *args])
    status, body = ask("-H", "Last-Event-ID: x")[:2]
    assert status == 400 and "that the stream gave" in str(body)
    assert server.curl("GET", "/v1/events", args=["-H", "Accept: text/event-stream"], token="wrong")[0] == 401
