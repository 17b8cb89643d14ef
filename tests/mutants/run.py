"""Puts each deliberate fault of mutants.py into a copy of the tree, builds what it needs, and asks who notices.

A fault is caught by the first that goes red: the unit tests of its noun, the other unit tests of the engine, the model checker's small
worlds, the programs the mutant names, the simulator.  One that nobody notices, or that no longer applies, makes the run fail."""

import argparse
import concurrent.futures
import filecmp
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import time

from mutants import MUTANTS

TOP = pathlib.Path(__file__).resolve().parents[2]
HOME = TOP / "build-mutants"
PLAIN = HOME / "plain"  # the tree as it was when the run began: it may be edited meanwhile
TIMEOUT = 120  # a fault may make a program go round for ever: caught, too
SIM = ["--seeds", "1..4", "--nodes", "5..8"]
SERVICE_CORE = ("observe", "session", "desired", "csr", "acts", "member", "verb")  # the short ones
NOT_NEEDED = ("docs/", "fuzz/corpus/")


class Trouble(Exception):
    pass


def run(argv, **more):
    return subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **more)


def must(argv, what):
    done = run(argv)
    if done.returncode:
        raise Trouble(f"{what}:\n" + "\n".join(done.stdout.splitlines()[-30:]))


def known_to_git():
    names = run(["git", "-C", TOP, "ls-files", "-co", "--exclude-standard"]).stdout.split("\n")
    return [n for n in names if n and not n.startswith(NOT_NEEDED) and (TOP / n).is_file()]


def copy_tree(source, to, names):
    """Only what differs is copied, so that a build goes on from where it was."""
    for name in names:
        there = to / name
        if not there.exists() or not filecmp.cmp(source / name, there, shallow=False):
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, there)
    for old in list(to.glob("src/**/*")) + list(to.glob("tests/unit/**/*")):
        if old.is_file() and str(old.relative_to(to)) not in names:
            old.unlink()


class Tree:
    """A copy of the tree with a build of its own."""

    def __init__(self, number, names):
        self.top = HOME / str(number)
        self.build = self.top / "build"
        copy_tree(PLAIN, self.top, names)
        if not (self.build / "build.ninja").exists():
            must(["meson", "setup", self.build, self.top, "-Dbuildtype=debug", "-Doptimization=1", "-Dwerror=false"], "meson")

    def make(self, *targets):
        must(["ninja", "-C", self.build, *targets], "does not compile")

    def swap(self, mutant):
        path = self.top / mutant.file
        text = (PLAIN / mutant.file).read_text()
        for old, new in ((mutant.old, mutant.new), *mutant.more):
            if text.count(old) != 1:
                raise Trouble(f"does not apply: the text is there {text.count(old)} times in {mutant.file}: {old!r}")
            text = text.replace(old, new)
        path.write_text(text)

    def restore(self, mutant):
        shutil.copy(PLAIN / mutant.file, self.top / mutant.file)


# -- who is asked ---------------------------------------------------------------------------------------------------------


def unit(floor, noun):
    return (f"unit test {floor}/{noun}", f"tests/unit/{floor}/test_{floor}_{noun}", [])


def has_test(floor, noun):
    return (PLAIN / f"tests/unit/{floor}/test_{noun}.c").exists()


def others(floor, noun, prefix=""):
    names = sorted(p.stem[5:] for p in (PLAIN / f"tests/unit/{floor}").glob(f"test_{prefix}*.c"))
    return [unit(floor, n) for n in names if n not in (noun, "property")]


def who(mutant):
    """(name, target, arguments), in the order in which they are asked."""
    floor, noun = mutant.file.split("/")[1], pathlib.Path(mutant.file).stem
    asked = [unit(floor, noun)] if has_test(floor, noun) else []
    if floor == "engine":
        asked += others("engine", noun) + [unit("engine", "property")]
        asked += [(f"model checker, world {w}", "modelcheck/modelcheck", ["--world", w]) for w in ("small", "small-members")]
    elif floor == "agent":
        asked += others("agent", noun, "core")
    elif floor == "service":
        asked += [unit("service", n) for n in SERVICE_CORE if n != noun]
    asked += [("unit test " + a.replace(f"/test_{floor}_", "/"), "tests/unit/" + a, []) for a in mutant.after]
    asked += [("simulator", "sim/sim", SIM)]
    if floor != "engine":
        asked += [unit("service", "runner")]
    return asked


FAILED = re.compile(r"^\[  FAILED  \] (\w+)$|VIOLATION:? (.{1,80})|(?:CHECK|assertion) .*?failed|runtime error: (.{1,80})", re.M)


def first_word(output):
    m = FAILED.search(output)
    return (m.group(1) or m.group(2) or m.group(3) or m.group(0)) if m else ""


def ask(tree, name, target, arguments):
    """None: content.  Else how it says no."""
    tree.make(target)
    try:
        done = run([tree.build / target, *arguments], timeout=TIMEOUT, cwd=tree.top, env={**os.environ, "TROTH_SEEDS": "300"})
    except subprocess.TimeoutExpired:
        return f"{name}: does not end"
    if done.returncode == 0:
        return None
    word = first_word(done.stdout) or f"ended with {done.returncode}"
    return f"{name}: {word}"


def baseline(tree):
    """Who is red without any fault proves nothing."""
    seen = set()
    for mutant in MUTANTS:
        for name, target, arguments in who(mutant):
            if (target, *arguments) in seen:
                continue
            seen.add((target, *arguments))
            no = ask(tree, name, target, arguments)
            if no:
                raise Trouble(f"without any fault, {no}")


def try_mutant(tree, mutant):
    tree.swap(mutant)
    try:
        for name, target, arguments in who(mutant):
            caught = ask(tree, name, target, arguments)
            if caught:
                return caught
        return None
    finally:
        tree.restore(mutant)


# -- all of them ------------------------------------------------------------------------------------------------------------


def one(trees, mutant):
    tree, start = trees.get(), time.monotonic()
    try:
        caught = try_mutant(tree, mutant)
        ok, words = caught is not None, caught or "NOT CAUGHT by anything"
    except Trouble as trouble:
        ok, words = False, f"ERROR {trouble}"
    finally:
        trees.put(tree)
    print(f"{mutant.name:28} {mutant.says}\n{'':28} -> {words} ({time.monotonic() - start:.0f} s)", flush=True)
    return ok


def main():
    parser = argparse.ArgumentParser(prog="scripts/mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these")
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-baseline", action="store_true", help="do not run the tests without a fault first")
    options = parser.parse_args()
    chosen = [m for m in MUTANTS if not options.names or m.name in options.names]
    unknown = set(options.names) - {m.name for m in MUTANTS}
    if unknown:
        sys.exit(f"scripts/mutants: not known: {', '.join(sorted(unknown))}")
    if options.list:
        for m in chosen:
            print(f"{m.name:28} {m.says}")
        return 0
    start, trees = time.monotonic(), queue.Queue()
    names = known_to_git()
    copy_tree(TOP, PLAIN, names)
    for number in range(options.jobs):
        trees.put(Tree(number + 1, names))
    if not options.no_baseline:
        tree = trees.get()
        baseline(tree)
        trees.put(tree)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        caught = list(pool.map(lambda m: one(trees, m), chosen))
    print(f"{len(chosen)} mutants, {sum(caught)} caught, {len(chosen) - sum(caught)} not, {time.monotonic() - start:.0f} s")
    return 0 if all(caught) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Trouble as trouble:
        sys.exit(f"scripts/mutants: {trouble}")
