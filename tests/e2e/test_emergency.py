"""Changes of mind under traffic, and what must not wait: real services, a fleet of their own.

The tests run in this order on one fleet.  The first two end with no failed handshake at all; the last distrusts the CA that
everything lives by, so there handshakes fail, as many pairs as were named, until both sides have what replaces it."""

import re
import signal
import subprocess

from fleet import CLIENTS, SERVICES, until


def newest(fleet):
    return fleet.cli.json("rotation", "list", "/demo/ca")["items"][-1]


def is_over(fleet):
    r = newest(fleet)
    return r["state"] == "done" or (r["state"] == "aborted" and not r["going_back"])


def signer_of(fleet, service):
    """Fingerprint of the CA that signed what this service shows on the wire."""
    args = ["openssl", "s_client", "-connect", f"127.0.0.1:{fleet.ports[service]}", "-servername", "localhost"]
    if service == "db":
        args += ["-starttls", "postgres"]
    shown = subprocess.run(args, input="", capture_output=True, text=True, timeout=30).stdout
    leaf = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", shown, re.S).group(0)
    x509 = subprocess.run(["openssl", "x509", "-noout", "-ext", "authorityKeyIdentifier"], input=leaf, capture_output=True, text=True)
    return x509.stdout.split("\n")[1].strip()


def cas_of(fleet, client):
    return (fleet.dir / client / "trust/current/ca.pem").read_text().count("BEGIN CERTIFICATE")


def test_a_rollback_half_way_and_forward_again(fleet):
    before = {s: signer_of(fleet, s) for s in SERVICES}
    fleet.signal("agent-db", signal.SIGSTOP)
    try:
        fleet.cli.ok("rotate", "/demo/ca", "--no-wait")
        until("web to serve a leaf of the new CA", lambda: signer_of(fleet, "web") != before["web"])
        fleet.cli.ok("rotation", "abort", "/demo/ca")
    finally:
        fleet.signal("agent-db", signal.SIGCONT)
    until("the way back to end", lambda: is_over(fleet), 60)
    assert {s: signer_of(fleet, s) for s in SERVICES} == before
    assert all(cas_of(fleet, c) == 1 for c in CLIENTS)
    fleet.cli.ok("rotate", "/demo/ca", "--wait", timeout=120)
    assert all(signer_of(fleet, s) != before[s] for s in SERVICES)
    fleet.assert_no_failure()


def test_a_second_rotation_during_the_first(fleet):
    fleet.signal("agent-app-2", signal.SIGSTOP)
    try:
        fleet.cli.ok("rotate", "/demo/ca", "--no-wait")
        until("app-1 to trust both", lambda: cas_of(fleet, "app-1") == 2)
        refused = fleet.cli.run("rotate", "/demo/ca", "--no-wait")
        assert refused.returncode != 0 and "--again" in refused.stderr
        fleet.cli.ok("rotate", "/demo/ca", "--again", "--no-wait")
        second = newest(fleet)
    finally:
        fleet.signal("agent-app-2", signal.SIGCONT)
    until("the second to end", lambda: is_over(fleet), 60)
    assert newest(fleet)["id"] == second["id"] and newest(fleet)["state"] == "done"
    assert fleet.signer() == second["new_version"]
    assert all(cas_of(fleet, c) == 1 for c in CLIENTS)
    fleet.assert_no_failure()


def test_compromised(fleet):
    stolen = fleet.root_fingerprints()[fleet.signer()]
    plan = fleet.cli.ok("rotate", "/demo/ca", "--compromised", "--dry-run")
    n = int(re.search(r"^([0-9]+) pairs? would break", plan, re.M).group(1))
    assert n == len(SERVICES) * len(CLIENTS) and plan.count(" breaks ") == n, plan
    for number in ("0", str(n + 1)):
        refused = fleet.cli.run("rotate", "/demo/ca", "--compromised", "--yes-break", number)
        assert refused.returncode != 0 and f"--yes-break {n}" in refused.stderr, refused.stderr
        assert refused.stderr.count("app-1") == len(SERVICES), "the pairs are listed"
    assert newest(fleet)["state"] == "done", "a refusal changes nothing"
    fleet.assert_no_failure()
    fleet.cli.ok("rotate", "/demo/ca", "--compromised", "--yes-break", str(n), "--wait", timeout=120)
    refused = fleet.cli.run("rotation", "abort", newest(fleet)["id"])
    assert refused.returncode != 0
    shown = fleet.cli.ok("rotation", "show", "/demo/ca")
    assert "still trusting what was distrusted, as last heard of: 0 stores" in shown, shown
    for c in CLIENTS:
        pem = (fleet.dir / c / "trust/current/ca.pem").read_text()
        out = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"], input=pem, capture_output=True, text=True)
        assert out.stdout.split("=")[1].strip().replace(":", "").lower() != stolen
    good, bad = fleet.counts()
    until("fresh handshakes", lambda: fleet.counts()[0] > good + 60)
    assert fleet.counts()[1] <= bad + len(CLIENTS), "what was under way may still fail; nothing after it"
