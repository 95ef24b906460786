"""What the tests share."""
import importlib
import os
import sys
import unittest
import warnings

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(_HERE), "src"))
os.environ.setdefault("MUJOCO_GL", "disable")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
warnings.filterwarnings("ignore", category=DeprecationWarning)


def need(*packages):
    """Skips the test, by name, where a package is missing."""
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise unittest.SkipTest(f"the Python package {package} is missing ({error}); `make test` installs it") from None
