"""The profiles for HAProxy, Apache and systemd units, with the real HAProxy and Apache under traffic.

systemd does not run where the tests do: a recorded stand-in for systemctl, which the node's settings name, tells an nginx
to reload and writes down how it was called.  So what is proved there is the profile and the call, not systemd."""

import os
import pathlib
import pwd
import shutil
import signal
import ssl
import subprocess
import tempfile

import pytest

from fleet import TOP, Server, free_port, until

HAPROXY = """global
  hard-stop-after 5s
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend tls
  bind 127.0.0.1:{port} ssl crt {tls}/server.pem ca-file {clients}/ca.pem verify optional
  http-request return status 200 content-type text/plain string hello
"""

APACHE = """ServerRoot {dir}
{user}
PidFile {dir}/service.pid
Mutex file:{dir} default
ErrorLog {dir}/error.log
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule ssl_module {modules}/mod_ssl.so
StartServers 2
ServerName localhost
DocumentRoot {dir}
Listen 127.0.0.1:{port}
SSLEngine on
SSLCertificateFile {tls}/cert.pem
SSLCertificateKeyFile {tls}/key.pem
SSLCACertificateFile {clients}/ca.pem
SSLVerifyClient optional
"""

NGINX = """daemon off; worker_processes 2; pid {dir}/service.pid; error_log {dir}/error.log; events {{}}
http {{
  access_log off; client_body_temp_path {dir}/t; proxy_temp_path {dir}/t; fastcgi_temp_path {dir}/t; uwsgi_temp_path {dir}/t;
  scgi_temp_path {dir}/t;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {tls}/cert.pem; ssl_certificate_key {tls}/key.pem;
    ssl_client_certificate {clients}/ca.pem; ssl_verify_client optional; return 200 "hello";
  }}
}}
"""

SYSTEMCTL = """#!/bin/sh
# Stands in for systemctl: "ACTION UNIT".  A unit that does not run is left alone, as try-... does.
echo "$*" >>{dir}/systemctl.log
[ "$2" = hello.service ] || {{ echo "Failed to $1 $2: Unit $2 not found." >&2; exit 5; }}
[ -s {dir}/service.pid ] || exit 0
kill -HUP "$(cat {dir}/service.pid)"
"""

KINDS = ("haproxy", "apache", "systemd")


class Profiles:
    """One node for each profile, and an application that talks to all of them."""

    def __init__(self, build):
        self.build, self.processes = build, []

    def __enter__(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="troth-profiles-", dir="/tmp"))
        self.base.chmod(0o755)
        self.server = Server(self.build).__enter__()
        self.cli = self.server.cli
        try:
            self.bring_up()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def start(self, name, *args):
        log = open(self.base / f"{name}.log", "w")
        self.processes.append(subprocess.Popen([str(a) for a in args], stdout=log, stderr=log, start_new_session=True))
        return self.processes[-1]

    def bring_up(self):
        self.cli.ok("authority", "create", "/p/ca")
        self.cli.ok("bundle", "create", "/p/trust", "--authority", "/p/ca")
        self.ports = {kind: free_port() for kind in KINDS}
        for kind in KINDS:
            self.cli.ok("deployment", "create", kind, "--slot",
                        f"name=tls,profile={kind},authority=/p/ca,credential=/p/{{instance}}/server,san=localhost", "--store",
                        f"name=clients,profile={kind},bundle=/p/trust")
            self.folder(kind)
            if kind == "systemd":
                self.stand_in(kind)
            self.node(kind, kind, self.service_settings(kind))
        for kind in KINDS:
            until(f"{kind}'s files", lambda: all((self.current(kind, t) / f).exists() for t, f in
                                                 (("tls", self.leaf_file(kind)), ("clients", "ca.pem"))))
        for kind in KINDS:
            self.start_service(kind)
        self.start_application()
        until("every target to be admitted", lambda: [t["state"] for t in self.cli.json("target", "list")["items"]] == ["counted"] * 7)
        (self.base / "go").touch()
        until("traffic", lambda: self.counts()[0] > 50)

    def folder(self, name):
        (self.base / name).mkdir()
        (self.base / name).chmod(0o755)
        return self.base / name

    @staticmethod
    def leaf_file(kind):
        return "server.pem" if kind == "haproxy" else "cert.pem"

    def current(self, kind, target):
        return self.base / kind / "tls" / ("files" if kind == "systemd" else kind) / target / "current"

    def service_settings(self, kind):
        where = f"root: {self.base / kind / 'tls'}, drain: 1s"
        if kind == "systemd":
            where += f", systemctl: {self.base / kind / 'systemctl'}, unit: hello.service"
        else:
            where += f", pid_file: {self.base / kind / 'service.pid'}"
        return f"all: {{{where}}}\ntargets: {{tls: {{port: {self.ports[kind]}, name: localhost}}}}\n"

    def stand_in(self, kind):
        path = self.base / kind / "systemctl"
        path.write_text(SYSTEMCTL.format(dir=self.base / kind))
        path.chmod(0o755)

    def node(self, name, deployment, settings):
        directory = self.base / name
        (directory / "settings.yaml").write_text(settings)
        token = self.cli.json("token", "create", "--deployment", deployment, "--instance", name)["token"]
        pin = subprocess.run(["openssl", "x509", "-in", str(self.server.dir / "ca.pem"), "-noout", "-fingerprint", "-sha256"],
                             capture_output=True, text=True, check=True).stdout.split("=")[1].strip().replace(":", "").lower()
        subprocess.run([str(self.build / "troth"), "agent", "enroll", "--server", self.server.url, "--ca-fingerprint", pin, "--token-file",
                        "-", "--dir", str(directory / "agent")], input=token, text=True, check=True, capture_output=True, timeout=30)
        self.start(f"agent-{name}", self.build / "troth", "agent", "run", "--dir", directory / "agent", "--profiles", TOP / "profiles",
                   "--settings", directory / "settings.yaml")

    def start_service(self, kind):
        directory, port = self.base / kind, self.ports[kind]
        user = f"User {pwd.getpwnam('nobody').pw_name}\nGroup #{pwd.getpwnam('nobody').pw_gid}" if os.geteuid() == 0 else ""
        text = {"haproxy": HAPROXY, "apache": APACHE, "systemd": NGINX}[kind].format(
            dir=directory, port=port, tls=self.current(kind, "tls"), clients=self.current(kind, "clients"), user=user,
            modules="/usr/lib/apache2/modules")
        (directory / "service.conf").write_text(text)
        commands = {"haproxy": ["haproxy", "-W", "-f", directory / "service.conf", "-p", directory / "service.pid"],
                    "apache": ["apache2", "-f", directory / "service.conf", "-D", "FOREGROUND"],
                    "systemd": ["nginx", "-e", directory / "error.log", "-c", directory / "service.conf"]}
        self.start(kind, *commands[kind])
        until(f"{kind} to answer", lambda: self.leaf(kind))

    def start_application(self):
        self.cli.ok("deployment", "create", "apps", "--store", "name=trust,profile=pem-files,bundle=/p/trust")
        app = self.folder("app")
        self.node("app", "apps", f"all: {{root: {app}, drain: 1s, pid_file: {app}/pid, attest_file: {app}/loaded, directory: {app}/trust}}\n")
        until("its trust", lambda: (app / "trust/current/ca.pem").exists())
        self.start("client", self.build / "demo/troth-demo-client", "--trust", app / "trust/current/ca.pem", "--pid", app / "pid", "--attest",
                   app / "loaded", "--stats", app / "stats", "--failures", app / "failures", "--start", self.base / "go", "--rate", "90",
                   *[f"{kind}=127.0.0.1:{port}" for kind, port in self.ports.items()])

    def counts(self):
        path = self.base / "app/stats"
        return [int(n) for n in path.read_text().split()] if path.exists() else [0, 0]

    def leaf(self, kind):
        try:
            return ssl.get_server_certificate(("127.0.0.1", self.ports[kind]), timeout=5)
        except OSError:
            return None

    def assert_no_failure(self):
        before = self.counts()[0]
        until("fresh handshakes", lambda: self.counts()[0] > before + 60)
        failures = self.base / "app/failures"
        assert self.counts()[1] == 0, failures.read_text() if failures.exists() else ""

    def __exit__(self, *exc):
        for process in reversed(self.processes):
            try:
                os.killpg(process.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
        self.server.__exit__(*exc)
        shutil.rmtree(self.base, ignore_errors=True)


@pytest.fixture(scope="module")
def nodes(build):
    with Profiles(build) as p:
        yield p


def test_a_rotation_under_traffic_loses_no_handshake(nodes):
    before = {kind: nodes.leaf(kind) for kind in KINDS}
    r = nodes.cli.run("rotate", "/p/ca", "--wait", timeout=120)
    assert r.returncode == 0, r.stdout + r.stderr + nodes.cli.run("explain").stdout
    nodes.assert_no_failure()
    for kind in KINDS:
        assert nodes.leaf(kind) not in (None, before[kind]), kind
    assert nodes.cli.run("diff").returncode == 0


def test_a_unit_is_reloaded_by_its_name(nodes):
    calls = (nodes.base / "systemd/systemctl.log").read_text().splitlines()
    assert len(calls) >= 4 and set(calls) == {"try-reload-or-restart hello.service"}, calls


def test_what_systemctl_says_is_reported(nodes):
    """The unit is gone: systemctl fails, the old certificate stays, and troth says in systemctl's words why."""
    served, script = nodes.leaf("systemd"), nodes.base / "systemd/systemctl"
    script.write_text(script.read_text().replace("hello.service ]", "other.service ]"))
    try:
        nodes.cli.ok("credential", "renew", "/p/systemd/server")
        said = until("explain to say it", lambda: "Unit hello.service not found" in (t := " ".join(nodes.cli.ok("explain").split())) and t)
        assert "exited with 5" in said
        assert nodes.leaf("systemd") == served
        differs = nodes.cli.run("diff", "systemd")
        assert differs.returncode == 1 and "Unit hello.service not found" in " ".join(differs.stdout.split())
    finally:
        nodes.stand_in("systemd")
    nodes.cli.ok("target", "retry", "systemd/tls")
    until("the new certificate", lambda: nodes.leaf("systemd") not in (None, served))
    nodes.assert_no_failure()
