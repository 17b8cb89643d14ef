"""Every example that --help and the manual pages show, run in one world: a `troth dev`, a node pg-1, and files of the names
that the examples use.

The examples come from the manual pages, so from the table that everything else is made of.  STORY says in which order they
are run and what must be so before; a command that is not in it fails the last test.  What cannot be as it is written is replaced:
places in /etc, a date, an id, a number of pairs."""

import datetime
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from fleet import TOP, until

OPENSSL = """
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 900 -subj "/CN=Corporate" -keyout root.key -out root.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 900 -subj "/CN=Other root" -keyout other.key -out other.pem
for n in app lb; do
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$n" -keyout $n.key -out $n.csr
done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj "/CN=Somebody else" -keyout chain.key -out chain.pem
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=web" -keyout web.key -out web.csr
printf 'subjectAltName=DNS:web-1.example\\nextendedKeyUsage=serverAuth\\nbasicConstraints=critical,CA:FALSE\\nkeyUsage=critical,digitalSignature\\n' >ext
openssl x509 -req -in web.csr -CA chain.pem -CAkey chain.key -days 60 -extfile ext -out web.pem
cp web.key troth.key && cp web.pem troth.pem
"""


class World:
    def __init__(self, build, base):
        self.build, self.dir, self.ran, self.agent = build, base, [], None

    def __enter__(self):
        self.dev = subprocess.Popen([str(self.build / "troth"), "dev", "--dir", str(self.dir / "dev")], stdout=subprocess.PIPE,
                                    stderr=open(self.dir / "dev.log", "w"), text=True)
        self.said = json.loads(self.dev.stdout.readline())
        shutil.copy(self.said["ca_file"], self.dir / "ca.pem")
        (self.dir / "token").write_text(self.said["token"] + "\n")
        (self.dir / "man1").mkdir()
        self.profiles()
        self.env = {**os.environ, "PATH": f"{self.build}:{os.environ['PATH']}", "TROTH_DIR": self.said["data_dir"], "TOKEN": self.said["token"],
                    "SERVER": self.said["url"], "XDG_CONFIG_HOME": str(self.dir / "config"), "TROTH_PROFILES": str(self.dir / "profiles")}
        self.sh(OPENSSL)
        return self

    def profiles(self):
        """The node's: a reload that says that it worked is proof enough, for no service runs here that could say what it has loaded."""
        shutil.copytree(TOP / "profiles", self.dir / "profiles")
        path = self.dir / "profiles/pem-files.yaml"
        path.write_text(path.read_text().replace("store: attest", "store: reload"))
        (self.dir / "mail.yaml").write_text((TOP / "profiles/nginx.yaml").read_text().replace("name: nginx", "name: mail"))
        (self.dir / "settings.yaml").write_text("targets: {tls: {port: 9443}}\n")

    def sh(self, text, codes=(0,)):
        r = subprocess.run(["bash", "-c", text], cwd=self.dir, env=self.env, capture_output=True, text=True, timeout=60)
        assert r.returncode in codes, f"exit {r.returncode}: {text}\n{r.stdout}{r.stderr}"
        return r.stdout

    def json(self, command):
        return json.loads(self.sh(f"troth {command} -o json"))

    def join(self):
        pin = self.sh("openssl x509 -in ca.pem -noout -fingerprint -sha256").split("=")[1].strip().replace(":", "").lower()
        token = self.json("token create --deployment pg --instance pg-1")["token"]
        self.sh(f"echo {token} | troth agent enroll --server $SERVER --ca-fingerprint {pin} --token-file - --dir {self.dir}/agent")
        settings = self.dir / "agent.yaml"
        settings.write_text(f"all: {{root: {self.dir}/tls, drain: '0', command: /bin/true}}\ntargets: {{server: {{port: 1}}}}\n")
        self.agent = subprocess.Popen([str(self.build / "troth"), "agent", "run", "--dir", str(self.dir / "agent"), "--profiles",
                                       str(self.dir / "profiles"), "--settings", str(settings)], stdout=subprocess.DEVNULL,
                                      stderr=open(self.dir / "agent.log", "w"), start_new_session=True)
        self.settled()

    def settled(self):
        def it_is():
            targets = self.json("target list --instance pg-1")["items"]
            return targets and all(t["state"] == "counted" and t["loaded"]["generation"] == t["wanted"]["generation"] > 0 for t in targets)
        try:
            until("pg-1 to have it all", it_is, 20)
        except AssertionError as e:
            raise AssertionError(self.sh("troth explain; troth diff", (0, 1)) + (self.dir / "agent.log").read_text()) from e

    def stage(self, word):
        until(f"the rotation to {word}", lambda: word in self.sh("troth explain /prod/pg/ca"))

    def __exit__(self, *exc):
        if self.agent:
            os.killpg(self.agent.pid, signal.SIGTERM)
            self.agent.wait(20)
        self.dev.terminate()
        self.dev.wait(20)


def troth(*commands):
    """What must be so before the next example."""
    return lambda w: [w.sh(f"troth {c}") for c in commands]


STORY = (
    "authority create", "authority list", "authority show", "authority set", "authority csr", "authority certify", "authority import",
    "bundle create", "bundle list", "bundle show", "bundle remove", troth("bundle remove /prod/pg/trust corporate"), "bundle add",
    "deployment create", "deployment list", "deployment show", "token create", "token list", "token revoke",
    World.join, "instance list", "instance show", "target list", "target show", "target retry", "topology", "diff", "search", "expiring",
    "credential list", "credential show", "credential set", "credential export", "credential renew", World.settled, "credential create",
    troth("credential create /prod/lb --authority /prod/pg/ca --san dns:lb.example --csr-file lb.csr"), "credential attest",
    troth("authority create /prod/web/ca", "bundle create /prod/web/trust --authority /prod/web/ca",
          "credential create /prod/web/web-1/server --authority /prod/web/ca --san web-1.example"), "credential upload",
    troth("deployment create app --store name=trust,profile=pem-files,bundle=/prod/pg/trust"), "link list", "link remove", troth("link remove pg/server app/trust"), "link add",
    lambda w: w.sh("openssl req -new -key lb.key -subj /CN=lb -out lb.csr && troth credential attest /prod/lb --replaced gone && "
                   "troth credential attest /prod/app/client --replaced gone"),
    "rotate:0", "rotate:1", "rotation list", "rotation show", "rotation watch", "forecast", "explain",
    "maestro topology", "maestro list", "maestro regenerate:0", "maestro update-transitional:0", "maestro regenerate:1", World.settled,
    "maestro update-transitional:1", troth("rotation watch /prod/pg/ca"), "maestro garbage-collect",
    "authority policy", troth("rotate /prod/pg/ca --no-wait"), "rotation pause", "rotation resume", "rotation abort",
    lambda w: w.stage("approve"), "rotation approve:0", troth("rotation approve /prod/pg/ca --step introduce"),
    lambda w: w.stage("switch"), "rotation approve:1",
    troth("authority policy /prod/pg/ca --rollout automatic", "rotation watch /prod/pg/ca"), "rotate:2",
    "binding create", "binding list", "binding show", "binding fetch", "binding attest", "binding waive", "binding delete",
    troth("bundle create /pg/trust --authority /prod/pg/ca",
          "deployment create edge --external --slot name=tls,authority=/prod/pg/ca,credential=/pg/{instance}/tls,san={instance}.example",
          "instance add edge/edge-2"), lambda w: shutil.copy(w.dir / "lb.csr", w.dir / "edge-1.csr"),
    "instance add", "instance wanted", "instance report", "instance csr", "recover list", "recover approve:0", "recover approve:1", "recover deny",
    "freeze", "thaw", "server-certificate set", "server-certificate show", "server-certificate unset", "events", "webhook add", "webhook list", "webhook show", "webhook test", "webhook enable", "webhook remove", "audit list", "audit verify", "health", "version",
    "principal add", "principal list", "principal show", "principal rotate", "principal unlock", "principal revoke",
    "context add", "context list", "context show", "context use", "context remove", "profile list", "profile show", "profile check",
    "completion", "man", "deployment policy", "waive", World.settled, "instance delete", "deployment delete",
)
# Exit codes that are answers too: something is found, the time is over, it is not late enough, nobody's identity has expired.
CODES = {"expiring": (0, 1), "diff": (0, 1), "events": (124,), "binding waive": (1, 3), "recover approve:0": (4,), "recover deny": (4,), "webhook test": (1,)}
LATER = (datetime.date.today() + datetime.timedelta(days=200)).isoformat()


def in_this_world(world, text):
    changes = (("/etc/bash_completion.d/troth", "completion"), ("/usr/local/share/man/man1", "man1"), ("/var/lib/troth/server", world.said["data_dir"]),
               ("/corp/root --certificate-file root.pem", "/corp/root --certificate-file other.pem"), ("2027-06-01", LATER), ("hooks.example.org", "127.0.0.1:1"), ("troth events --follow", "timeout 0.5 troth events --follow"),
               ("instance csr edge-1", "instance csr edge-2"), ("$ID", "$(troth binding show /prod/shop -o json | grep -oPm1 '\"id\": \"\\K[^\"]+')"),
               ("6e0c51aa-3a0e-4f2a-9d0b-5d1f3c5a7e10", "$(troth token list -o json | grep -oPm1 '\"id\": \"\\K[^\"]+')"),
               ("--yes-break 12", "--yes-break $(troth rotate /prod/pg/ca --compromised --dry-run -o json | grep -oPm1 '\"breaks\": \\K\\d+')"))
    for old, new in changes:
        text = text.replace(old, new)
    return reported(world, text) if '"3f9a..."' in text else text


def reported(world, text):
    """What edge-1 shall hold, in place of the example's numbers."""
    trust = world.json("instance wanted edge-1")["targets"][0]
    return text.replace('"3f9a..."', ", ".join(f'"{f}"' for f in trust["fingerprints"])).replace('"generation": 2', f'"generation": {trust["generation"]}')


def examples_of(page):
    """What stands under EXAMPLES of one manual page."""
    text = page.read_text().split(".SH EXAMPLES\n.nf\n")
    if len(text) < 2:
        return None
    return text[1].split("\n.fi")[0].replace("\\-", "-").replace("\\e", "\\").replace("\\&", "")


def lines_of(text):
    """Its commands; a backslash carries one on to the next line."""
    return re.split(r"(?<!\\)\n", text)


def all_examples(build, where):
    subprocess.run([str(build / "troth"), "man", "--into", str(where)], check=True, timeout=30)
    pages = {p: examples_of(p) for p in where.glob("troth-*.1")}
    return {re.search(r"^troth ([a-z-]+( [a-z-]+)?)", re.sub(r"\\-", "-", p.read_text().split(".B ")[1]))[0].split(" [")[0].removeprefix("troth "): e
            for p, e in pages.items() if e}


@pytest.fixture(scope="module")
def examples(build, tmp_path_factory):
    return all_examples(build, tmp_path_factory.mktemp("man"))


@pytest.mark.release_only # a hundred starts of the program; its parts are sanitized elsewhere
def test_every_example_runs(build, examples, tmp_path):
    with World(build, tmp_path) as world:
        for step in STORY:
            if callable(step):
                step(world)
                continue
            name, _, number = step.partition(":")
            text = lines_of(examples[name])[int(number)] if number else examples[name]
            world.sh("set -e\n" + in_this_world(world, text), CODES.get(step, (0,)))


def test_the_story_has_every_command(examples):
    told = {step.partition(":")[0] for step in STORY if isinstance(step, str)}
    assert set(examples) == told, f"not run: {set(examples) - told}; not there: {told - set(examples)}"
    for name in examples:
        numbers = [int(s.partition(":")[2]) for s in STORY if isinstance(s, str) and s.startswith(name + ":")]
        assert not numbers or sorted(numbers) == list(range(len(lines_of(examples[name])))), name
