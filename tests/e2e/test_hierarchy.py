"""Root, intermediate, services: each level rotated under traffic, and no handshake fails.

Two levels are where others go wrong: a new intermediate that signs before its root is trusted, or that stays under the old root."""

import re
import signal
import subprocess

import pytest

from fleet import CLIENTS, SERVICES, Fleet, until

pytestmark = pytest.mark.release_only  # the same paths as in test_main_path, over longer chains


@pytest.fixture(scope="module")
def fleet(build):
    with Fleet(build, ("--levels", "2")) as f:
        yield f


def versions(fleet, name):
    return fleet.cli.json("authority", "show", name)["versions"]


def wanted(fleet, name):
    (only,) = [v for v in versions(fleet, name) if v["wanted"]]
    return only


def served(fleet, service):
    """The issuers' fingerprints are not on the wire; the certificates are: leaf first."""
    args = ["openssl", "s_client", "-connect", f"127.0.0.1:{fleet.ports[service]}", "-servername", "localhost", "-showcerts",
            "-CAfile", str(fleet.dir / "app-1/trust/current/ca.pem"), "-verify_hostname", "localhost"]
    if service == "db":
        args += ["-starttls", "postgres"]
    r = subprocess.run(args, input="", capture_output=True, text=True, timeout=30)
    assert "Verification: OK" in r.stdout, r.stdout + r.stderr
    found = []
    for block in re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", r.stdout, re.S):
        out = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"], input=block, capture_output=True, text=True)
        found.append(out.stdout.split("=")[1].strip().replace(":", "").lower())
    return found


def trusted(fleet, client):
    return (fleet.dir / client / "trust/current/ca.pem").read_text().count("BEGIN CERTIFICATE")


def rotate(fleet, name, *options):
    r = fleet.cli.run("rotate", name, "--wait", *options, timeout=120)
    assert r.returncode == 0, r.stdout + r.stderr + fleet.cli.run("explain", name).stdout
    fleet.assert_no_failure()


def is_settled(fleet):
    """One version of each is left; the intermediate hangs on the root; each service serves leaf and intermediate."""
    root, inter = wanted(fleet, "/demo/ca"), wanted(fleet, "/demo/inter")
    assert inter["signed_by"] == root["id"]
    for name in ("/demo/ca", "/demo/inter"):
        assert [v["id"] for v in versions(fleet, name) if not v["retired"]] == [wanted(fleet, name)["id"]]
    for service in SERVICES:
        chain = served(fleet, service)
        assert len(chain) == 2 and chain[1] == inter["fingerprint"], service
    for client in CLIENTS:
        assert trusted(fleet, client) == 1


def test_root_first(fleet):
    root, inter = wanted(fleet, "/demo/ca"), wanted(fleet, "/demo/inter")
    rotate(fleet, "/demo/ca")
    assert wanted(fleet, "/demo/ca")["id"] != root["id"] and wanted(fleet, "/demo/inter")["id"] != inter["id"]
    is_settled(fleet)


def test_then_the_intermediate_alone(fleet):
    root, inter = wanted(fleet, "/demo/ca"), wanted(fleet, "/demo/inter")
    stores = [(fleet.dir / c / "trust/current").resolve() for c in CLIENTS]
    rotate(fleet, "/demo/inter")
    assert wanted(fleet, "/demo/ca")["id"] == root["id"] and wanted(fleet, "/demo/inter")["id"] != inter["id"]
    assert [(fleet.dir / c / "trust/current").resolve() for c in CLIENTS] == stores, "no store was sent anything"
    is_settled(fleet)


def test_cross_signed_while_a_verifier_is_away(fleet):
    fleet.signal("agent-app-2", signal.SIGSTOP)
    try:
        fleet.cli.ok("rotate", "/demo/ca", "--cross-sign", "--no-wait")
        inter = wanted(fleet, "/demo/inter")["fingerprint"]
        until("every service on the bridge", lambda: all(served(fleet, s)[1] == inter for s in SERVICES))
        assert trusted(fleet, "app-2") == 1, "it knows the old root only, and its handshakes go on"
        assert len(served(fleet, "web")) == 3, "leaf, intermediate, cross certificate"
        fleet.assert_no_failure()
    finally:
        fleet.signal("agent-app-2", signal.SIGCONT)
    until("the rotation to end", lambda: fleet.cli.json("rotation", "show", "/demo/ca")["state"] == "done", 60)
    fleet.assert_no_failure()
    is_settled(fleet)
