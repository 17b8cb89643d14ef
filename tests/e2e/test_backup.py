"""Backups: made while the server works, restored in the middle of a rotation, and not one handshake fails."""

import os
import signal
import subprocess

import pytest

from fleet import Fleet, Server, until
from test_main_path import ended, running, start_rotation


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two recipients, made as the help says: name -> (certificate, key)."""
    base, made = tmp_path_factory.mktemp("keys"), {}
    for name in ("one", "two"):
        cert, key = base / f"{name}.pem", base / f"{name}.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                        f"/CN={name}", "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
        made[name] = (str(cert), str(key))
    return made


def troth(build, *args):
    return subprocess.run([str(build / "troth"), *map(str, args)], capture_output=True, text=True, timeout=60)


def ok(r):
    assert r.returncode == 0, r.stdout + r.stderr
    return r.stdout


def refused(r, code, *words):
    assert r.returncode == code and r.stdout == "", (r.returncode, r.stdout, r.stderr)
    for word in words:
        assert word in r.stderr, (word, r.stderr)


def test_what_was_answered_is_in_the_backup(build, keys, tmp_path):
    """While the server runs: what it answered before is there afterwards, under another directory, with the same keys."""
    file, again = tmp_path / "b.cms", tmp_path / "again"
    with Server(build) as server:
        server.cli.ok("authority", "create", "/x/ca")
        server.cli.ok("credential", "create", "/x/leaf", "--authority", "/x/ca", "--san", "leaf.example")
        before = server.cli.json("credential", "show", "/x/leaf")
        said = ok(troth(build, "backup", file, "--dir", server.dir, "--recipient", keys["one"][0], "--recipient", keys["two"][0]))
        assert "sealed    for 2" in said
        assert (file.stat().st_mode & 0o777) == 0o600
        for who in keys.values():
            assert "it can be restored" in ok(troth(build, "backup", "verify", file, "--key", who[1]))
        server.stop()
        ok(troth(build, "restore", file, "--dir", again, "--key", keys["two"][1]))
        os.rename(server.dir, server.base / "lost")
        os.rename(again, server.dir)
        (server.dir / "admin.json").write_text((server.base / "lost/admin.json").read_text())
        server.start()
        assert "server.restored" in server.logged()
        assert server.cli.json("health")["epoch"] == "2"
        assert server.cli.json("credential", "show", "/x/leaf")["versions"] == before["versions"]
        assert server.cli.json("authority", "show", "/x/ca")["name"] == "/x/ca"
        server.cli.ok("credential", "create", "/x/later", "--authority", "/x/ca", "--san", "later.example")  # the keys open
        server.cli.ok("audit", "verify")


def test_the_clear_contents_are_in_no_file(build, keys, tmp_path):
    file = tmp_path / "b.cms"
    with Server(build) as server:
        server.cli.ok("authority", "create", "/x/ca")
        secrets = [(server.dir / name).read_bytes() for name in ("master.key", "admin.token", "server.key")]
        ok(troth(build, "backup", file, "--dir", server.dir, "--recipient", keys["one"][0]))
        sealed = file.read_bytes()
        assert all(secret[:32] not in sealed for secret in secrets) and b"SQLite format" not in sealed
        opened = subprocess.run(["openssl", "cms", "-decrypt", "-inform", "DER", "-in", str(file), "-inkey", keys["one"][1]],
                                capture_output=True, check=True).stdout
        assert opened.startswith(b"SQLite format 3") and secrets[0] in opened, "the openssl program opens it as well"
        ok(troth(build, "restore", file, "--dir", tmp_path / "again", "--key", keys["one"][1]))
        assert secrets[0] not in (tmp_path / "again/troth.db").read_bytes()
        assert sorted(p.name for p in tmp_path.iterdir()) == ["again", "b.cms"], "nothing is left beside"


def test_what_cannot_be_done_changes_nothing(build, keys, tmp_path):
    file, damaged, full = tmp_path / "b.cms", tmp_path / "damaged.cms", tmp_path / "full"
    cert, key = keys["one"]
    with Server(build) as server:
        refused(troth(build, "backup", file, "--dir", tmp_path / "none", "--recipient", cert), 4, "not a complete data directory", "troth init")
        refused(troth(build, "backup", file, "--dir", server.dir, "--recipient", key), 1, f"--recipient {key}")
        refused(troth(build, "backup", file, "--dir", server.dir, "--recipient", tmp_path / "no.pem"), 4, "no.pem")
        refused(troth(build, "backup", file, "--dir", server.dir), 2, "--recipient")
        refused(troth(build, "backup", "verify", tmp_path / "no.cms", "--key", key), 4, "the backup FILE: could not open", "no.cms")
        refused(troth(build, "backup", "verify", cert, "--key", tmp_path / "no.key"), 4, "--key: could not open", "no.key")
        refused(troth(build, "restore", tmp_path / "no.cms", "--dir", tmp_path / "new", "--key", key), 4, "the backup FILE:")
        assert list(tmp_path.iterdir()) == []
        ok(troth(build, "backup", file, "--dir", server.dir, "--recipient", cert))
        refused(troth(build, "backup", file, "--dir", server.dir, "--recipient", cert), 1, "exists already")
        whole = bytearray(file.read_bytes())
        whole[len(whole) // 2] ^= 1
        damaged.write_bytes(whole)
        full.mkdir()
        (full / "mine").write_text("x")
        refused(troth(build, "restore", damaged, "--dir", tmp_path / "new", "--key", key), 1, "could not be opened", "hint:")
        refused(troth(build, "restore", file, "--dir", tmp_path / "new", "--key", keys["two"][1]), 1, "sealed for other keys")
        refused(troth(build, "restore", cert, "--dir", tmp_path / "new", "--key", key), 1, "no backup of troth")
        refused(troth(build, "restore", file, "--dir", full, "--key", key), 1, "no empty directory")
        refused(troth(build, "backup", "verify", damaged, "--key", key), 1, "could not be opened")
        assert not (tmp_path / "new").exists() and [p.name for p in full.iterdir()] == ["mine"]
        assert server.cli.run("health").returncode == 0


def take_server_down(fleet):
    """Stopped for good, not to be started again by who watches it; how to start it."""
    pid = fleet.pid("server")
    owner = os.stat(f"/proc/{pid}")
    command = open(f"/proc/{pid}/cmdline").read().split("\0")[:-1]
    (fleet.dir / "run/stop-server").touch()
    os.kill(pid, signal.SIGKILL)
    until("the server to be gone", lambda: not os.path.exists(f"/proc/{pid}/exe"))
    as_owner = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    return lambda log: subprocess.Popen(command, stdout=log, stderr=log, **as_owner), as_owner


def test_restored_in_the_middle_of_a_rotation(build, keys, tmp_path):
    """The backup is of the moment when one client had not the new root yet; the rotation ended after it. The restored server
    believes itself in the middle, sees that its fleet is further, and ends the rotation again."""
    file = tmp_path / "b.cms"
    with Fleet(build) as fleet:
        fleet.signal("agent-app-2", signal.SIGSTOP)
        waiter = start_rotation(fleet)
        until("explain to name app-2", lambda: "app-2" in fleet.cli.ok("explain", "/demo/ca"))
        ok(troth(build, "backup", file, "--dir", fleet.dir / "server", "--recipient", keys["one"][0]))
        fleet.signal("agent-app-2", signal.SIGCONT)
        until("the rotation to end", lambda: ended(fleet), 90)
        waiter.wait(30)
        new = fleet.signer()
        start, as_owner = take_server_down(fleet)
        os.rename(fleet.dir / "server", fleet.dir / "lost")
        ok(troth(build, "restore", file, "--dir", fleet.dir / "server", "--key", keys["one"][1]))
        for path in [fleet.dir / "server", *(fleet.dir / "server").iterdir()]:
            os.chown(path, as_owner.get("user", -1), as_owner.get("group", -1))
        with open(tmp_path / "server.log", "w") as log:
            server = start(log)
            try:
                until("the server", lambda: fleet.cli.run("health").returncode == 0)
                assert fleet.cli.json("health")["epoch"] == "2"
                until("the rotation to end again", lambda: not running(fleet), 90)
                assert fleet.signer() == new
                fleet.assert_no_failure()
            finally:
                server.terminate()
                server.wait(30)
