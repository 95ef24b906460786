"""The Python of docs/ runs: the blocks of a page one after another, in one folder.

A block right after `<!-- file NAME -->` becomes that file; other blocks of Python run by themselves, and blocks of sh after
`<!-- python run -->` with the program and this Python. `<!-- needs PACKAGE... -->` before that says what must be installed.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import helpers

_ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))


def blocks(path):
    """(line, language, marks, text) of each block of code."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    marks, inside = [], None
    for number, line in enumerate(lines, 1):
        mark = re.fullmatch(r"<!-- (.*) -->", line)
        if line.startswith("```"):
            if inside is None:
                inside = (number, line[3:], marks, [])
            else:
                yield inside[:3] + ("\n".join(inside[3]) + "\n",)
                inside = None
            marks = []
        elif inside is not None:
            inside[3].append(line)
        elif mark:
            marks.append(mark.group(1))
        elif line:
            marks = []


class Pages(unittest.TestCase):
    def page(self, name):
        path = os.path.join(_ROOT, "docs", name)
        program = os.environ.get("RIVAL_PROGRAM")
        if not program:
            self.skipTest("RIVAL_PROGRAM does not name the program; ctest does")
        environment = {
            **os.environ,
            "PATH": os.path.dirname(program) + os.pathsep + os.environ["PATH"],
            "PYTHONPATH": os.path.join(_ROOT, "sdk/python/src"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if sys.prefix != sys.base_prefix:
            environment["VIRTUAL_ENV"] = sys.prefix
        ran = 0
        with tempfile.TemporaryDirectory() as folder:
            for line, language, marks, text in blocks(path):
                needs = [p for m in marks if m.startswith("needs ") for p in m.split()[1:]]
                helpers.need(*needs)
                named = [m[5:] for m in marks if m.startswith("file ")]
                if named:
                    with open(os.path.join(folder, named[0]), "w") as file:
                        file.write(text)
                    game = re.search(r"class (\w+)\(rival.Game\)", text)
                    command = [sys.executable, "-c", f"import rival; rival.check_batch('{named[0]}:{game.group(1)}')"]
                elif language == "python":
                    command = [sys.executable, "-c", text]
                elif language == "sh" and "python run" in marks:
                    command = ["sh", "-ec", text]
                else:
                    continue
                done = subprocess.run(
                    command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=200
                )
                self.assertEqual(done.returncode, 0, f"{name}:{line}:\n{done.stdout.decode(errors='replace')[-3000:]}")
                ran += 1
        return ran

    def test_python(self):
        self.assertEqual(self.page("python.md"), 6)

    def test_environments(self):
        self.assertEqual(self.page("environments.md"), 3)


class Package(unittest.TestCase):
    def test_a_wheel_holds_all_of_it(self):
        helpers.need("setuptools", "wheel")
        with tempfile.TemporaryDirectory() as folder:
            # A copy: a build leaves things behind.
            shutil.copytree(os.path.join(_ROOT, "sdk/python"), folder + "/copy", ignore=shutil.ignore_patterns("build", "*.egg-info"))
            pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
            for arguments in (
                ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, folder + "/copy"],
                ["install", "--no-deps", "--no-index", "--target", folder + "/installed", "--find-links", folder, "rival"],
            ):
                done = subprocess.run(pip + arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                self.assertEqual(done.returncode, 0, done.stdout.decode(errors="replace"))
            installed, source = (
                sorted(
                    os.path.relpath(os.path.join(at, name), top)
                    for at, _, names in os.walk(top)
                    for name in names
                    if name.endswith((".py", "py.typed"))
                )
                for top in (folder + "/installed/rival", os.path.join(_ROOT, "sdk/python/src/rival"))
            )
            self.assertEqual(installed, source)

    def test_it_is_python_3_9(self):
        import ast

        files = 0
        for folder, _, names in os.walk(os.path.join(_ROOT, "sdk/python/src")):
            for name in names:
                if name.endswith(".py"):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        text = file.read()
                    ast.parse(text, feature_version=(3, 9))
                    self.assertIn("from __future__ import annotations" if "->" in text else "", text, name)
                    files += 1
        self.assertGreater(files, 10)


if __name__ == "__main__":
    unittest.main()
