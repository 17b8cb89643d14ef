"""om itself, as people who rotate with Ops Manager type it, over a real node under handshakes."""

import json

import pytest

from clients import Shell, real
from fleet import until
from test_credhub import own_root
from test_opsmanager import World

pytestmark = real("om")


@pytest.fixture(scope="module")
def world(server, tmp_path_factory):
    w = World(server, tmp_path_factory.mktemp("om"))
    try:
        w.begin()
        yield w
    finally:
        w.end()


@pytest.fixture(scope="module")
def om(world, tmp_path_factory):
    made = world.cli.json("principal", "add", "om-person", "--role", "admin", "--facade", "opsmanager", "--password")
    return Shell("om", tmp_path_factory.mktemp("home"), "--target", world.server.url, "--ca-cert", str(world.server.dir / "ca.pem"),
                 "--username", "om-person", "--password", made["password"])


def test_om_leads_the_documented_rotation(om, world):
    """generate, apply, activate, regenerate, apply, delete, apply: an nginx under handshakes, none fails.  Somebody took a certificate by its
    domains: he is waited for, and comes for the next one.  No product is none, and each by name is all."""
    old, domains = world.serial(), "*.apps.example.org,*.sys.example.org"
    taken = json.loads(om("generate-certificate", "--domains", domains))
    assert taken.keys() == {"certificate", "key"} and taken["key"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    om("generate-certificate-authority")
    assert [a["active"] for a in json.loads(om("certificate-authorities", "-f", "json"))] == [True, False]
    assert "have a transitional version" in om.refused("generate-certificate-authority")
    assert "nothing was approved" in om("apply-changes", "--skip-deploy-products") and world.trusted() == 1
    assert "is left out" in om.refused("apply-changes", "--product-name", "web")
    assert "every member was seen" in om("apply-changes", "--product-name", "web", "--product-name", "app") and world.trusted() == 2
    om("activate-certificate-authority")
    assert "No newer certificate authority available to activate" in om("activate-certificate-authority")
    om("regenerate-certificates")
    world.shake()
    assert world.serial() == old
    om("apply-changes")
    until("the new certificate", lambda: world.serial() != old)
    world.shake()
    name = "/prod/ca/generated/_wildcard.apps.example.org/_wildcard.sys.example.org"
    assert name in om.refused("delete-certificate-authority", "--all-inactive")
    assert json.loads(om("generate-certificate", "--domains", domains))["certificate"] != taken["certificate"]
    om("delete-certificate-authority", "--all-inactive")
    om("apply-changes")
    assert world.trusted() == 1 and len(json.loads(om("certificate-authorities", "-f", "json"))) == 1
    world.shake()
    assert [i["status"] for i in json.loads(om("installations", "-f", "json"))] == ["succeeded"] * 4
    assert "every member was seen" in om("installation-log", "--id", json.loads(om("installations", "-f", "json"))[0]["id"])
    world.cli.ok("credential", "attest", name, "--replaced", "gone")
    print(f"{world.traffic.good} handshakes, {len(world.traffic.bad)} failed")


def test_om_brings_a_ca_and_a_certificate_of_the_server(om, world, tmp_path):
    pem, key = own_root("mine")
    made = json.loads(om("create-certificate-authority", "--certificate-pem", pem, "--private-key-pem", key, "-f", "json"))
    assert made["cert_pem"].strip() == pem.strip() and not made["active"]
    om("apply-changes")
    om("activate-certificate-authority")
    om("regenerate-certificates")
    om("apply-changes")
    om("delete-certificate-authority", "--all-inactive")
    om("apply-changes")
    assert om("certificate-authority", "--cert-pem").strip() == pem.strip()
    assert "the private key is not that of CN=other" in om.refused("create-certificate-authority", "--certificate-pem", own_root("other")[0], "--private-key-pem", key)
    world.shake()
    assert "Self Signed" in om("ssl-certificate")


def test_om_reads(om, world):
    assert "No certificates are expiring in 3w" in om("expiring-certificates", "-e", "3w")
    assert "/prod/web/web-1" in om.refused("expiring-certificates", "-e", "4m")
    assert '"version": "3.0.0-build.1"' in om("curl", "-s", "-p", "/api/v0/info")
    products = json.loads(om("curl", "-s", "-p", "/api/v0/deployed/products"))
    assert "web" in [p["guid"] for p in products]
    assert "does not imitate" in om.refused("curl", "-p", "/api/v0/stemcells")
    stranger = Shell("om", ".", *om.first[:-1], "wrong")
    assert "token could not be retrieved" in stranger.refused("certificate-authorities")
