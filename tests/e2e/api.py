"""The server's own description of its API (GET /v1/openapi.json), and holding every answer against it.

Strict: a route, a status or a member that is not described fails the test that met it."""

import http.client
import json
import re
import ssl

import jsonschema

METHODS = ("get", "post", "put", "delete", "patch")


def closed(schema):
    """The same schema, with no members but the described ones."""
    if isinstance(schema, list):
        return [closed(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out = {k: closed(v) for k, v in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        out.setdefault("additionalProperties", False)
    return out


class Operation:
    def __init__(self, api, path, method, said):
        self.path, self.method, self.said = path, method.upper(), said
        self.regex = re.compile(re.sub(r"\\\{[a-z]+\\\}", "[^/]+", re.escape(path)) + "$")
        self.parameters = [api.resolved(p) for p in said["parameters"]]
        self.responses = {int(s): api.resolved(r) for s, r in said["responses"].items() if s != "default"}
        content = said.get("requestBody", {}).get("content", {})
        self.body = content.get("application/json", {}).get("schema")

    def __str__(self):
        return f"{self.method} {self.path}"

    def named(self, where):
        return [p["name"] for p in self.parameters if p["in"] == where]


class Api:
    def __init__(self, doc):
        self.doc = doc
        self.schemas = closed(doc["components"]["schemas"])
        self.seen = set()  # (operation, status)
        self.operations = [Operation(self, path, method, said) for path, row in doc["paths"].items()
                           for method, said in row.items() if method in METHODS]
        self.operations.sort(key=lambda o: o.path.count("{"))
        self.validators = {}

    def resolved(self, what):
        if "$ref" not in what:
            return what
        at = self.doc
        for part in what["$ref"].removeprefix("#/").split("/"):
            at = at[part]
        return at

    def find(self, method, path):
        path = path.partition("?")[0]
        return next((o for o in self.operations if o.method == method and o.regex.match(path)), None)

    def differs(self, schema, value):
        """None, or where and how a value is not what the schema says."""
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            whole = {**closed(schema), "components": {"schemas": self.schemas}}
            self.validators[key] = jsonschema.Draft202012Validator(whole)
        error = jsonschema.exceptions.best_match(self.validators[key].iter_errors(value))
        return error and f"{error.json_path}: {error.message[:300]}"

    def hold(self, method, path, status, reply, kind):
        """An answer as a client got it: reply is the parsed JSON, or text."""
        operation = self.find(method, path)
        said = f"{method} {path} answered {status}"
        if operation is None or status not in operation.responses:
            general = status >= 400 if operation is None else status in (408, 413, 414, 417, 429, 431)
            assert general or method in ("HEAD", "OPTIONS"), f"{said}, which is not described: {str(reply)[:300]}"
            content = self.resolved(self.doc["components"]["responses"]["Problem"])["content"] if status >= 400 else {}
        else:
            self.seen.add((str(operation), status))
            content = operation.responses[status].get("content", {})
        media = kind.partition(";")[0].strip()
        if not content:
            assert reply in ("", None), f"{said} with a body: {str(reply)[:300]}"
            return
        assert media in content, f"{said} as {media or 'nothing'}, described as {', '.join(content)}"
        if "json" in media:
            why = self.differs(content[media]["schema"], reply)
            assert why is None, f"{said}: {why}\n{json.dumps(reply)[:1000]}"


class Caller:
    """One kept-alive connection of somebody; each answer is held against the description."""

    def __init__(self, server, headers=None, cert=None, timeout=15):
        self.server, self.own, self.cert, self.timeout, self.link = server, headers or {}, cert, timeout, None
        if headers is None and cert is None:
            self.own = {"Authorization": f"Bearer {server.token}"}

    def connect(self):
        context = ssl.create_default_context(cafile=str(self.server.dir / "ca.pem"))
        if self.cert:
            context.load_cert_chain(*self.cert)
        self.link = http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=self.timeout, context=context)

    def send(self, method, target, body=None, headers=None):
        """(status, bytes, headers) of a request as it is given."""
        for attempt in (1, 2):
            try:
                if not self.link:
                    self.connect()
                self.link.request(method, target, body, {**(headers or {}), **self.own})
                reply = self.link.getresponse()
                return reply.status, reply.read(), reply.headers
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                self.link = None  # an idle connection may be closed under us, once
                if attempt == 2:
                    raise

    def call(self, method, target, body=None, headers=None):
        """(status, reply, headers); body is bytes, or made JSON."""
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})} if raw is not None else headers
        status, text, got = self.send(method, target, raw, headers)
        kind = got.get("Content-Type", "")
        reply = json.loads(text) if text and "json" in kind else text.decode()
        self.server.api.hold(method, target, status, reply, kind)
        return status, reply, got
