"""The CredHub CLI itself, as its users type it."""

import json
import shutil

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from clients import Shell, real
from fleet import Server
from test_credhub import made_leaf, own_root

pytestmark = real("credhub")
NONE = "The request could not be completed because the credential does not exist or you do not have sufficient authorization."


class Person(Shell):
    def field(self, name, key):
        text = self("get", "-n", name, "-k", key)
        assert text.endswith("\n")  # the program's own
        return text[:-1]


@pytest.fixture
def credhub(server, tmp_path):
    made = server.cli.json("principal", "add", "ch-person", "--role", "operator", "--facade", "credhub", "--password")
    sh = Person("credhub", tmp_path)
    sh("login", "-s", server.url, "--ca-cert", server.dir / "ca.pem", "-u", "ch-person", "-p", made["password"])
    yield sh
    server.cli.ok("principal", "revoke", "ch-person")
    assert "log in" in sh.refused("find") or "invalid_token" in sh.refused("find")  # logged out, or thrown out


def test_credhub_day_by_day(credhub, tmp_path):
    version = credhub("--version")
    assert "Server Version: 2.15.20" in version, version
    credhub("generate", "-n", "/cli/ca", "-t", "certificate", "-c", "the CA", "--is-ca", "-d", "3650")
    credhub("generate", "-n", "cli/leaf", "-t", "certificate", "-c", "cli.example", "-a", "other.example", "-a", "10.0.0.7", "--ca", "/cli/ca", "-o", "Org",
            "-u", "Unit", "-k", "2048", "-d", "100", "-g", "digital_signature", "-g", "data_encipherment", "-e", "server_auth",
            "-i", "Hof", "-s", "Bayern", "-y", "DE", "--metadata", '{"team": "data", "tier": 1}')
    leaf = x509.load_pem_x509_certificate(credhub.field("/cli/leaf", "certificate").encode())
    key = serialization.load_pem_private_key(credhub.field("/cli/leaf", "private_key").encode(), None)
    assert leaf.public_key().public_numbers() == key.public_key().public_numbers() and leaf.issuer.rfc4514_string() == "CN=the CA"
    assert leaf.subject.rfc4514_string() == "CN=cli.example,OU=Unit,O=Org,L=Hof,ST=Bayern,C=DE"
    first = json.loads(credhub("get", "-n", "/cli/leaf", "-j"))
    assert first["metadata"] == {"team": "data", "tier": 1}
    assert first["name"] == "/cli/leaf" and first["value"]["ca"] == credhub.field("/cli/ca", "certificate")
    assert [c["name"] for c in json.loads(credhub("find", "-p", "/cli", "-j"))["credentials"]] == ["/cli/ca", "/cli/leaf"]
    assert "/cli/leaf" in credhub("find", "-n", "leaf") and "/cli/ca" not in credhub("find", "-n", "leaf")
    same = ["generate", "-n", "/cli/leaf", "-t", "certificate", "-c", "cli.example", "--ca", "/cli/ca", "-j"]
    assert json.loads(credhub(*same, "-O"))["id"] == first["id"]  # --no-overwrite
    again = json.loads(credhub("regenerate", "-n", "/cli/leaf", "-j"))
    assert again["id"] != first["id"] and again["metadata"] == first["metadata"]
    assert json.loads(credhub("bulk-regenerate", "--signed-by", "/cli/ca", "-j")) == {"regenerated_credentials": ["/cli/leaf"]}
    assert len(json.loads(credhub("get", "-n", "/cli/leaf", "--versions", "5", "-j"))["versions"]) == 3
    assert json.loads(credhub("get", "--id", first["id"], "-j"))["id"] == first["id"]
    for wrong, says in ((["get", "-n", "/cli/none"], NONE), (["delete", "-n", "/cli/none"], NONE), (["regenerate", "-n", "/cli/none"], NONE),
                        (["generate", "-n", "/cli/x", "-t", "password"], "certificates only"), (["set", "-n", "/cli/x", "-t", "value", "-v", "1"], "certificates only"),
                        (["generate", "-n", "/cli/x", "-t", "certificate", "-c", "x", "--ca", "/cli/none"], "the CA does not exist")):
        assert says in credhub.refused(*wrong), wrong
    pem, key = own_root("brought")
    (tmp_path / "ca.pem").write_text(pem), (tmp_path / "ca.key").write_text(key)
    credhub("set", "-n", "/cli/brought", "-t", "certificate", "-c", tmp_path / "ca.pem", "-p", tmp_path / "ca.key")
    assert credhub.field("/cli/brought", "certificate") == pem
    mine = made_leaf("mine", {"certificate": pem, "key": key})
    for form in ("certificate", "pkcs8"):
        (tmp_path / form).write_text(mine[form])
    leaf = ["set", "-n", "/cli/mine", "-t", "certificate", "-c", tmp_path / "certificate", "-p", tmp_path / "pkcs8"]
    assert "was not signed by the CA specified in the 'ca_name' property" in credhub.refused(*leaf, "-m", "/cli/ca")
    credhub(*leaf, "-m", "/cli/brought")
    credhub(*leaf, "-r", tmp_path / "ca.pem")
    assert [credhub.field("/cli/mine", key) for key in ("ca", "certificate", "private_key")] == [pem, mine["certificate"], mine["key"]]
    assert "statically set" in credhub.refused("regenerate", "-n", "/cli/mine")
    credhub("generate", "-n", "/cli/mine", "-t", "certificate", "-c", "mine.example", "--ca", "/cli/brought")  # who moved over goes on so
    credhub("regenerate", "-n", "/cli/mine")
    assert credhub.field("/cli/mine", "private_key") != mine["key"]
    whole = {name: json.loads(credhub("get", "-n", name, "-j"))["value"] for name in ("/cli/leaf", "/cli/mine", "/cli/brought")}
    credhub("export", "-p", "/cli", "-f", tmp_path / "all")
    for name in ("/cli/leaf", "/cli/mine"):
        credhub("delete", "-n", name)
    assert "2 out of 2" in credhub("delete", "-p", "/cli")
    credhub("import", "-f", tmp_path / "all")  # CAs come back without the keys that nobody was given
    assert {name: json.loads(credhub("get", "-n", name, "-j"))["value"] for name in whole} == whole
    assert "does not have an associated private key" in credhub.refused("generate", "-n", "/cli/x", "-t", "certificate", "-c", "x.example", "--ca", "/cli/brought")
    for name in ("/cli/leaf", "/cli/mine"):
        credhub("delete", "-n", name)
    assert "2 out of 2" in credhub("delete", "-p", "/cli")
    assert json.loads(credhub("find", "-j")) == {"credentials": []}
    credhub("logout")
    assert "log in" in credhub.refused("find")


def test_credhub_leads_a_rotation(credhub):
    """The four steps, as its users do them: with credhub curl, for which each answer must be one JSON object."""
    curl = lambda path, *args: json.loads(credhub("curl", "-p", path, *args))  # noqa: E731
    credhub("generate", "-n", "/four/ca", "-t", "certificate", "-c", "four", "--is-ca")
    credhub("generate", "-n", "/four/leaf", "-t", "certificate", "-c", "four.example", "--ca", "/four/ca")
    at = "/api/v1/certificates/" + curl("/api/v1/certificates?name=/four/ca")["certificates"][0]["id"]
    old = credhub.field("/four/ca", "certificate")
    new = curl(f"{at}/regenerate", "-X", "POST", "-d", '{"set_as_transitional": true}')
    assert new["transitional"] and credhub.field("/four/leaf", "ca") == old + new["value"]["certificate"]
    held = curl(f"{at}/update_transitional_version", "-X", "PUT", "-d", '{"version": null}')
    assert "stop trusting the old one at once: /four/leaf has no certificate by the new CA yet" in held["error"], held
    versions = curl(f"{at}/versions?current=true")
    moved = curl(f"{at}/update_transitional_version", "-X", "PUT", "-d", f'{{"version": "{versions[0]["id"]}"}}')
    assert [v["transitional"] for v in moved] == [False, True] and moved[0]["id"] == new["id"]
    assert "/four/leaf" in credhub("bulk-regenerate", "--signed-by", "/four/ca")
    assert credhub.field("/four/leaf", "ca") == new["value"]["certificate"] + old
    assert [v["id"] for v in curl(f"{at}/update_transitional_version", "-X", "PUT", "-d", '{"version": null}')] == [new["id"]]
    assert credhub.field("/four/leaf", "ca") == new["value"]["certificate"]


def test_credhub_keeps_permissions(server, tmp_path):
    """An administrator gives and takes; who has no scope sees and does what he was given, and nothing when it is gone."""
    boss, app = Shell("credhub", tmp_path / "boss"), Shell("credhub", tmp_path / "app")
    for sh, name, *how in ((boss, "ch-boss", "admin"), (app, "ch-job-app", "operator", "--scope", "none")):
        made = server.cli.json("principal", "add", name, "--facade", "credhub", "--password", "--role", *how)
        sh("login", "-s", server.url, "--ca-cert", server.dir / "ca.pem", "-u", name, "-p", made["password"])
    boss("generate", "-n", "/kept/ca", "-t", "certificate", "-c", "kept", "--is-ca")
    make = ["generate", "-n", "/kept/app/web", "-t", "certificate", "-c", "web.example", "--ca", "/kept/ca"]
    actor = ["-a", "uaa-client:ch-job-app"]
    assert NONE in app.refused("get", "-n", "/kept/ca") and NONE in app.refused(*make)
    given = json.loads(boss("set-permission", *actor, "-p", "/kept/app/*", "-o", "read,write", "-j"))
    assert given | {"uuid": ""} == {"actor": "uaa-client:ch-job-app", "path": "/kept/app/*", "operations": ["read", "write"], "uuid": ""}
    boss("set-permission", *actor, "-p", "/kept/ca", "-o", "read")
    app(*make)
    assert json.loads(app("find", "-j"))["credentials"][0]["name"] == "/kept/app/web" and "PRIVATE KEY" in app("get", "-n", "/kept/app/web")
    assert json.loads(boss("set-permission", *actor, "-p", "/kept/app/*", "-o", "read", "-j"))["uuid"] == given["uuid"]  # a second time: PUT
    assert json.loads(boss("get-permission", *actor, "-p", "/kept/app/*", "-j"))["operations"] == ["read"]
    assert NONE in app.refused("regenerate", "-n", "/kept/app/web")
    assert "sufficient authorization" in app.refused("set-permission", "-a", "uaa-client:ch-boss", "-p", "/kept/app/*", "-o", "read")
    assert "scope none" in boss.refused("set-permission", "-a", "uaa-client:ch-boss2", "-p", "/kept/app/*", "-o", "read")
    boss("delete-permission", *actor, "-p", "/kept/app/*")
    assert NONE in app.refused("get", "-n", "/kept/app/web")
    assert "does not exist" in boss.refused("delete-permission", *actor, "-p", "/kept/app/*")
    boss("delete", "-p", "/kept")


def test_credhub_as_a_client_of_its_environment(server, tmp_path):
    made = server.cli.json("principal", "add", "ch-job", "--role", "operator", "--facade", "credhub", "--password")
    job = Shell("credhub", tmp_path)
    job.env |= {"CREDHUB_SERVER": server.url, "CREDHUB_CLIENT": "ch-job", "CREDHUB_SECRET": made["password"], "CREDHUB_CA_CERT": str(server.dir / "ca.pem")}
    job("generate", "-n", "/job/ca", "-t", "certificate", "-c", "job", "--is-ca")
    assert "/job/ca" in job("find", "-p", "/job")
    job.env["CREDHUB_SECRET"] = "wrong"
    assert "Bad credentials" in job.refused("find")


def test_credhub_refreshes_its_token(build, tmp_path):
    """Ten minutes after the login it comes with its refresh token, by itself; half a day after, somebody has to log in."""
    (tmp_path / "build").mkdir()
    shutil.copy(build / "tests/e2e/troth-shifted", tmp_path / "build/troth")
    with Server(tmp_path / "build") as server:
        made = server.cli.json("principal", "add", "ch-late", "--role", "operator", "--facade", "credhub", "--password")
        sh = Shell("credhub", tmp_path)
        sh("login", "-s", server.url, "--ca-cert", server.dir / "ca.pem", "-u", "ch-late", "-p", made["password"])
        for hours, program in ((0.2, sh), (13, sh.refused)):
            server.stop()
            (tmp_path / "build/troth.shift").write_text(str(int(hours * 3600)))
            server.start()
            said = program("find", "-j")
        assert "log" in said, said
