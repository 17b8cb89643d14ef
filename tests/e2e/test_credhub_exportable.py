"""Keys of CAs that are given out: a server that is set so, through CredHub's API; and what stays where it is all the same."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from fleet import Server
from test_credhub import GOLDEN, Client, Story, none_is_left

pytestmark = pytest.mark.release_only  # memory is walked the same way by test_disclose.c and test_export.c

CA = {"type": "certificate", "parameters": {"common_name": "g", "is_ca": True, "key_type": "ec-p256"}}


@pytest.fixture(scope="module")
def client(build):
    with Server(build, ("--credhub-exportable", "true")) as server:
        client = Client(server)
        client.tokens["developer"] = server.cli.json("principal", "add", "ch-developer", "--role", "developer", "--facade", "credhub")["token"]
        yield client


def keeper_lines(server, act, result="granted"):
    log = pathlib.Path(server.dir / "keeper.log").read_text()
    return [line for line in log.splitlines() if f" act={act} result={result}" in line]


def test_story(client):
    story = Story(client)
    for step in json.loads((GOLDEN.parent / "credhub-exportable" / "ca-keys.json").read_text()):
        if "send" in step:
            story.step(step)


def test_each_one_that_leaves_is_on_record(client):
    """In the audit by principal and name, in the keeper's own log by a word of its own; and the server says at its start what it is set to."""
    made = client.json("POST /api/v1/data", {"name": "/g/ca", **CA})
    given = client.json("GET /api/v1/data?name=/g/ca", who="admin")["data"][0]["value"]["private_key"]
    assert given == made["value"]["private_key"]
    audit = client.server.cli.json("audit", "list", "--object", "/g/ca")["items"]
    told = [(row["who"], row["after"]["versions"]) for row in audit if row["action"] == "authority.disclose"]
    assert sorted(told) == [("ch-admin", [made["id"]]), ("ch-operator", [made["id"]])]
    assert [row["after"]["exportable"] for row in audit if row["action"] == "authority.create"] == [True]
    opened = [line for line in keeper_lines(client.server, "authority-open") if f"key={made['id']} " in line]
    assert len(opened) == 2 and all('authority="/g/ca"' in line and " exportable=yes" in line for line in opened)
    assert re.search(r"level=warn .*event=server\.ca-keys-exportable .*setting=credhub_exportable", client.server.logged())
    shown = subprocess.run([client.server.build / "troth", "config", "show", "--dir", client.server.dir, "-o", "json"], check=True, capture_output=True).stdout
    config = {s["name"]: (s["value"], s["source"]) for s in json.loads(shown)["settings"]}
    assert config["credhub_exportable"] == ("true", "command line")


@pytest.mark.skipif(os.geteuid() != 0, reason="reads another process's memory: needs root")
def test_a_ca_key_is_gone_when_the_reply_has_left(client):
    keys = {}
    for n in range(3):
        ca = client.json("POST /api/v1/data", {"name": f"/h/ca{n}", **CA})
        keys[f"made {n}"] = ca["value"]["private_key"]
        keys[f"next {n}"] = client.json("POST /api/v1/regenerate", {"name": f"/h/ca{n}"})["value"]["private_key"]
        given = client.json(f"GET /api/v1/data?name=/h/ca{n}")["data"]
        assert [v["value"]["private_key"] for v in given] == [keys[f"next {n}"], keys[f"made {n}"]]
    none_is_left(client, keys)


def test_as_a_ca_was_made_it_stays(client):
    """The setting is about new ones: without it those that are there go on as they are, also their next versions."""
    server = client.server
    client.json("POST /api/v1/data", {"name": "/i/open", **CA})
    server.stop()
    server.args = ()
    server.start()
    assert client.json("POST /api/v1/data", {"name": "/i/closed", **CA})["value"]["private_key"] is None
    assert client.json("POST /api/v1/regenerate", {"name": "/i/closed"})["value"]["private_key"] is None
    assert "PRIVATE KEY" in client.json("POST /api/v1/regenerate", {"name": "/i/open"})["value"]["private_key"]
    assert all(v["value"]["private_key"] for v in client.json("GET /api/v1/data?name=/i/open")["data"])
    assert "server.ca-keys-exportable" not in server.logged().rpartition("server.stopped")[2]
