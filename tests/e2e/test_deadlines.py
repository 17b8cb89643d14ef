"""An authority that lives a minute and its leaves half of that, left alone under traffic: they keep themselves valid."""

import pytest

from fleet import Fleet, until

pytestmark = pytest.mark.release_only  # its members live for seconds


@pytest.fixture(scope="module")
def brief(build):
    with Fleet(build, ["--lives", "60s/30s"]) as f:
        yield f


def rotations(fleet):
    return [r for r in fleet.cli.json("rotation", "list", "/demo/ca")["items"] if r["state"] == "done"]


def test_it_keeps_itself_valid(brief):
    first = brief.signer()
    until("a rotation that nobody asked for", lambda: rotations(brief), 60)
    assert brief.signer() != first
    assert all(r["started_by"] == "system" for r in rotations(brief))
    # The leaves go on too: the service shows several versions of its certificate by now.
    leaves = brief.cli.json("credential", "list")["items"]
    name = next(c["name"] for c in leaves if c["authority"] == "/demo/ca")
    until("a renewed leaf", lambda: len(brief.cli.json("credential", "show", name)["versions"]) >= 3, 60)
    brief.assert_no_failure()


def test_what_comes_next_is_told(brief):
    authority = brief.cli.json("authority", "show", "/demo/ca")
    assert authority["next_renewal"] and authority["renew"] == "auto"
    forecast = brief.cli.json("forecast", "/demo/ca", "--until", "2m")
    kinds = {m["kind"] for m in forecast["items"]}
    assert "rotation" in kinds and "breaks" not in kinds, forecast
    assert forecast["assumptions"]
    brief.assert_no_failure()
