"""The programs that people have: what scripts/clients built, or what is in PATH; and a shell to type them in."""

import os
import pathlib
import shutil
import subprocess

import pytest

PATH = f"{pathlib.Path(__file__).resolve().parents[2] / 'build-clients'}:{os.environ['PATH']}"


def real(name):
    """Of a test file: it wants the program itself; and what its requests do to C memory, curl's do elsewhere."""
    return [pytest.mark.release_only, pytest.mark.skipif(not shutil.which(name, path=PATH), reason=f"{name} is not here: scripts/clients says why")]


class Shell:
    def __init__(self, program, home, *first):
        self.program, self.first = shutil.which(program, path=PATH), [str(f) for f in first]
        self.env = {"HOME": str(home), "PATH": "/usr/bin:/bin"}

    def run(self, *args):
        return subprocess.run([self.program, *self.first, *map(str, args)], env=self.env, capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)

    def __call__(self, *args):
        r = self.run(*args)
        assert r.returncode == 0, r.stdout + r.stderr
        return r.stdout

    def refused(self, *args):
        r = self.run(*args)
        assert r.returncode, r.stdout
        return r.stdout + r.stderr
