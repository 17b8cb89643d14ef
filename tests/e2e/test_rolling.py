"""Policy, with real services under traffic: a few at a time, nothing while frozen, each step when somebody says yes."""

import json
import sqlite3
import time

import pytest

from fleet import CLIENTS, until

pytestmark = pytest.mark.release_only  # the same paths as in test_main_path, in another order


@pytest.fixture(autouse=True)
def no_policy(fleet):
    yield
    fleet.cli.run("thaw")
    fleet.cli.run("authority", "policy", "/demo/ca", "--rollout", "automatic", "--switch", "each")
    fleet.cli.run("deployment", "policy", "apps", "--max-unavailable", "0", "--canary", "0", "--no-window", "--no-stop-on-failure")


def state(fleet):
    return fleet.cli.json("rotation", "list", "/demo/ca")["items"][-1]["state"]


def changing(fleet):
    """How many of the clients have a document on their way, by the server's own rows at one moment."""
    with sqlite3.connect(f"file:{fleet.dir / 'server/troth.db'}?mode=ro", uri=True) as db:
        return db.execute("SELECT count(DISTINCT t.instance_id) FROM document d JOIN target t ON t.id = d.target_id "
                          "JOIN template p ON p.id = t.template_id JOIN deployment y ON y.id = p.deployment_id "
                          "WHERE d.state = 'pending' AND y.name = 'apps'").fetchone()[0]


def reasons(fleet):
    return {w["reason"] for w in fleet.cli.json("explain", "/demo/ca")["items"]}


def test_one_client_after_the_other(fleet):
    shown = fleet.cli.json("deployment", "policy", "apps", "--max-unavailable", "1", "--canary", "1")
    assert (shown["max_unavailable"], shown["canary"]) == (1, 1)
    before = fleet.signer()
    fleet.cli.ok("rotate", "/demo/ca", "--no-wait")
    most, deadline = 0, time.monotonic() + 40
    while state(fleet) == "running":
        for _ in range(20):
            most = max(most, changing(fleet))
            time.sleep(0.005)
        assert time.monotonic() < deadline, fleet.cli.ok("explain", "/demo/ca")
    assert most == 1, "never two at once, and one at some time"
    assert state(fleet) == "done" and fleet.signer() != before
    fleet.assert_no_failure()


def test_frozen_in_the_middle(fleet):
    fleet.cli.ok("deployment", "policy", "apps", "--max-unavailable", "1")
    fleet.cli.ok("rotate", "/demo/ca", "--no-wait")
    assert "frozen" in fleet.cli.ok("freeze", "--reason", "incident 4711")
    until("what was handed out to settle", lambda: fleet.cli.json("freeze", "--show")["frozen"])
    time.sleep(1)
    files = [(fleet.dir / c / "trust/current/ca.pem").read_text() for c in CLIENTS]
    time.sleep(2)
    assert files == [(fleet.dir / c / "trust/current/ca.pem").read_text() for c in CLIENTS]
    assert state(fleet) == "running"
    assert "incident 4711" in fleet.cli.ok("explain")
    fleet.assert_no_failure()
    fleet.cli.ok("thaw")
    until("the rotation to end", lambda: state(fleet) == "done", 40)
    fleet.assert_no_failure()
    actions = [row["action"] for row in fleet.cli.json("audit", "list")["items"]]
    assert "freeze" in actions and "thaw" in actions


def test_each_step_is_approved(fleet):
    fleet.cli.ok("authority", "policy", "/demo/ca", "--rollout", "manual")
    before = fleet.signer()
    fleet.cli.ok("rotate", "/demo/ca", "--no-wait")
    for step in ("introduce", "switch", "withdraw"):
        until(f"{step} to wait", lambda: f"approve-{step}" in reasons(fleet), 30)
        assert step in fleet.cli.ok("rotation", "approve", "/demo/ca", "--dry-run")
        assert (fleet.cli.run("rotation", "approve", "/demo/ca", "--step", "introduce").returncode == 0) == (step == "introduce")
        if step != "introduce":
            assert f"{step} of /demo/ca is approved" in fleet.cli.ok("rotation", "approve", "/demo/ca")
    until("the rotation to end", lambda: state(fleet) == "done", 40)
    assert fleet.signer() != before
    fleet.assert_no_failure()


def test_a_closed_window_is_named(fleet):
    tomorrow = time.gmtime(time.time() + 24 * 3600)
    window = f"0 12 {tomorrow.tm_mday} {tomorrow.tm_mon} * 1h UTC"
    shown = fleet.cli.json("deployment", "policy", "apps", "--window", window)
    assert shown["windows"] == [window] and not shown["window_open"]
    fleet.cli.ok("rotate", "/demo/ca", "--no-wait")
    until("the wait for the window", lambda: "window" in reasons(fleet))
    assert shown["window_until"][:10] in fleet.cli.ok("explain", "/demo/ca").replace("\n", " ")
    fleet.cli.ok("deployment", "policy", "apps", "--no-window")
    until("the rotation to end", lambda: state(fleet) == "done", 40)
    fleet.assert_no_failure()
    assert fleet.cli.run("deployment", "policy", "apps", "--window", "0 12 * * * 1h Nowhere/Else").returncode != 0
