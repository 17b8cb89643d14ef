"""One real nginx with its agent, and somebody without an agent who verifies it: what several tests bring up beside a server."""

import collections
import hashlib
import json
import signal
import socket
import ssl
import subprocess
import threading
import time

from fleet import TOP, free_port, until

AUTHORITY, BUNDLE = "/prod/ca", "/prod/trust"


def authority(cli):
    cli.ok("authority", "create", AUTHORITY)
    cli.ok("bundle", "create", BUNDLE, "--authority", AUTHORITY)


def deployment(cli, name):
    cli.ok("deployment", "create", name, "--slot",
           f"name=tls,profile=nginx,authority={AUTHORITY},credential=/prod/{name}/{{instance}},san={{instance}}.example")


class Nginx:
    """nginx serving the slot tls of an instance, reloaded by a real agent."""

    def __init__(self, server, folder, deployment, name, drain="1s"):
        self.server, self.name, self.port, self.processes = server, name, free_port(), []
        self.dir = folder / name
        self.dir.mkdir()
        try:
            self.enrol(deployment)
            self.start_agent(drain)
            self.start_nginx()
        except BaseException:
            self.stop()
            raise

    @property
    def host(self):
        return f"{self.name}.example"

    def start(self, *args):
        self.processes.append(subprocess.Popen(args, stdout=open(self.dir / "log", "a"), stderr=subprocess.STDOUT))

    def enrol(self, deployment):
        out = self.server.cli.ok("token", "create", "--deployment", deployment, "--instance", self.name)
        token = next(word for word in out.split() if word.startswith("troth-join-"))
        fingerprint = out.split("--ca-fingerprint ")[1].split()[0]
        subprocess.run([str(self.server.build / "troth"), "agent", "enroll", "--server", self.server.url, "--ca-fingerprint", fingerprint,
                        "--token-file", "-", "--dir", str(self.dir / "agent")], input=token, text=True, check=True, capture_output=True,
                       timeout=30)

    def start_agent(self, drain):
        (self.dir / "settings.yaml").write_text(f"all: {{root: {self.dir}/tls, pid_file: {self.dir}/nginx.pid, drain: {drain}}}\n"
                                                f"targets: {{tls: {{port: {self.port}}}}}\n")
        self.start(str(self.server.build / "troth"), "agent", "run", "--dir", str(self.dir / "agent"), "--profiles", str(TOP / "profiles"),
                   "--settings", str(self.dir / "settings.yaml"))

    def start_nginx(self):
        d = self.dir
        until("a certificate", lambda: (d / "tls/nginx/tls/current/cert.pem").exists())
        temp = " ".join(f"{kind}_temp_path {d}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (d / "nginx.conf").write_text(f"daemon off; pid {d}/nginx.pid; error_log {d}/nginx.log; events {{}}\nhttp {{ access_log off; {temp}\n"
                                      f"server {{ listen 127.0.0.1:{self.port} ssl; ssl_certificate {d}/tls/nginx/tls/current/cert.pem;\n"
                                      f"ssl_certificate_key {d}/tls/nginx/tls/current/key.pem; return 200 hello; }} }}\n")
        self.start("nginx", "-e", str(d / "nginx.log"), "-c", str(d / "nginx.conf"))
        until("nginx", lambda: (d / "nginx.pid").exists() and (d / "nginx.pid").read_text().strip())
        until("its slot to count", lambda: self.target()["state"] == "counted")

    def target(self):
        return self.server.cli.json("target", "list", "--instance", self.name)["items"][0]

    def stop(self):
        for p in reversed(self.processes):
            p.send_signal(signal.SIGTERM)
        for p in self.processes:
            p.wait(20)


Shake = collections.namedtuple("Shake", "at serial")


class Traffic(threading.Thread):
    """Shakes hands with one nginx without a pause, with the CAs that `pem` gives at that moment."""

    def __init__(self, nginx, pem):
        super().__init__(daemon=True)
        self.nginx, self.pem, self.good, self.bad, self.shown, self.ended = nginx, pem, 0, [], [], False

    def run(self):
        while not self.ended:
            context = ssl.create_default_context(cadata=self.pem())
            try:
                with socket.create_connection(("127.0.0.1", self.nginx.port), timeout=5) as raw, \
                        context.wrap_socket(raw, server_hostname=self.nginx.host) as tls:
                    serial = tls.getpeercert()["serialNumber"]
                self.good += 1
                if not self.shown or self.shown[-1].serial != serial:
                    self.shown.append(Shake(time.time(), serial))
            except (OSError, ssl.SSLError) as e:
                self.bad.append(f"{self.nginx.name}: {e}")
            time.sleep(0.01)

    def shake(self, n=20):
        """So many more from now on, and none that failed since the beginning."""
        want = self.good + n
        until("handshakes", lambda: self.good > want or self.bad)
        assert not self.bad, self.bad[:3]

    @property
    def serial(self):
        """Of the certificate that was shown last."""
        return self.shown[-1].serial

    @property
    def serials(self):
        return {s.serial for s in self.shown}


def fingerprints(pem):
    """As a script finds them out: of what it has loaded, not of what it was told."""
    blocks = [b + "-----END CERTIFICATE-----\n" for b in pem.split("-----END CERTIFICATE-----")[:-1]]
    return [hashlib.sha256(ssl.PEM_cert_to_DER_cert(b.strip())).hexdigest() for b in blocks]


class Party:
    """An application without an agent: it asks what is wanted, loads it and reports, with curl and a token of its own."""

    def __init__(self, server, instance, token):
        self.server, self.instance, self.token, self.pem = server, instance, token, None

    def call(self, method, path, body=None):
        status, reply, _ = self.server.curl(method, f"/v1/instances/{self.instance['id']}{path}", body, token=self.token)
        assert status == 200, reply
        return reply

    def wanted(self, target="trust"):
        return next(t for t in self.call("GET", "/wanted")["targets"] if t["target"] == target)

    def report(self, generation, pem):
        """What runs is what is reported; the number is the clock."""
        said = {"target": "trust", "fingerprints": fingerprints(pem)}
        if generation:
            said["generation"] = generation
        return self.call("POST", "/report", {"seq": time.time_ns(), "targets": [said]})["targets"][0]

    def fetch_and_load(self):
        """One turn of a script that cron would start."""
        w = self.wanted()
        if w["certificates"] and not w["loaded"]:
            self.pem = w["certificates"]
            assert self.report(w["generation"], self.pem)["outcome"] in ("counted", "unchanged")
        return w


def party(server, deployment, name):
    """Registered by an operator; a developer's token of its own speaks for it."""
    server.cli.ok("instance", "add", f"{deployment}/{name}")
    instance = next(i for i in server.cli.json("instance", "list")["items"] if i["name"] == name)
    token = json.loads(server.cli.ok("principal", "add", name, "--role", "developer", "--scope", deployment, "-o", "json"))["token"]
    return Party(server, instance, token)
