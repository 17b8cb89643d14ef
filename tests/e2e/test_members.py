"""Members that come and go while the root CA is rotated under traffic: a node that is away all the time and comes back, and
health checks that live for seconds, one after the other.  No handshake of a counted pair fails."""

import concurrent.futures
import os
import pathlib
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

from fleet import Server, until
from test_main_path import fingerprints, running

# A hundred.  One each second would do; they come several each second, so that the test stays under a minute; how many
# fit into that depends on the machine.
EPHEMERALS = int(os.environ.get("TROTH_EPHEMERALS", "100"))
LEASE_S = 8
EACH_SECOND = 3


# -- away ----------------------------------------------------------------------------------------------


def instance(fleet, name):
    return next(i for i in fleet.cli.json("instance", "list")["items"] if i["name"] == name)


def roots_of(fleet, client):
    return fingerprints((fleet.dir / client / "trust/current/ca.pem").read_text())


def take_down(fleet, name):
    """The node is off: its program and its agent are stopped.  How the program was started, to start it again: it has a
    user of its own if we are root."""
    pid = fleet.pid(name)
    owner = os.stat(f"/proc/{pid}")
    command = (pathlib.Path("/proc") / str(pid) / "cmdline").read_bytes().split(b"\0")[:-1]
    (fleet.dir / "run" / f"stop-{name}").touch()
    os.kill(pid, signal.SIGKILL)
    fleet.signal(f"agent-{name}", signal.SIGSTOP)
    as_owner = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    return lambda: subprocess.Popen([part.decode() for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_owner)


@pytest.fixture(scope="module")
def programs():
    """Started in place of the fleet's own, and running to the end: who counts is waited for by every test."""
    started = []
    yield started
    for program in started:
        program.kill()
        program.wait()


def test_a_node_that_is_away_is_waived_and_comes_back(fleet, programs):
    old = fleet.signer()
    start_again = take_down(fleet, "app-2")
    try:
        fleet.cli.ok("rotate", "/demo/ca", "--no-wait")
        until("explain to name app-2", lambda: "app-2" in fleet.cli.ok("explain", "/demo/ca"))
        dry = until("the waiver to free something", lambda: "frees: 3 slots" in (
            t := fleet.cli.ok("waive", "app-2", "--reason", "its disk is broken", "--dry-run")) and t)
        assert "loses its cover: trust with 1 of web/tls" in dry
        assert instance(fleet, "app-2")["state"] == "active" and running(fleet)
        assert "is waived" in fleet.cli.ok("waive", "app-2", "--reason", "its disk is broken")
        fleet.cli.ok("rotation", "watch", "/demo/ca", timeout=120)
        new = fleet.signer()
        assert new != old
        gone = fleet.root_fingerprints()
        assert roots_of(fleet, "app-1") == {gone[new]}
        assert roots_of(fleet, "app-2") == {gone[old]}, "it has slept through all of it"

        fleet.signal("agent-app-2", signal.SIGCONT)
        until("app-2 to be told what a new node is told", lambda: roots_of(fleet, "app-2") == {gone[new]})
        programs.append(start_again())
        until("app-2 to be admitted", lambda: fleet.cli.json("target", "show", "app-2/trust")["state"] == "counted")
        assert instance(fleet, "app-2")["state"] == "active"
        fleet.assert_no_failure()

        # It counts as ever: the next rotation has it too.
        r = fleet.cli.run("rotate", "/demo/ca", "--wait", timeout=120)
        assert r.returncode == 0, r.stdout + r.stderr + fleet.cli.run("explain", "/demo/ca").stdout
        assert roots_of(fleet, "app-2") == {fleet.root_fingerprints()[fleet.signer()]}
        fleet.assert_no_failure()
        actions = [row["action"] for row in fleet.cli.json("audit", "list", "--object", "app-2")["items"]]
        assert actions.count("instance.waive") == 1 and actions.count("instance.return") == 1
    finally:
        fleet.signal("agent-app-2", signal.SIGCONT)


# -- for seconds ------------------------------------------------------------------------------------------

PROFILE = """
name: check-trust
description: CAs in one file, read at each use
kinds: [store]
parameters:
  root: {default: /nowhere, pattern: path}
  directory: {default: "{root}/trust", pattern: path}
roots: ["{root}"]
directory: "{directory}"
files:
  - {name: ca.pem, content: bundle, mode: "0644"}
drain: 1ms
proof: {store: read}
"""


def shake_hands(port, ca_file, starttls):
    """One handshake as a client that trusts what the file holds now."""
    context = ssl.create_default_context(cafile=str(ca_file))
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        if starttls:
            raw.sendall(struct.pack("!ii", 8, 80877103))
            assert raw.recv(1) == b"S"
        with context.wrap_socket(raw, server_hostname="localhost"):
            return True


class Check:
    """A health check: a node that enrols, trusts what it is told, and shakes hands until its lease ends."""

    def __init__(self, fleet, base, number):
        self.fleet, self.name, self.dir = fleet, f"check-{number}", base / f"check-{number}"
        self.handshakes, self.failures, self.agent = 0, [], None

    def join(self, token_options=(), enroll_options=()):
        self.dir.mkdir(exist_ok=True)
        program, cli = self.fleet.cli.program, self.fleet.cli
        (self.dir / "settings.yaml").write_text(f"targets:\n  trust: {{root: {self.dir}}}\n")
        token = cli.json("token", "create", "--deployment", "check", "--instance", self.name, *token_options)["token"]
        self.until = time.monotonic() + LEASE_S  # a little before the server's: it begins when it has enrolled
        r = subprocess.run([program, "agent", "enroll", "--server", self.fleet.address, "--ca-fingerprint", self.fleet.fingerprint,
                            "--token-file", "-", "--dir", str(self.dir / "agent"), *enroll_options],
                           input=token + "\n", capture_output=True, text=True)
        assert r.returncode == 0, r.stdout + r.stderr
        self.agent = subprocess.Popen([program, "agent", "run", "--dir", str(self.dir / "agent"), "--profiles",
                                       str(self.dir.parent / "profiles"), "--settings", str(self.dir / "settings.yaml")],
                                      stdout=open(self.dir / "log", "w"), stderr=subprocess.STDOUT)

    def live(self, admitted):
        """Serves only after it was admitted (engine-rules, section 9)."""
        ca = self.dir / "trust/current/ca.pem"
        while time.monotonic() < self.until:
            if self.name not in admitted or not ca.exists():
                time.sleep(0.1)
                continue
            for service in self.fleet.ports:
                try:
                    self.handshakes += shake_hands(self.fleet.ports[service], ca, service == "db")
                except (ssl.SSLError, OSError) as e:
                    self.failures.append(f"{self.name} -> {service}: {e}")
            time.sleep(0.8)
        self.end()

    def end(self):
        if self.agent and self.agent.poll() is None:
            self.agent.terminate()
            self.agent.wait(20)

    def run(self, admitted):
        try:
            self.join()
            self.live(admitted)
        finally:
            self.end()
        return self


def watch_admissions(fleet, admitted, over):
    while not over.is_set():
        items = fleet.cli.json("target", "list", "--deployment", "check")["items"]
        admitted.update(t["instance"]["name"] for t in items if t["state"] == "counted")
        over.wait(0.5)


def rotate_and_rotate(fleet, rotated, over):
    """One rotation after the other, with checks alive from before the first step to after the last."""
    while not over.wait(1) and (not rotated or rotated[-1].returncode == 0):
        rotated.append(fleet.cli.run("rotate", "/demo/ca", "--wait", "--timeout", "60s", timeout=120))


def prepare_checks(there, base, server_dir):
    """Profiles, and what `agent enroll` wants to know."""
    (base / "profiles").mkdir(parents=True)
    (base / "profiles/check-trust.yaml").write_text(PROFILE)
    until("the server to say where it is", (server_dir / "server.url").exists)
    there.address = (server_dir / "server.url").read_text().strip()
    there.fingerprint = fingerprints((server_dir / "ca.pem").read_text()).pop()


@pytest.mark.release_only # seconds are all they have: an agent of the sanitizer build needs most of them to start
def test_ephemerals_during_a_rotation(fleet):
    base = fleet.base / "checks"
    prepare_checks(fleet, base, fleet.dir / "server")
    fleet.cli.ok("deployment", "create", "check", "--ephemeral", "--ttl", f"{LEASE_S}s", "--store",
                 "name=trust,profile=check-trust,bundle=/demo/trust,parameter.proof=read")
    admitted, over, rotated = set(), threading.Event(), []
    others = [threading.Thread(target=watch_admissions, args=(fleet, admitted, over)),
              threading.Thread(target=rotate_and_rotate, args=(fleet, rotated, over))]
    for thread in others:
        thread.start()
    pool = concurrent.futures.ThreadPoolExecutor(max_workers=EACH_SECOND * LEASE_S)
    begun = time.monotonic()
    try:
        checks = []
        for number in range(EPHEMERALS):
            checks.append(pool.submit(Check(fleet, base, number).run, admitted))
            time.sleep(max(0, begun + (number + 1) / EACH_SECOND - time.monotonic()))
        ended = [c.result(60) for c in checks]
    finally:
        over.set()
        for thread in others:
            thread.join()
        pool.shutdown()
    took = time.monotonic() - begun
    failures = [f for c in ended for f in c.failures]
    handshakes = sum(c.handshakes for c in ended)
    served = sum(c.handshakes > 0 for c in ended)
    print(f"{EPHEMERALS} ephemerals in {took:.0f} s, {served} served, {handshakes} handshakes of theirs, {len(failures)} failed, {len(rotated)} rotations")
    assert len(rotated) >= 2 and all(r.returncode == 0 for r in rotated), "".join(r.stdout + r.stderr for r in rotated[-1:])
    assert not failures, "\n".join(failures[:20])
    assert served >= EPHEMERALS * 3 // 4 and handshakes >= 6 * EPHEMERALS * 3 // 4
    until("the last one to leave by itself", lambda: not fleet.cli.json("instance", "list", "--deployment", "check")["items"], 2 * LEASE_S)
    assert "check-" not in fleet.cli.ok("explain")
    fleet.cli.ok("deployment", "delete", "check")
    fleet.assert_no_failure()


# -- a restored server --------------------------------------------------------------------------------------


def targets(server):
    return server.cli.json("target", "list")["items"]


def hold(server, count, certificates):
    """All of them were seen to hold so many certificates, and nothing is on its way."""
    items = targets(server)
    return len(items) == count and all(t["state"] == "counted" and t["loaded"]["known"] and not t["documents"] and
                                       len(t["loaded"]["fingerprints"]) == certificates for t in items)


def test_a_server_that_was_restored_looks_first(build):
    """A backup is put in the database's place: a new epoch, what the nodes hold is seen again, no number is used twice."""
    with Server(build) as server:
        base, database = server.base / "checks", server.dir / "troth.db"
        prepare_checks(server, base, server.dir)
        for name in ("/x/ca", "/x/other"):
            server.cli.ok("authority", "create", name)
        server.cli.ok("bundle", "create", "/x/trust", "--authority", "/x/ca", "--authority", "/x/other")
        server.cli.ok("deployment", "create", "check", "--store", "name=trust,profile=check-trust,bundle=/x/trust,parameter.proof=read")
        checks = [Check(server, base, number) for number in range(2)]
        try:
            for check in checks:
                check.join()
            until("both to be admitted", lambda: hold(server, 2, 2))
            server.stop()
            shutil.copy(database, base / "backup")
            server.start()
            server.cli.ok("bundle", "remove", "/x/trust", "/x/other")
            until("both to forget the other CA", lambda: hold(server, 2, 1))
            used = max(t["loaded"]["generation"] for t in targets(server))
            server.stop()
            shutil.copy(base / "backup", database)
            server.start()
            assert "server.restored" in server.logged()
            assert server.cli.json("health")["epoch"] == "2"
            until("both to be seen, and then told what the restored bundle says", lambda: hold(server, 2, 2))
            assert all(t["loaded"]["generation"] > 1000000000 > used for t in targets(server))
            assert "server.epoch" in server.cli.ok("audit", "list")
            server.stop()
            server.start()
            assert server.cli.json("health")["epoch"] == "2", "an ordinary start begins no epoch"
        finally:
            for check in checks:
                check.end()


def test_a_node_enrols_again(build):
    """Its identity is worth nothing any more, or its disk is empty: a token that names it, and it joins as the same instance."""
    with Server(build) as server:
        base = server.base / "checks"
        prepare_checks(server, base, server.dir)
        server.cli.ok("authority", "create", "/x/ca")
        server.cli.ok("bundle", "create", "/x/trust", "--authority", "/x/ca")
        server.cli.ok("deployment", "create", "check", "--store", "name=trust,profile=check-trust,bundle=/x/trust,parameter.proof=read")
        check = Check(server, base, 0)
        try:
            check.join()
            until("it to be admitted", lambda: hold(server, 1, 1))
            instance_id, generation = instance(server, "check-0")["id"], targets(server)[0]["loaded"]["generation"]
            check.end()
            r = server.cli.run("token", "create", "--deployment", "check", "--instance", "check-0")
            assert r.returncode != 0 and "--reinstall" in r.stderr

            check.join(["--reinstall"], ["--again", "check-0"])
            until("it to be admitted again", lambda: hold(server, 1, 1))
            assert targets(server)[0]["loaded"]["generation"] >= generation
            check.end()

            shutil.rmtree(check.dir)
            check.join(["--reinstall"])
            until("it to be told everything anew", lambda: hold(server, 1, 1) and (check.dir / "trust/current/ca.pem").exists())
            assert targets(server)[0]["loaded"]["generation"] > generation
            assert instance(server, "check-0")["id"] == instance_id
            assert instance(server, "check-0")["state"] == "active"
        finally:
            check.end()
