"""One root CA rotated again and again under traffic, each time with something going wrong on the way.

The fleet is shared: every test ends with a finished rotation, no failed handshake, and the next one begins there."""

import os
import re
import signal
import sqlite3
import subprocess
import time

import pytest

from fleet import CLIENTS, FULL_RATE, SERVICES, until

HANDSHAKES = FULL_RATE  # they are the matter here


def rotate(fleet, **kwargs):
    before = fleet.signer()
    r = fleet.cli.run("rotate", "/demo/ca", "--wait", timeout=180)
    assert r.returncode == 0, r.stdout + r.stderr + fleet.cli.run("explain", "/demo/ca").stdout
    assert fleet.signer() != before
    fleet.assert_no_failure()
    return before


def assert_old_root_is_nowhere(fleet, old):
    """Not in any file below the stores: neither as DER text nor by its fingerprint."""
    gone = fleet.root_fingerprints().get(old)
    for client in CLIENTS:
        bundle = fleet.dir / client / "trust/current/ca.pem"
        seen = subprocess.run(["openssl", "storeutl", "-noout", "-text", "-certs", str(bundle)], capture_output=True, text=True)
        assert seen.returncode == 0, seen.stderr
        for path in (fleet.dir / client / "trust").rglob("*"):
            if path.is_file():
                assert gone not in fingerprints(path.read_text(errors="replace")), path


def fingerprints(pem):
    found = set()
    for block in re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", pem, re.S):
        out = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"], input=block, capture_output=True, text=True)
        found.add(out.stdout.split("=")[1].strip().replace(":", "").lower())
    return found


def test_a_plain_rotation(fleet):
    old = rotate(fleet)
    assert_old_root_is_nowhere(fleet, old)


def test_each_service_shows_the_new_chain(fleet):
    ca = fleet.dir / "app-1/trust/current/ca.pem"
    assert len(fingerprints(ca.read_text())) == 1
    for service in SERVICES:
        args = ["openssl", "s_client", "-connect", f"127.0.0.1:{fleet.ports[service]}", "-servername", "localhost", "-CAfile",
                str(ca), "-verify_return_error", "-verify_hostname", "localhost"]
        if service == "db":
            args += ["-starttls", "postgres"]
        r = subprocess.run(args, input="", capture_output=True, text=True, timeout=30)
        assert "Verification: OK" in r.stdout, r.stdout + r.stderr


def test_a_stopped_agent_is_waited_for_and_named(fleet):
    old = fleet.signer()
    fleet.signal("agent-app-2", signal.SIGSTOP)
    try:
        fleet.cli.ok("rotate", "/demo/ca", "--no-wait")
        explained = until("explain to name app-2", lambda: (t := fleet.cli.ok("explain", "/demo/ca")) and "app-2" in t and t)
        assert "trust" in explained, "the target is named"
        row = next(w for w in fleet.cli.json("explain", "/demo/ca")["items"] if "app-2" in str(w))
        assert row["rule"] and row["speaker"] and row["reason"]
        # Long enough that a rotation which did not wait would be over; the others go on.
        time.sleep(3)
        assert len(fingerprints((fleet.dir / "app-1/trust/current/ca.pem").read_text())) == 2
        assert not all(on_new(fleet, s) for s in SERVICES), "no slot may switch before app-2 has the new root"
        assert running(fleet)
    finally:
        fleet.signal("agent-app-2", signal.SIGCONT)
    until("the rotation to end", lambda: not running(fleet), 90)
    assert_old_root_is_nowhere(fleet, old)
    fleet.assert_no_failure()


def on_new(fleet, service):
    """Does this service serve a leaf of the signing version?"""
    new = next(v for v in fleet.cli.json("authority", "show", "/demo/ca")["versions"] if v["signing"])
    return new["fingerprint"] in str(fleet.cli.json("credential", "show", f"/demo/{service}/server"))


def running(fleet):
    return any(r["state"] in ("running", "paused") for r in fleet.cli.json("rotation", "list")["items"])


def test_server_killed_ten_times(fleet):
    waiter = start_rotation(fleet)
    for _ in range(10):
        fleet.kill_and_await_restart("server")
        time.sleep(0.3)  # let it get somewhere before the next blow
    until("the rotation to end", lambda: ended(fleet), 120)
    waiter.kill()
    waiter.wait()
    fleet.assert_no_failure()


def test_each_agent_killed_five_times(fleet):
    waiter = start_rotation(fleet)
    for _ in range(5):
        for name in SERVICES + CLIENTS:
            fleet.kill_and_await_restart(f"agent-{name}")
        time.sleep(0.2)
    until("the rotation to end", lambda: ended(fleet), 120)
    waiter.kill()
    waiter.wait()
    fleet.assert_no_failure()


def start_rotation(fleet):
    """One more than there were; on a slow machine it may be seen only when it is over."""
    before = len(rotations(fleet))
    waiter = fleet.cli.start("rotate", "/demo/ca", "--wait")

    def begun():
        assert waiter.poll() in (None, 0), waiter.communicate()
        return len(rotations(fleet)) > before
    until("the rotation to start", begun)
    return waiter


def rotations(fleet):
    return fleet.cli.json("rotation", "list")["items"]


def ended(fleet):
    r = fleet.cli.run("rotation", "list", "-o", "json")
    return r.returncode == 0 and '"running"' not in r.stdout and '"paused"' not in r.stdout


def test_a_reload_that_breaks_keeps_the_old_certificate(fleet):
    """Redis loses its socket: its reload command fails; it goes on with the old leaf, and the rotation waits."""
    old = fleet.signer()
    sock, away = fleet.dir / "cache/redis.sock", fleet.dir / "cache/redis.sock.away"
    served = leaf_of(fleet, "cache")
    os.rename(sock, away)
    try:
        fleet.cli.ok("rotate", "/demo/ca", "--no-wait")
        explained = until("explain to name the failed reload",
                          lambda: "cache" in (t := fleet.cli.ok("explain", "/demo/ca")) and "reload" in t and t, 60)
        assert running(fleet), explained
        assert leaf_of(fleet, "cache") == served, "the old certificate is still served"
        on_disk = (fleet.dir / "cache/tls/current/cert.pem").read_text()
        assert served in fingerprints(on_disk), "the previous files were put back"
        # After three failures of the same contents it is left alone until somebody says that something has changed.
        until("the third failure", lambda: fleet.cli.json("target", "show", "cache/tls")["failures"] >= 3)
        fleet.assert_no_failure()
    finally:
        os.rename(away, sock)
    fleet.cli.ok("target", "retry", "cache/tls")
    fleet.cli.ok("rotation", "watch", "/demo/ca", timeout=180)
    assert ended(fleet)
    assert leaf_of(fleet, "cache") != served
    fleet.assert_no_failure()


def test_a_store_whose_process_is_not_found_is_waited_for(fleet):
    """A wrong pid file looks like a stopped service; the service behind it runs and holds the old root."""
    pid, away = fleet.dir / "app-2/pid", fleet.dir / "app-2/pid.away"
    os.rename(pid, away)
    try:
        fleet.cli.ok("rotate", "/demo/ca", "--no-wait")
        said = until("explain to name the pid file",
                     lambda: (t := fleet.cli.json("explain", "/demo/ca")) and str(pid) in str(t) and t)
        row = next(w for w in said["items"] if str(pid) in str(w))
        assert row["instance"] == "app-2" and "correct its pid_file" in row["last_error"]
        assert not any(on_new(fleet, s) for s in SERVICES), "no slot may switch before app-2 has the new root"
    finally:
        os.rename(away, pid)
    fleet.cli.ok("rotation", "watch", "/demo/ca", timeout=120)
    assert ended(fleet)
    fleet.assert_no_failure()


def leaf_of(fleet, service):
    r = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{fleet.ports[service]}", "-servername", "localhost"],
                       input="", capture_output=True, text=True, timeout=30)
    return next(iter(fingerprints(r.stdout)))


def test_a_changed_file_is_put_right(fleet):
    path = fleet.dir / "app-3/trust/current/ca.pem"
    good = path.read_text()
    path.chmod(0o644)
    path.write_text("")
    until("the drift to be mended", lambda: path.read_text() == good, 45)
    until("the drift to be reported", lambda: "drift" in fleet.cli.ok("target", "list", "-o", "json"), 45)


def test_audit_holds_and_tells_where_it_breaks(fleet):
    assert "holds" in fleet.cli.ok("audit", "verify")
    fleet_db = fleet.dir / "server/troth.db"
    with sqlite3.connect(fleet_db, timeout=30) as db:
        seq, who = db.execute("SELECT seq, who FROM audit ORDER BY seq LIMIT 1 OFFSET 5").fetchone()
        db.execute("UPDATE audit SET who = ? WHERE seq = ?", (chr(ord(who[0]) ^ 1) + who[1:], seq))
    try:
        r = fleet.cli.run("audit", "verify")
        assert r.returncode != 0
        assert str(seq) in r.stdout + r.stderr
    finally:
        with sqlite3.connect(fleet_db, timeout=30) as db:
            db.execute("UPDATE audit SET who = ? WHERE seq = ?", (who, seq))
    assert "holds" in fleet.cli.ok("audit", "verify")
