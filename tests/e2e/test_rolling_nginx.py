"""Three real nginx in one deployment, max_unavailable 1 and a canary: seen from outside, never two of them change at once.

An instance changes from the moment the file that nginx loads is another (its link on the disk), or a handshake shows the new
certificate, or its workers are others, to its settled report (the event) and the end of its last old worker. These spans must
not touch."""

import datetime
import os
import pathlib
import threading
import time

import pytest

import node
from fleet import until

pytestmark = pytest.mark.release_only  # the same paths as in test_main_path, in another order

NODES = ("web-1", "web-2", "web-3")


class Look(threading.Thread):
    """The workers of each nginx as the system shows them: when they became others, and how many nodes have old ones beside new."""

    def __init__(self, nodes):
        super().__init__(daemon=True)
        self.nodes, self.spans, self.most, self.ended = nodes, {n.name: [] for n in nodes}, 0, False
        self.old = {n.name: self.workers(n) for n in nodes}

    @staticmethod
    def workers(n):
        master = (n.dir / "nginx.pid").read_text().strip()
        return set(pathlib.Path(f"/proc/{master}/task/{master}/children").read_text().split())

    def mixed(self, n):
        now = self.workers(n)
        if now == self.old[n.name]:
            return False
        self.spans[n.name].append(time.time())
        if not now & self.old[n.name]:
            self.old[n.name] = now
            return False
        return True

    def run(self):
        while not self.ended:
            self.most = max(self.most, sum([self.mixed(n) for n in self.nodes]))
            time.sleep(0.005)


class World:
    def __init__(self, server):
        self.server, self.cli, self.nodes, self.traffic = server, server.cli, [], []

    def begin(self, folder):
        node.authority(self.cli)
        node.deployment(self.cli, "web")
        for name in NODES:
            self.nodes.append(node.Nginx(self.server, folder, "web", name))
        self.cli.ok("deployment", "create", "/prod/shops", "--external", "--grace", "none", "--store", f"name=trust,bundle={node.BUNDLE}")
        self.shop = node.party(self.server, "/prod/shops", "shop-1")
        self.shop.fetch_and_load()
        self.traffic = [node.Traffic(n, lambda: self.shop.pem) for n in self.nodes]
        for t in self.traffic:
            t.start()

    def bad(self):
        return [b for t in self.traffic for b in t.bad]

    def settled(self):
        """When each node's slot settled, by the server's events."""
        out = {}
        for e in self.events():
            if e["kind"] == "target.settled" and e["object"] in NODES:
                out.setdefault(e["object"], []).append(e)
        return out

    def events(self):
        items, after = [], ""
        while True:
            status, reply, _ = self.server.curl("GET", f"/v1/events?limit=200{after}")
            assert status == 200, reply
            items += reply["items"]
            if not reply["items"] or not reply.get("next"):
                return items
            after = f"&after={reply['next']}"

    def stop(self):
        for t in self.traffic:
            t.ended = True
        for n in self.nodes:
            n.stop()


@pytest.fixture(scope="module")
def world(server, tmp_path_factory):
    w = World(server)
    try:
        w.begin(tmp_path_factory.mktemp("rolling"))
        yield w
    finally:
        w.stop()


def swapped_at(n):
    """When the file that nginx loads became another."""
    return os.lstat(n.dir / "tls/nginx/tls/current").st_mtime


def test_never_two_at_once(world):
    world.cli.ok("deployment", "policy", "web", "--max-unavailable", "1", "--canary", "1")
    before = {t.nginx.name: t.shown[-1].serial for t in world.traffic}
    last = world.events()[-1]["seq"]
    look = Look(world.nodes)
    look.start()
    world.cli.ok("rotate", node.AUTHORITY, "--no-wait")
    started = time.time()
    reasons = set()

    def turn():
        world.shop.fetch_and_load()
        reasons.update(w["reason"] for w in world.cli.json("explain", node.AUTHORITY)["items"])
        return world.bad() or world.cli.json("rotation", "list")["items"][-1]["state"] == "done"
    until("the rotation to end", turn, 60)
    look.ended = True
    look.join(10)
    assert not world.bad(), world.bad()[:3]
    assert all(t.shown[-1].serial != before[t.nginx.name] for t in world.traffic)
    spans = []
    for t in world.traffic:
        name = t.nginx.name
        ends = [e["at"] for e in world.settled()[name] if e["seq"] > last]
        assert len(ends) == 1, (name, ends)
        begins = [swapped_at(t.nginx), *(s.at for s in t.shown if s.at > started)]
        reload = look.spans[name]
        spans.append((min(begins), max([seconds(ends[0]), *reload]), name))
        assert reload, f"{name} was seen to reload"
    spans.sort()
    for (_, end, one), (begin, _, other) in zip(spans, spans[1:]):
        assert end <= begin, f"{one} ended {end - begin:.3f} s after {other} had begun"
    assert look.most <= 1
    assert {"canary", "budget"} & reasons, reasons
    print(f"{sum(t.good for t in world.traffic)} handshakes, 0 failed, {time.time() - started:.1f} s")


def seconds(at):
    """An RFC 3339 time, to the millisecond."""
    return datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp()
