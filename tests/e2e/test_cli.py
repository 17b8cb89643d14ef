"""The CLI as a newcomer meets it: help, exit codes, outputs."""

import json
import os
import subprocess

import pytest

from fleet import until


@pytest.fixture(scope="module")
def cli(server):
    server.cli.ok("authority", "create", "/cli/ca")
    return server.cli


def plain(build, *args, env=None):
    return subprocess.run([str(build / "troth"), *args], capture_output=True, text=True, timeout=30,
                          env={"PATH": os.environ["PATH"], **(env or {})})


def test_help_names_every_command(build):
    r = plain(build, "--help")
    assert r.returncode == 0
    for word in ("init", "server", "agent", "authority", "credential", "bundle", "deployment", "instance", "target", "token", "rotate",
                 "rotation", "explain", "audit"):
        assert word in r.stdout, word
    assert max(len(line) for line in r.stdout.splitlines()) <= 80


@pytest.mark.parametrize("noun, verbs", [("authority", "create list show"), ("credential", "create list show"),
                                         ("bundle", "create list show"), ("deployment", "create list show"),
                                         ("instance", "list show"), ("target", "list show"), ("token", "create"),
                                         ("principal", "add list show rotate unlock revoke"), ("server-certificate", "set show unset"),
                                         ("rotation", "list show watch pause resume abort"), ("audit", "list verify")])
def test_each_command_has_help_with_an_example(build, noun, verbs):
    for verb in verbs.split():
        r = plain(build, noun, verb, "--help")
        assert r.returncode == 0, (noun, verb, r.stderr)
        assert "xample" in r.stdout and f"troth {noun} {verb}" in r.stdout, (noun, verb)
        assert max(len(line) for line in r.stdout.splitlines()) <= 80


@pytest.mark.parametrize("process", ["init", "server", "dev", "backup", "backup verify", "restore", "agent enroll", "agent run", "agent status"])
def test_each_process_has_help_with_an_example(build, process):
    r = plain(build, *process.split(), "--help")
    assert r.returncode == 0 and "example" in r.stdout and f"troth {process}" in r.stdout, r.stderr
    assert max(len(line) for line in r.stdout.splitlines()) <= 80


def test_usage_errors_exit_2(build, cli):
    for args in ([], ["nonsense"], ["authority"], ["authority", "nonsense"], ["authority", "show"], ["authority", "create", "/x", "--nope"],
                 ["rotate"]):
        r = cli.run(*args)
        assert r.returncode == 2, (args, r.returncode, r.stdout, r.stderr)
        assert r.stderr.startswith("troth"), (args, r.stderr)


def test_not_found_exits_4(cli):
    r = cli.run("authority", "show", "/cli/none")
    assert r.returncode == 4
    assert "/cli/none" in r.stderr


def test_refused_input_exits_1_with_a_hint(cli):
    r = cli.run("authority", "create", "no-slash")
    assert r.returncode == 1
    assert "must start with" in r.stderr and "hint" in r.stderr


# What was typed, the exit code, and what must be said of it.
WRONG = [
    ("authority create x --ttl 1s --key-type rsa-1", 1, "NAME: must start with", "--ttl: is not between", "--key-type: is not a key type", "rsa-2048"),
    ("authority create /x --ttl soon", 1, '--ttl: "soon" is not a duration', "hint: write a number and a unit: 90d"),
    ("authority create /x --path-len many", 2, '--path-len: "many" is not a number', "--help"),
    ("authority set /cli/ca", 2, "changes nothing without an option", "--help"),
    ("authority policy /cli/ca", 2, "changes nothing without an option"),
    ("authority policy /cli/ca --switch x", 1, "--switch: is not when slots switch", "each"),
    ("credential create /x --authority /cli/ca --san a.example --san b..c", 1, '--san "b..c": ', "dns:pg-1.example"),
    ("credential create /x --authority /cli/ca --san a.example --csr-file /etc/passwd", 1, "--csr-file: certificate request"),
    ("credential create /x --authority /cli/ca --san a.example --csr-file /nonexistent", 4, '--csr-file: could not open file "/nonexistent"'),
    ("bundle create /b --certificate alias=a,file=/etc/passwd", 1, "--certificate, file: there is no certificate"),
    ("bundle create /b --certificate alias=a,file=/nonexistent", 4, '--certificate: could not open file "/nonexistent"'),
    ("deployment create d --slot name=a,profile=nginx,authority=/cli/ca,credential=x,san=..,ttl=soon", 1, "--slot, credential: must start",
     "--slot, san: ", '--slot, ttl: "soon"'),
    ("deployment create d --slot name", 2, '--slot: "name" is not key=value'),
    ("token create --deployment none --ttl x", 1, '--ttl: "x" is not a duration'),
    ("principal add x --role king", 1, '--role: "king" is not a role', "admin, operator"),
    ("rotate /cli/ca --timeout x", 2, '--timeout: "x" is not a length of time'),
    ("rotate /cli/ca --yes-break x", 2, '--yes-break: "x" is not a number'),
    ("binding create /b --bundle /none --ack x", 1, "--ack: is not a way to acknowledge", "confirm, fetch or attest"),
    ("forecast --until tomorrow", 1, "neither a day nor a length", "2027-06-01"),
    ("events --after x", 2, '--after: "x" is not the number of an event'),
]


@pytest.mark.release_only
def test_wrong_types_are_named_as_they_were_typed(cli):
    before = cli.ok("audit", "list", "-o", "json")
    for words, code, *said in WRONG:
        r = cli.run(*words.split())
        assert r.returncode == code and r.stdout == "" and "$." not in r.stderr, (words, r.returncode, r.stdout, r.stderr)
        for text in said:
            assert text in r.stderr, (words, text, r.stderr)
    assert cli.ok("audit", "list", "-o", "json") == before


def test_no_server_is_said_so(build, tmp_path):
    r = plain(build, "authority", "list")
    assert r.returncode in (1, 2) and "--dir" in r.stderr
    r = plain(build, "--dir", str(tmp_path), "authority", "list")
    assert r.returncode != 0 and "admin.json" in r.stderr


def test_three_output_forms(cli):
    table = cli.ok("authority", "list")
    assert "/cli/ca" in table and "NAME" in table.upper() and "\x1b" not in table
    assert max(len(line) for line in table.splitlines()) <= 80
    assert any(a["name"] == "/cli/ca" for a in json.loads(cli.ok("authority", "list", "-o", "json"))["items"])
    assert "name: /cli/ca" in cli.ok("authority", "list", "-o", "yaml")


def test_version_and_health(build, cli):
    assert plain(build, "--version").stdout.startswith("troth ")
    assert "ok" in cli.ok("health")


def test_dry_run_changes_nothing(cli):
    before = cli.json("authority", "show", "/cli/ca")
    cli.ok("rotate", "/cli/ca", "--dry-run")
    assert cli.json("authority", "show", "/cli/ca") == before


def test_a_rotation_without_slots_ends_at_once(cli):
    before = cli.json("authority", "show", "/cli/ca")
    cli.ok("rotate", "/cli/ca", "--wait")
    after = cli.json("authority", "show", "/cli/ca")
    assert [v["id"] for v in after["versions"] if v["signing"]] != [v["id"] for v in before["versions"] if v["signing"]]


def test_a_second_server_on_the_directory_is_refused(build, server):
    r = plain(build, "server", "--dir", str(server.dir))
    assert r.returncode == 1
    assert "another" in r.stderr or "in use" in r.stderr


def test_init_does_not_overwrite(build, server):
    r = plain(build, "init", "--dir", str(server.dir))
    assert r.returncode == 1
    assert str(server.dir) in r.stderr


def test_restart_loses_nothing(server):
    server.cli.ok("authority", "create", "/cli/kept")
    server.stop(9)
    server.start()
    assert server.cli.json("authority", "show", "/cli/kept")["name"] == "/cli/kept"
    assert "holds" in server.cli.ok("audit", "verify")


def test_a_principal_may_what_its_role_says(cli, server, tmp_path):
    made = cli.json("principal", "add", "ci", "--role", "operator", "--scope", "/cli/*", "--expires", "30d")
    def asks(token, *args):
        file = tmp_path / "token"
        file.write_text(token)
        file.chmod(0o600)
        return cli.run("--token-file", str(file), *args)
    assert asks(made["token"], "authority", "create", "/cli/of-ci").returncode == 0
    out_of_scope = asks(made["token"], "authority", "create", "/prod/ca")
    assert out_of_scope.returncode != 0 and "/cli/*" in out_of_scope.stderr
    assert asks(made["token"], "principal", "list").returncode != 0, "an operator keeps no principals"
    until("its use to be noted", lambda: cli.json("principal", "show", "ci")["last_used"])
    again = cli.json("principal", "rotate", "ci")
    assert asks(made["token"], "authority", "list").returncode != 0
    assert asks(again["token"], "authority", "list").returncode == 0
    assert "ci" in cli.ok("principal", "list") and again["token"] not in cli.ok("principal", "list")
    cli.ok("principal", "revoke", "ci")
    assert asks(again["token"], "authority", "list").returncode != 0
    last = cli.run("principal", "revoke", "admin")
    assert last.returncode != 0 and "last administrator" in last.stderr


def test_a_principal_by_client_certificate(cli, server, tmp_path):
    key, csr, pem = (str(tmp_path / n) for n in ("robot.key", "robot.csr", "robot.pem"))
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-out", csr, "-subj", "/CN=robot"], check=True, capture_output=True)
    made = cli.json("principal", "add", "robot", "--role", "auditor", "--csr-file", csr)
    (tmp_path / "robot.pem").write_text(made["certificate"] + made["chain"])
    r = subprocess.run(["curl", "-sS", "--cacert", str(server.dir / "ca.pem"), "--cert", pem, "--key", key,
                        server.url + "/v1/principals/self"], capture_output=True, text=True, timeout=30)
    assert json.loads(r.stdout)["name"] == "robot", r.stderr
