"""Somebody without an agent verifies a real nginx: he is registered, and reports with curl what he has loaded."""

import pytest

import node
from fleet import until


class World:
    def __init__(self, server):
        self.server, self.cli, self.nginx, self.traffic = server, server.cli, None, None

    def begin(self, folder):
        server = self.server
        node.authority(self.cli)
        node.deployment(self.cli, "web")
        self.nginx = node.Nginx(server, folder, "web", "web-1")
        self.cli.ok("deployment", "create", "/prod/shops", "--external", "--grace", "1s", "--store", f"name=trust,bundle={node.BUNDLE}")
        self.shop = node.party(server, "/prod/shops", "shop-1")
        self.shop.fetch_and_load()
        until("the shop to count", lambda: self.target("shop-1")["state"] == "counted")
        self.traffic = node.Traffic(self.nginx, lambda: self.shop.pem)
        self.traffic.start()

    def target(self, name):
        return self.cli.json("target", "list", "--instance", name)["items"][0]

    def shake(self):
        self.traffic.shake()

    def serial(self):
        return self.traffic.serial

    def waits(self, name, reason):
        return any(x["reason"] == reason for x in self.cli.json("explain", name)["items"])

    def rotated(self):
        return self.cli.json("rotation", "list")["items"][-1]["state"] == "done"

    def stop(self):
        if self.traffic:
            self.traffic.ended = True
        if self.nginx:
            self.nginx.stop()


@pytest.fixture(scope="module")
def world(server, tmp_path_factory):
    w = World(server)
    try:
        w.begin(tmp_path_factory.mktemp("external"))
        yield w
    finally:
        w.stop()


def test_a_rotation_waits_for_its_report(world):
    world.shake()
    old = world.serial()
    world.cli.ok("rotate", node.AUTHORITY, "--no-wait")
    until("it to be named", lambda: world.waits("shop-1", "not-fetched"))
    told = world.cli.ok("explain", "shop-1")
    assert "shop-1/trust reports through the API" in told and "troth instance wanted shop-1" in told and "since" in told, told
    w = world.shop.wanted()
    assert w["certificates"].count("BEGIN") == 2 and not w["loaded"]
    until("fetched to be no more than fetched", lambda: world.waits("shop-1", "not-loaded"))
    world.traffic.shake(40)  # enough for an engine that does not wait
    assert world.serial() == old
    assert world.shop.report(None, world.shop.pem)["outcome"] == "unchanged"  # it still runs what it ran
    world.shake()
    assert world.serial() == old
    world.shop.pem = w["certificates"]
    assert world.shop.report(w["generation"], world.shop.pem)["outcome"] == "counted"
    until("the new certificate", lambda: world.serial() != old or world.traffic.bad)
    world.shake()

    def turn():
        world.shop.fetch_and_load()
        return world.rotated()
    until("the end", turn)
    assert world.shop.pem.count("BEGIN") == 1
    world.shake()
    print(f"{world.traffic.good} handshakes, 0 failed")


def test_a_late_word_and_one_that_is_taken_back(world):
    """Numbers that are not above the last change nothing; something older with a new number is believed, and seen."""
    path, pem = f"/v1/instances/{world.shop.instance['id']}/report", world.shop.pem
    said = {"seq": 5, "targets": [{"target": "trust", "fingerprints": ["00" * 32]}]}
    status, reply, _ = world.server.curl("POST", path, said, token=world.shop.token)
    assert status == 200 and reply["targets"][0]["outcome"] == "stale" and reply["seq"] > 5
    assert world.shop.report(None, node_pem(world, 0))["outcome"] == "behind"
    shown = world.cli.json("instance", "show", "shop-1")
    assert shown["party"] == "external" and "older" in shown["alarm"]
    assert "external" in world.cli.ok("instance", "list")
    assert world.shop.report(None, pem)["outcome"] in ("counted", "behind")
    status, reply, _ = world.server.curl("POST", path, {"seq": 5, "targets": [{"target": "gone", "fingerprints": ["x"]}]},
                                         token=world.shop.token)
    assert status == 400 and [f["path"] for f in reply["findings"]] == ["$.targets[0].fingerprints[0]"], reply


def node_pem(world, version):
    """The root of this version of the authority, oldest first."""
    shown = world.cli.json("authority", "show", node.AUTHORITY)["versions"]
    return sorted(shown, key=lambda v: v["created"])[version]["certificate"]


def test_it_goes_silent_and_is_waived(world):
    world.shop.fetch_and_load()
    until("nothing to wait for", lambda: not world.cli.json("explain", "shop-1")["items"])
    old = world.serial()
    world.cli.ok("rotate", node.AUTHORITY, "--no-wait")
    until("it to be named", lambda: world.waits("shop-1", "not-fetched"))
    assert "frees" in world.cli.ok("waive", "shop-1", "--reason", "nobody answers", "--dry-run")
    world.shake()
    assert world.serial() == old
    world.traffic.ended = True  # from here on nobody promises it anything
    world.traffic.join(10)
    assert not world.traffic.bad
    told = world.cli.ok("waive", "shop-1", "--reason", "nobody answers")
    assert "troth instance add /prod/shops/shop-1" in told, told
    until("the rotation to end", world.rotated)
    status, reply, _ = world.server.curl("GET", f"/v1/instances/{world.shop.instance['id']}/wanted", token=world.shop.token)
    assert status == 409 and "was waived" in reply["title"] + reply["detail"] + json_text(reply), reply
    world.cli.ok("instance", "add", "/prod/shops/shop-1")

    def turn():
        world.shop.fetch_and_load()
        return world.target("shop-1")["state"] == "counted"
    until("it to count again", turn)
    again = node.Traffic(world.nginx, lambda: world.shop.pem)
    again.start()
    until("handshakes", lambda: again.good > 20 or again.bad)
    again.ended = True
    assert not again.bad and again.shown[-1].serial != old


def json_text(reply):
    return " ".join(str(v) for v in reply.values())
