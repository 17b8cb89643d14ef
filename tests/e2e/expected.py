"""Replies written down before the handlers: compared whole, with placeholders where a value is not known beforehand."""

import json
import pathlib
import re

HERE = pathlib.Path(__file__).parent
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")  # RFC 3339
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
PLACEHOLDERS = {
    "<text>": lambda v: isinstance(v, str) and v,
    "<time>": lambda v: isinstance(v, str) and TIME.match(v),
    "<uuid>": lambda v: isinstance(v, str) and UUID.match(v),
    "<int>": lambda v: isinstance(v, int) and not isinstance(v, bool) and v > 0,
    "<rsa key>": lambda v: isinstance(v, str) and v.startswith("-----BEGIN RSA PRIVATE KEY-----\n") and v.endswith("-----END RSA PRIVATE KEY-----\n"),
    "<pem>": lambda v: isinstance(v, str) and v.startswith("-----BEGIN CERTIFICATE-----\n") and v.endswith("-----END CERTIFICATE-----\n"),
}


def differences(want, got, where="$"):
    if isinstance(want, str) and want in PLACEHOLDERS:
        return [] if PLACEHOLDERS[want](got) else [f"{where}: {got!r} is no {want}"]
    if isinstance(want, dict) and isinstance(got, dict):
        there = [f"{where}.{k}: {'missing' if k in want else 'not expected'}" for k in sorted(want.keys() ^ got.keys())]
        return there + [d for k in want.keys() & got.keys() for d in differences(want[k], got[k], f"{where}.{k}")]
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return [d for i, (w, g) in enumerate(zip(want, got)) for d in differences(w, g, f"{where}[{i}]")]
    return [] if want == got and type(want) is type(got) else [f"{where}: {got!r}, not {want!r}"]


def hold(facade, name, got):
    """The reply is what tests/e2e/<facade>/<name>.json says."""
    wrong = differences(json.loads((HERE / facade / f"{name}.json").read_text()), got)
    assert not wrong, "\n".join([f"{facade}/{name}.json:"] + wrong + [json.dumps(got, indent=1)[:3000]])
