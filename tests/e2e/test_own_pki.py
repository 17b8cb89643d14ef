"""troth's own authorities are rotated under agents that are connected: none is lost, and no request fails.

Most of the agents are threads that speak the agent API over a TLS connection of their own for each request, and do what an
agent does: they believe the server by the CAs that they were given last, and show the identity that they were given last.
Two are real ones."""

import concurrent.futures
import http.client
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import threading
import time

import pytest

from fleet import TOP, Server, until

AGENTS, REAL = 198, 2
HELD_S = 2


class Refused(Exception):
    pass


class Driver:
    """What the agents of a test share: the server, one key, and what went wrong."""

    def __init__(self, server):
        self.server, self.base = server, server.base
        self.key, csr = self.base / "agent.key", self.base / "agent.csr"
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key,
                        "-subj", "/CN=agent", "-out", csr], check=True, capture_output=True)
        self.csr = csr.read_text()
        self.wrong, self.requests, self.ended = [], 0, threading.Event()
        self.down = threading.Event()  # the server was killed: nobody can answer

    def ask(self, context, method, path, body=None, headers=()):
        """One request on a connection of its own."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.server.port, context=context, timeout=60)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json", **dict(headers)})
            reply = connection.getresponse()
            text = reply.read()
        finally:
            connection.close()
        self.requests += 1
        value = json.loads(text) if text else {}
        if reply.status >= 300:
            raise Refused(f"{method} {path}: {reply.status} {value.get('detail', value)}", value.get("type", ""))
        return value

    def failed(self, who, error):
        self.wrong.append(f"{who}: {error!r}")


def trusting(pem, identity=None, key=None):
    context = ssl.create_default_context(cadata=pem)
    if identity:
        context.load_cert_chain(identity, key)
    return context


class Agent:
    """One that is a thread."""

    def __init__(self, driver, name, token):
        self.d, self.name, self.dir = driver, name, driver.base / f"agent-{name}"
        self.dir.mkdir()
        reply = driver.ask(trusting((driver.server.dir / "ca.pem").read_text()), "POST", "/v1/agent/enroll",
                           {"token": token, "csr": driver.csr, "boot_id": name, "agent_version": "test"})
        self.trust, self.generation, self.session, self.seq, self.store = reply["server_ca"], 0, 0, 0, None
        self.epoch, self.polls, self.renewed = reply["epoch"], 0, 0
        self.identity = self.dir / "identity.pem"
        self.identity.write_text(reply["certificate"])
        self.off, self.idle = threading.Event(), threading.Event()

    def ask(self, method, path, body=None):
        return self.d.ask(trusting(self.trust, self.identity, self.d.key), method, path, body)

    def fingerprints(self):
        blocks = [b + "-----END CERTIFICATE-----\n" for b in self.trust.split("-----END CERTIFICATE-----\n") if "BEGIN" in b]
        import hashlib
        return sorted(hashlib.sha256(ssl.PEM_cert_to_DER_cert(b[b.index("-----BEGIN"):])).hexdigest() for b in blocks)

    def open(self):
        held = [{"id": self.store, "loaded_generation": self.generation, "high_water": self.generation,
                 "fingerprints": self.fingerprints()}] if self.store else []
        opened = self.ask("POST", "/v1/agent/session", {"boot_id": self.name, "epoch": self.epoch, "agent_version": "test",
                                                        "targets": held})
        self.session, self.epoch, self.seq = opened["session"], opened["epoch"], 0
        if self.store:
            self.report()

    def report(self):
        self.seq += 1
        self.ask("POST", "/v1/agent/report", {
            "session": self.session, "seq": self.seq, "target": self.store, "generation": self.generation,
            "high_water": self.generation, "level": "loaded", "settled": True, "fingerprints": self.fingerprints()})

    def take(self, target):
        known = self.store
        self.store = target["id"]
        if target["generation"] > self.generation:
            self.trust, self.generation = "".join(target["certificates"]), target["generation"]
            self.report()
        elif not known:
            self.report()

    def turn(self):
        if not self.session:
            self.open()
        d = self.ask("GET", f"/v1/agent/desired?session={self.session}&after={getattr(self, 'version', 0)}&wait={HELD_S}s")
        self.version = d["version"]
        for target in d["targets"]:
            if target["profile"] == "troth-server-ca":
                self.take(target)
        if d.get("renew_identity"):
            reply = self.ask("POST", "/v1/agent/identity", {"csr": self.d.csr})
            self.identity.write_text(reply["certificate"])
            self.renewed += 1
        self.polls += 1

    def go_away(self):
        self.off.set()
        self.idle.wait(30)

    def run(self):
        while not self.d.ended.is_set():
            if self.off.is_set():
                self.idle.set()
                time.sleep(0.05)
                continue
            try:
                self.turn()
            except Refused as e:
                self.session = 0
                if "stale-session" not in e.args[1] and not self.d.down.is_set():
                    self.d.failed(self.name, e)
            except (OSError, http.client.HTTPException) as e:
                if not self.d.down.is_set() or isinstance(e, ssl.SSLCertVerificationError):
                    self.d.failed(self.name, e)
                time.sleep(0.2)


class People:
    """Requests all the while, by the CA file of the server and by a copy that nobody ever renews."""

    def __init__(self, driver):
        self.d, self.copy = driver, (driver.server.dir / "ca.pem").read_text()

    def run(self):
        headers = {"Authorization": f"Bearer {self.d.server.token}"}.items()
        while not self.d.ended.is_set():
            for pem in ((self.d.server.dir / "ca.pem").read_text(), self.copy):
                try:
                    self.d.ask(trusting(pem), "GET", "/v1/instances?limit=1", headers=headers)
                except (OSError, Refused, http.client.HTTPException) as e:
                    if not self.d.down.is_set():
                        self.d.failed("people", e)
            time.sleep(0.05)


class Nodes:
    """A server, agents that are threads, and real ones; all under way."""

    def __init__(self, build, agents, real=0):
        self.build, self.wanted, self.real_wanted = build, agents, real

    def __enter__(self):
        self.server, self.processes = Server(self.build).__enter__(), {}
        self.d, self.pool = Driver(self.server), concurrent.futures.ThreadPoolExecutor(self.wanted + 8)
        try:
            self.start()
        except BaseException as e:
            print(self.d.wrong[:5])
            self.__exit__(e)
            raise
        return self

    def start(self):
        cli = self.cli = self.server.cli
        cli.ok("authority", "create", "/t/ca")
        cli.ok("bundle", "create", "/t/trust", "--authority", "/t/ca")
        cli.ok("deployment", "create", "nodes", "--store", "name=trust,profile=pem-files,bundle=/t/trust")
        self.agents = list(self.pool.map(self.enrol, [f"n{i}" for i in range(self.wanted)]))
        for a in self.agents:
            self.pool.submit(a.run)
        self.pool.submit(People(self.d).run)
        self.real = [self.start_real(f"real{i}") for i in range(self.real_wanted)]
        until("every agent to be connected", lambda: all(a.polls for a in self.agents) and
              all("session.opened" in self.real_log(n) for n in self.real))

    def token(self, name, **more):
        body = {"deployment": "nodes", "instance": name, **more}
        headers = {"Authorization": f"Bearer {self.server.token}"}.items()
        return self.d.ask(trusting((self.server.dir / "ca.pem").read_text()), "POST", "/v1/tokens", body, headers)["token"]

    def enrol(self, name):
        return Agent(self.d, name, self.token(name))

    def enrol_real(self, name, *more, **token):
        file = self.server.base / f"{name}.token"
        file.write_text(self.token(name, **token))
        pin = subprocess.run(["openssl", "x509", "-in", self.server.dir / "ca.pem", "-noout", "-fingerprint", "-sha256"],
                             capture_output=True, text=True, check=True).stdout.split("=")[1].strip()
        return subprocess.run([self.build / "troth", "agent", "enroll", "--server", self.server.url, "--ca-fingerprint", pin, "--token-file",
                               file, "--dir", self.server.base / name, *more], capture_output=True, text=True, timeout=60)

    def run_real(self, name):
        log = open(self.server.base / f"{name}.log", "a")
        settings = self.server.base / f"{name}.yaml"
        settings.write_text(f"all: {{root: {self.server.base / name}-files}}\n")
        return subprocess.Popen([self.build / "troth", "agent", "run", "--dir", self.server.base / name, "--profiles",
                                 TOP / "profiles", "--settings", settings], stdout=log, stderr=log)

    def start_real(self, name):
        r = self.enrol_real(name)
        assert r.returncode == 0, r.stderr
        self.processes[name] = self.run_real(name)
        return name

    def stop_real(self, name):
        self.processes[name].terminate()
        self.processes[name].wait(30)

    def real_log(self, name):
        return (self.server.base / f"{name}.log").read_text()

    def rotate(self, name, *more):
        self.cli.ok("rotate", name, "--no-wait", *more)

    def state(self, name):
        return [r for r in self.cli.json("rotation", "list")["items"] if r["name"] == name][-1]["state"]

    def await_done(self, name, seconds=60):
        until(f"{name} to be rotated", lambda: self.state(name) == "done", seconds)

    def signer(self, name):
        """The CA that signs now, as PEM."""
        versions = self.cli.json("authority", "show", name)["versions"]
        return [v for v in versions if v["signing"]][0]["certificate"]

    def assert_nothing_failed(self):
        assert self.d.wrong == [], self.d.wrong[:5]

    def __exit__(self, *exc):
        self.d.ended.set()
        self.pool.shutdown(wait=True)
        for p in self.processes.values():
            p.terminate()
            p.wait(30)
        self.server.__exit__(*exc)


def alive_all(n):
    """Every agent asks once more, with what it has now."""
    before = [a.polls for a in n.agents]
    until("every agent to ask again", lambda: all(a.polls > b for a, b in zip(n.agents, before)))


@pytest.mark.release_only
def test_200_agents_through_the_rotation_of_both(build):
    with Nodes(build, AGENTS, REAL) as n:
        trust, started, before = n.agents[0].trust, time.monotonic(), n.d.requests
        n.rotate("/troth/server")
        n.await_done("/troth/server")
        n.rotate("/troth/agents")
        n.await_done("/troth/agents")
        took, asked = time.monotonic() - started, n.d.requests - before
        alive_all(n)
        n.assert_nothing_failed()
        ca = (n.server.dir / "ca.pem").read_text()
        assert {a.trust for a in n.agents} == {ca} and ca != trust
        assert {a.renewed for a in n.agents} == {1}
        for name in n.real:
            log = n.real_log(name)
            assert "server-ca.loaded" in log and "identity.renewed" in log and "ask-failed" not in log, log
            assert (n.server.base / name / "server-ca.pem").read_text().count("BEGIN") == 1
        print(f"\n{AGENTS + REAL} agents: both CAs rotated in {took:.1f} s, {asked} requests, {len(n.d.wrong)} failed")


def test_who_is_away_is_named_waived_and_returns_with_a_token(build):
    with Nodes(build, 3, 1) as n:
        n.stop_real("real0")
        n.rotate("/troth/agents")
        until("the wait to be named", lambda: "real0/identity" in n.cli.run("explain", "/troth/agents").stdout)
        assert n.state("/troth/agents") == "running"
        n.cli.ok("waive", "real0", "--reason", "the node burnt down")
        n.await_done("/troth/agents")
        n.processes["real0"] = n.run_real("real0")
        until("it to be refused", lambda: "ask-failed" in n.real_log("real0"))
        n.stop_real("real0")
        r = n.enrol_real("real0", "--again", "real0", reinstall=True)
        assert r.returncode == 0, r.stderr
        opened = n.real_log("real0").count("session.opened")
        n.processes["real0"] = n.run_real("real0")
        until("it to be back", lambda: n.real_log("real0").count("session.opened") > opened)
        n.rotate("/troth/server")  # and it counts as ever
        n.await_done("/troth/server")
        assert "server-ca.loaded" in n.real_log("real0")
        n.assert_nothing_failed()


def test_killed_in_the_middle(build):
    with Nodes(build, 4, 1) as n:
        n.agents[0].go_away()
        n.rotate("/troth/server")
        n.rotate("/troth/agents")
        until("the others to have moved", lambda: all(a.generation and a.renewed for a in n.agents[1:]))
        n.d.down.set()
        n.server.process.send_signal(signal.SIGKILL)
        n.server.process.wait(30)
        n.server.log.close()
        n.server.start()
        n.d.down.clear()
        assert n.state("/troth/server") == n.state("/troth/agents") == "running"
        n.agents[0].off.clear()
        n.await_done("/troth/server")
        n.await_done("/troth/agents")
        alive_all(n)
        n.assert_nothing_failed()
        ca = (n.server.dir / "ca.pem").read_text()
        assert {a.trust for a in n.agents} == {ca}


def test_a_newcomer_and_an_abort_in_the_middle(build):
    with Nodes(build, 3) as n:
        trust, identity = n.agents[1].trust, n.agents[1].identity.read_text()
        n.agents[0].go_away()
        n.rotate("/troth/server")
        n.rotate("/troth/agents")
        until("the others to have moved", lambda: all(a.generation and a.renewed for a in n.agents[1:]))
        n.agents.append(n.enrol("late"))
        n.pool.submit(n.agents[-1].run)
        n.start_real("real-late")  # by the fingerprint of the first CA in the file
        n.cli.ok("rotation", "abort", "/troth/server")
        n.cli.ok("rotation", "abort", "/troth/agents")
        n.agents[0].off.clear()
        until("all to be as before", lambda: {a.trust for a in n.agents} == {trust} and (n.server.dir / "ca.pem").read_text() == trust)
        until("the real one to follow", lambda: (n.server.base / "real-late/server-ca.pem").read_text().endswith(trust))
        alive_all(n)
        assert n.agents[1].renewed == 2 and n.agents[1].identity.read_text() != identity
        n.assert_nothing_failed()


def names_of(server):
    pem = ssl.get_server_certificate(("127.0.0.1", server.port))
    text = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName"], input=pem, capture_output=True, text=True, check=True).stdout
    return {n.strip().partition(":")[2] for n in text.splitlines()[1].split(",")}


def test_more_names_in_the_servers_certificate(build):
    with Server(build) as s:
        before = names_of(s)
        s.stop()
        s.args = ["--public-name", "troth.example.org", "--public-name", "10.1.2.3", "--public-name", "localhost"]
        s.start()
        until("its certificate to have them", lambda: names_of(s) == before | {"troth.example.org", "10.1.2.3"})
        s.stop()
        s.args = ()
        s.start()  # they stay
        assert names_of(s) == before | {"troth.example.org", "10.1.2.3"}
        s.cli.ok("rotate", "/troth/server", "--no-wait")
        until("the rotation", lambda: s.cli.json("rotation", "list")["items"][0]["state"] == "done")
        assert names_of(s) == before | {"troth.example.org", "10.1.2.3"}
        s.stop()
        for bad in ("dns:x.example", "*.example.org", "a b"):
            r = subprocess.run([build / "troth", "server", "--dir", s.dir, "--public-name", bad], capture_output=True, text=True, timeout=30)
            assert r.returncode == 2 and "--public-name" in r.stderr and f'"{bad}"' in r.stderr and "hint" in r.stderr, r.stderr
        s.log = open(s.base / "server.log", "a")  # it is stopped
