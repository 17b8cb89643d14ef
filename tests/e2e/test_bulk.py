"""All leaves below a CA in one request: more than the keeper takes in a message, all or none whoever dies, and nobody else waits for it."""

import json
import os
import signal
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fleet import until
from test_credhub import Client

QUICK, SLOW = 40, 8  # EC keys, and RSA keys: these are made one after the other, so that there is a middle


class World:
    def __init__(self, server):
        self.server, self.client = server, Client(server)
        self.make("/b/ca", common_name="b", is_ca=True, key_type="ec-p256")
        for i in range(QUICK):
            self.make(f"/b/a{i:02}", common_name="b.example", ca="/b/ca", key_type="ec-p256")
        for i in range(SLOW):
            self.make(f"/b/z{i}", common_name="b.example", ca="/b/ca", key_length=2048)

    def make(self, name, **parameters):
        return self.client.json("POST /api/v1/data", {"name": name, "type": "certificate", "parameters": parameters})

    def versions(self):
        return {c["name"]: [v["id"] for v in c["versions"]] for c in self.client.json("GET /api/v1/certificates")["certificates"]}

    def keys(self):
        return (self.server.dir / "keeper.log").read_text().count("act=key-make result=granted")

    def begin(self):
        """Sends the request; returns when the first of the slow keys is made."""
        before = self.keys()
        curl = subprocess.Popen(
            ["curl", "-s", "-X", "POST", "--cacert", str(self.server.dir / "ca.pem"), "-w", "\n%{http_code}", "-H", "Content-Type: application/json",
             "-H", f"Authorization: Bearer {self.client.tokens['operator']}", "-d", '{"signed_by":"/b/ca"}', self.server.url + "/api/v1/bulk-regenerate"],
            stdout=subprocess.PIPE, text=True)
        until("the first slow key", lambda: self.keys() > before + QUICK or curl.poll() is not None)
        assert curl.poll() is None, curl.communicate()
        return curl


@pytest.fixture(scope="module")
def world(server):
    return World(server)


def end(curl):
    reply, _, status = curl.communicate(timeout=60)[0].rpartition("\n")
    return int(status), json.loads(reply) if reply else None


@pytest.mark.release_only
def test_all_or_none(world):
    server, before = world.server, world.versions()
    assert len(before) == QUICK + SLOW + 1

    curl = world.begin()
    os.kill(server.keeper_pid(), signal.SIGKILL)
    assert end(curl)[0] == 503
    assert world.versions() == before

    curl = world.begin()
    server.stop(signal.SIGKILL)
    assert end(curl) == (0, None)
    server.start()
    assert world.versions() == before

    curl = world.begin()
    renew(server, "/b/other")
    assert curl.poll() is None, "who needed one signature had it while the keys were made"
    status, reply = end(curl)
    after = world.versions()
    assert status == 200 and reply["regenerated_credentials"] == sorted(set(before) - {"/b/ca"})
    assert all(after[name][1:] == ids and after[name][0] not in ids for name, ids in before.items() if name != "/b/ca")
    assert after["/b/ca"] == before["/b/ca"]


def renew(server, name):
    """As whoever has a key of his own asks for a certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "o")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    status, reply, _ = server.curl("POST", "/v1/credentials", {"name": name, "authority": "/b/ca", "sans": ["dns:o.example"], "csr": csr})
    assert status == 201, reply
