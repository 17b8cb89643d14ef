"""A CA key never lives in the server process: scan its memory for the private scalar of a root it just created.

The test plays the owner of the machine: it opens the wrapped key with the master key from the data directory, then reads
/proc/PID/mem of the server (the scalar must be absent) and of the keeper (it must be there: the scan can find it)."""

import os
import re
import sqlite3

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

pytestmark = [pytest.mark.release_only, pytest.mark.skipif(os.geteuid() != 0, reason="reads another process's memory: needs root")]


def unwrap(blob, master):
    """src/keeper/policy.h: magic 4, policy length 2, policy, nonce 12, length 4, ciphertext, tag 16."""
    assert blob[:4] == b"TKB1"
    end = 6 + int.from_bytes(blob[4:6], "big")
    associated, rest = blob[:end], blob[end:]
    nonce, sealed = rest[:12], rest[16:]
    return AESGCM(master).decrypt(nonce, sealed, associated)


def scan(pid, needles):
    """How often each byte string stands in the readable memory of a process."""
    found = dict.fromkeys(needles, 0)
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if not m or "[v" in line:
                continue
            start, end = (int(x, 16) for x in m.groups())
            try:
                mem.seek(start)
                data = mem.read(end - start)
            except (OSError, ValueError):
                continue
            for name in needles:
                found[name] += data.count(needles[name])
    return found


def sign_a_leaf(server):
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    status, reply, _ = server.curl("POST", "/v1/credentials", {
        "name": "/memory/leaf", "authority": "/memory/ca", "sans": ["leaf.example"],
        "csr": request.public_bytes(serialization.Encoding.PEM).decode()})
    assert status == 201, reply


def test_private_scalar_of_a_root_is_in_the_keeper_only(server):
    server.cli.ok("authority", "create", "/memory/ca")
    sign_a_leaf(server)  # the keeper opens the key, and keeps it open for a while
    with sqlite3.connect(f"file:{server.dir}/troth.db?mode=ro", uri=True) as db:
        (blob,) = db.execute("SELECT key_blob FROM version JOIN credential ON credential.id = credential_id WHERE name = ?",
                             ("/memory/ca",)).fetchone()
    key = serialization.load_der_private_key(unwrap(bytes(blob), (server.dir / "master.key").read_bytes()), None)
    scalar = key.private_numbers().private_value
    needles = {"big-endian": scalar.to_bytes(32, "big"), "little-endian": scalar.to_bytes(32, "little"),
               "hex": b"%064x" % scalar, "wrapped": bytes(blob)[-40:]}
    in_server, in_keeper = scan(server.process.pid, needles), scan(server.keeper_pid(), needles)
    assert in_server["big-endian"] == in_server["little-endian"] == in_server["hex"] == 0, in_server
    assert in_server["wrapped"] > 0, "the scan reads the server's memory: the wrapped key passed through it"
    assert in_keeper["big-endian"] + in_keeper["little-endian"] > 0, "the scan can find a scalar: it is in the keeper"
