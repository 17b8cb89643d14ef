"""/metrics of a real server before, in and after a rotation; and that alert rules, board and manual speak of metrics that are there."""

import json
import re
import time

import pytest
import yaml

import node
from exposition import Query, Scrape
from fleet import TOP, until

DAY = 86400


class World:
    def __init__(self, server):
        self.server, self.cli, self.nginx, self.shop, self.last = server, server.cli, None, None, None
        self.names = {}  # of which a sample was seen -> its labels

    def begin(self, folder):
        out = self.cli.ok("principal", "add", "prometheus", "--role", "auditor", "-o", "json")
        self.token = json.loads(out)["token"]
        node.authority(self.cli)
        node.deployment(self.cli, "web")
        self.nginx = node.Nginx(self.server, folder, "web", "web-1")
        self.cli.ok("deployment", "create", "/prod/shops", "--external", "--grace", "1s", "--store", f"name=trust,bundle={node.BUNDLE}")
        self.shop = node.party(self.server, "/prod/shops", "shop-1")
        self.shop.fetch_and_load()
        until("the shop to count", lambda: self.cli.json("target", "list", "--instance", "shop-1")["items"][0]["state"] == "counted")

    def scrape(self):
        status, text, kind = self.server.curl("GET", "/metrics", token=self.token)
        assert (status, kind) == (200, "text/plain; version=0.0.4"), text
        now = Scrape(text)
        if self.last:
            self.only_grew(self.last, now)
        for f in now.families.values():
            for _, labels in f.samples:
                self.names[f.name] = {label for label, _ in labels} - {"le"}
        self.last = now
        return now

    @staticmethod
    def only_grew(before, now):
        for f in before.families.values():
            for key, value in f.samples.items():
                if f.kind != "gauge":
                    assert now.families[f.name].samples[key] >= value, key

    def versions(self):
        return {v["id"]: v for v in self.cli.json("authority", "show", node.AUTHORITY)["versions"] if not v["retired"]}

    def ends(self, scrape):
        """Version -> end, as /metrics says."""
        rows = [s for s in scrape.series("troth_authority_not_after_seconds") if s["authority"] == node.AUTHORITY]
        return {s["version"]: scrape.value("troth_authority_not_after_seconds", **s) for s in rows}

    def rotations(self, scrape):
        return [s for s in scrape.series("troth_rotation_age_seconds") if s["authority"] == node.AUTHORITY]


@pytest.fixture(scope="module")
def world(server, tmp_path_factory):
    w = World(server)
    try:
        w.begin(tmp_path_factory.mktemp("metrics"))
        yield w
    finally:
        if w.nginx:
            w.nginx.stop()


def seconds(text):
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone


def test_before_in_and_after_a_rotation(world):
    calm = world.scrape()
    ends = {v: seconds(x["not_after"]) for v, x in world.versions().items()}
    assert len(ends) == 1 and {v: int(at) for v, at in world.ends(calm).items()} == ends
    leaf = world.cli.json("credential", "show", "/prod/web/web-1")["versions"][0]
    assert int(calm.value("troth_chain_not_after_seconds", authority=node.AUTHORITY)) == seconds(leaf["not_after"])
    assert [calm.value("troth_chains_ending", authority=node.AUTHORITY, within=w) for w in ("1d", "7d", "30d", "90d", "any")] == [0, 0, 0, 1, 1]
    assert calm.value("troth_instances", deployment="web", state="alive") == 1
    assert calm.value("troth_instances", deployment="web", state="offline") == 0
    assert calm.value("troth_instances", deployment="/prod/shops", state="alive") is None, "it has no agent that could be silent"
    assert calm.value("troth_targets_failing", deployment="web") == 0
    assert calm.value("troth_targets", state="counted") == 2
    assert calm.value("troth_metrics_cut") == 0 and world.rotations(calm) == []
    assert abs(calm.value("troth_start_time_seconds") - time.time()) < 120
    version = world.server.curl("GET", "/v1/version")[1]
    assert calm.value("troth_build_info", version=version["version"], schema=str(version["schema"])) == 1

    signed = calm.value("troth_keeper_requests_total", request="leaf-sign", result="ok")
    made = calm.value("troth_keeper_requests_total", request="authority-create", result="ok")
    assert signed >= 2 and made >= 1, "an identity, a leaf; the authority"
    world.cli.ok("rotate", node.AUTHORITY, "--no-wait")
    until("the shop to be waited for", lambda: any(x["reason"] == "not-fetched" for x in world.cli.json("explain", "shop-1")["items"]))
    busy = world.scrape()
    assert world.rotations(busy) == [{"authority": node.AUTHORITY, "state": "running"}]
    assert 0 <= busy.value("troth_rotation_age_seconds", authority=node.AUTHORITY, state="running") < 120
    wait = {"authority": node.AUTHORITY, "speaker": "node", "reason": "not-fetched"}
    assert busy.value("troth_waits", **wait) >= 1 and 0 <= busy.value("troth_wait_age_seconds", **wait) < 120
    assert set(world.ends(busy)) == set(world.versions()) and len(world.ends(busy)) == 2
    assert busy.value("troth_keeper_requests_total", request="authority-create", result="ok") == made + 1
    assert busy.value("troth_event_seq") > calm.value("troth_event_seq")

    def over():
        world.shop.fetch_and_load()
        return world.cli.json("rotation", "list")["items"][-1]["state"] == "done"
    until("the end", over)
    after = world.scrape()
    assert world.rotations(after) == [] and after.value("troth_waits", **wait) is None
    assert len(world.ends(after)) == 1 and not set(world.ends(after)) & set(ends)
    assert after.value("troth_keeper_requests_total", request="leaf-sign", result="ok") > signed
    ends_at = "troth_chain_not_after_seconds" # to the second: both leaves may have been made within one
    assert after.value(ends_at, authority=node.AUTHORITY) >= calm.value(ends_at, authority=node.AUTHORITY)


def test_what_the_process_counts(world):
    before = world.scrape()
    get = {"method": "GET", "status": "2xx"}
    for _ in range(3):
        world.server.curl("GET", "/v1/version")
    world.server.curl("DELETE", "/v1/tokens/6e0c12c4-90c2-4d1f-8f5e-2f7a4d0b1c3e")
    world.server.curl("GET", "/v1/events?after=99999999&wait=10ms")
    world.cli.ok("bundle", "create", "/prod/one")
    now = world.scrape()
    grown = lambda name, **labels: now.value(name, **labels) - (before.value(name, **labels) or 0)  # noqa: E731
    assert grown("troth_http_request_duration_seconds_count", **get) >= 4, "three, and the scrape before"
    assert grown("troth_http_request_duration_seconds_count", method="DELETE", status="4xx") == 1
    assert grown("troth_http_held_requests_total") >= 1
    assert grown("troth_writer_commits_total", result="ok") >= 1 and now.value("troth_writer_commits_total", result="failed") == 0
    assert grown("troth_writer_batch_verbs_count") == grown("troth_writer_commits_total", result="ok")
    assert now.value("troth_keeper_deaths_total") == 0
    assert world.server.curl("GET", "/metrics?name=x", token=world.token)[0] == 400
    assert world.server.curl("GET", "/metrics", token=world.shop.token)[0] == 403
    assert world.server.curl("GET", "/metrics", token=None)[0] == 401


# -- what speaks of metrics ------------------------------------------------------------------------------------------------
def documented():
    """Metric -> its labels, as the manual has them."""
    page = (TOP / "docs/ops.md").read_text().split("\n## Metrics\n")[1].split("\n## ")[0]
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in re.findall(r"^\| `(troth_\w+)` \| ?([^|]*?) ?\|", page, re.M)}


def askable(scrape):
    """What a query can ask for -> its labels."""
    out, rows = {}, documented()
    for name, f in scrape.families.items():
        parts = {"": set()} if f.kind != "histogram" else {"_bucket": {"le"}, "_sum": set(), "_count": set()}
        out.update({name + suffix: rows[name] | more for suffix, more in parts.items()})
    return out


def hold(world, expression, where):
    """A query that can be read, of metrics and labels that are there; gives the labels of its answer that can be spoken of."""
    q, names = Query(expression), askable(world.last or world.scrape())
    assert q.used, f"{where} asks for nothing"
    for name, labels, _ in q.used:
        if name == "up":
            assert set(labels) == {"job"}
            continue
        assert name in names, f"{where}: there is no metric {name}"
        assert set(labels) <= names[name], f"{where}: {name} has no {set(labels) - names[name]}"
    known = set().union(*(names.get(name, set()) for name, _, _ in q.used))
    assert q.grouped <= known, f"{where}: {q.grouped - known}"
    return q.grouped or known


def test_alert_rules(world):
    groups = yaml.safe_load((TOP / "packaging/prometheus/troth-alerts.yaml").read_text())["groups"]
    assert [set(g) for g in groups] == [{"name", "rules"}]
    rules = groups[0]["rules"]
    assert len({r["alert"] for r in rules}) == len(rules) >= 8
    for r in rules:
        assert set(r) <= {"alert", "expr", "for", "labels", "annotations"} and re.fullmatch("Troth[A-Za-z]+", r["alert"])
        assert r["labels"]["severity"] in ("warning", "critical") and re.fullmatch(r"\d+[mh]", r.get("for", "1m"))
        labels = hold(world, r["expr"], r["alert"])
        words = r["annotations"]["summary"] + r["annotations"]["description"]
        assert set(re.findall(r"\$labels\.(\w+)", words)) <= labels, r["alert"]
        for command in re.findall(r"troth ((?:[a-z]+ )?[a-z]+)(?= (?:--|\{\{|prometheus|says|names))", words):
            assert any(world.cli.run(*part, "--help").returncode == 0 for part in (command.split(), command.split()[:1])), command


def test_board(world):
    board = json.loads((TOP / "packaging/grafana/troth.json").read_text())
    assert board["title"] == "troth" and board["schemaVersion"] >= 39 and len(board["panels"]) >= 10
    assert len({p["id"] for p in board["panels"]}) == len(board["panels"])
    taken = set()
    for p in board["panels"]:
        at = p["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, f"{p['title']} lies on another"
        taken |= cells
        for t in p["targets"]:
            labels = hold(world, t["expr"], p["title"])
            assert set(re.findall(r"\{\{(\w+)\}\}", t["legendFormat"])) <= labels, p["title"]


def test_the_manual_lists_every_metric(world):
    scrape, rows = world.last or world.scrape(), documented()
    assert sorted(rows) == sorted(scrape.families)
    for name, seen in world.names.items():
        assert seen == rows[name], name


# -- the readers ------------------------------------------------------------------------------------------------------------
HEAD = "# HELP troth_x X.\n# TYPE troth_x gauge\n"
BAD = ["troth_x 1\n", HEAD + "troth_x 1", HEAD + "troth_y 1\n", HEAD + "troth_x 1\ntroth_x 2\n", HEAD + "troth_x NaN\n", HEAD + "troth_x{} 1\n",
       HEAD + 'troth_x{a="1",} 1\n', HEAD + 'troth_x{a="1"b="2"} 1\n', HEAD + 'troth_x{a="1",a="2"} 1\n', HEAD + 'troth_x{a="\\t"} 1\n',
       HEAD + 'troth_x{a="1"} 1\ntroth_x{b="1"} 1\n', HEAD + HEAD, HEAD + "troth_x 1.50\n", HEAD + "\ntroth_x 1\n",
       HEAD.replace("gauge", "counter") + "troth_x 1\n",
       HEAD.replace("gauge", "histogram") + 'troth_x_bucket{le="1"} 2\ntroth_x_bucket{le="+Inf"} 1\ntroth_x_sum 1\ntroth_x_count 1\n']


@pytest.mark.parametrize("text", BAD)
def test_the_reader_is_strict(text):
    Scrape(HEAD + 'troth_x{a="q\\"\\\\\\n,}"} -1.5\n')
    with pytest.raises(AssertionError):
        Scrape(text)


@pytest.mark.parametrize("text", ["", "a b", "sum(a", "rate(a)", "a{b}", 'a{b="c"', "a >", "a[5]", "sum by a (b)", "histogram_quantile(a)", "a & b"])
def test_the_query_reader_is_strict(text):
    Query('sum by (x) (rate(a{b=~"c|d"}[5m])) / 2 > 1 and on (x) (max(b) or absent(c))')
    with pytest.raises(AssertionError):
        Query(text)
