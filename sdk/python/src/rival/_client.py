"""The other side of the transport: matches of a game that a process plays (docs/formats/worker.md), rows in the frames."""
from __future__ import annotations

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import weakref
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from .errors import GameError, RivalError
from .spec import Layout, Spec

_VERSION = 1
_MAGIC = b"RIVALWRK"
_HELLO, _WELCOME, _OPEN, _OPENED, _TURN, _TURNED, _ASK, _TOLD, _ERROR, _CLOSE = range(1, 11)
_TEXT, _SEAT_TEXT, _ACTION_TEXT, _STAGE, _SCENE, _OBSERVE_SEAT = range(1, 7)
_HEADER = struct.Struct("<II")
_START_SECONDS = 60.0
_ANSWER_SECONDS = 60.0


class Client:
    """Matches of a game of Rival's in a process of their own, which ends with this object or this process. A game in
    Python is played by the same virtual environment as this.

    After start() and step() the arrays say what the rows are now: observations [rows, observation_size], masks [rows,
    mask_size], seats [rows] (-1: idle), rewards [matches, seats], results [matches, teams], status [matches], playing
    [matches], a bit per seat.
    """

    observations: np.ndarray
    masks: np.ndarray
    seats: np.ndarray
    rewards: np.ndarray
    results: np.ndarray
    status: np.ndarray
    playing: np.ndarray

    def __init__(self, game: str, matches: int = 1, program: Optional[str] = None) -> None:
        self.game, self.matches = game, matches
        self._folder = tempfile.mkdtemp(prefix="rival-")
        path = os.path.join(self._folder, "socket")
        self._log = os.path.join(self._folder, "log")
        try:
            with open(self._log, "wb") as log:
                self._process = subprocess.Popen(
                    [find_program(program), "worker", game, "--listen", "unix:" + path],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    env={"VIRTUAL_ENV": sys.prefix, **os.environ} if sys.prefix != sys.base_prefix else None,
                    preexec_fn=_end_with_parent if sys.platform == "linux" else None,
                )
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise RivalError(f"the program '{find_program(program)}' cannot be started: {error.strerror}") from error
        self._end = weakref.finalize(self, _clean_up, self._process, self._folder)
        self._socket = self._connect(path)
        self._end.detach()
        self._end = weakref.finalize(self, _clean_up, self._process, self._folder, self._socket)
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def start(
        self, matches: Sequence[int], keys: Sequence[int], parameters: Sequence[float], picks: Sequence[int]
    ) -> None:
        payload = struct.pack("<II", 0, len(matches)) + np.asarray(keys, np.uint64).tobytes()
        payload += np.asarray(matches, np.int32).tobytes()
        payload += np.asarray(parameters, np.float32).tobytes() + np.asarray(picks, np.int32).tobytes()
        self._turn(payload)

    def step(self, choices: np.ndarray, values: np.ndarray) -> None:
        payload = struct.pack("<II", 1, 0) + np.ascontiguousarray(choices, np.int32).tobytes()
        self._turn(payload + np.ascontiguousarray(values, np.float32).tobytes())

    def observe_seat(self, match: int, seat: int) -> np.ndarray:
        """What a seat sees of a match that runs or was truncated."""
        return np.frombuffer(self._ask(_OBSERVE_SEAT, match, seat), np.float32, self.layout.observation_size)

    def text(self, match: int) -> str:
        return self._ask(_TEXT, match).decode("utf-8", "replace")

    def seat_text(self, match: int, seat: int) -> str:
        return self._ask(_SEAT_TEXT, match, seat).decode("utf-8", "replace")

    def action_text(self, match: int, seat: int, choice: int) -> str:
        return self._ask(_ACTION_TEXT, match, seat, choice).decode("utf-8", "replace")

    def close(self) -> None:
        self._end()

    # ---- frames ----

    def _connect(self, path: str) -> socket.socket:
        until = time.monotonic() + _START_SECONDS
        while True:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(_ANSWER_SECONDS)
            try:
                connection.connect(path)
                return connection
            except OSError:
                connection.close()
            ended = self._process.poll() is not None
            if ended or time.monotonic() > until:
                why = self._last_words() or ("it ended" if ended else f"it does not listen after {_START_SECONDS:.0f} s")
                self._end()
                raise RivalError(f"`rival worker {self.game}`: {why}")
            time.sleep(0.002)

    def _greet(self) -> None:
        token = json.dumps({"program": "rival for Python", "token": os.environ.get("RIVAL_TOKEN", "")})
        self._send(_HELLO, _MAGIC + struct.pack("<I", _VERSION) + token.encode())
        greeting = self._receive(_WELCOME)
        (version,) = struct.unpack_from("<I", greeting, 8)
        if greeting[:8] != _MAGIC or version != _VERSION:
            raise RivalError(f"`rival worker` speaks version {version} of the protocol, this package version {_VERSION}")
        welcome = json.loads(greeting[12:].decode())
        self.spec = Spec.from_json(welcome["spec"])
        self.has: Dict[str, bool] = welcome.get("has", {})
        self.layout = Layout(self.spec)
        self.rows = self.matches * self.spec.rows_per_match
        self._arrays: List[Tuple[str, Any, Tuple[int, ...]]] = [
            ("playing", np.uint64, (self.matches,)),
            ("observations", np.float32, (self.rows, self.layout.observation_size)),
            ("rewards", np.float32, (self.matches, self.spec.seats)),
            ("results", np.float32, (self.matches, self.spec.team_count)),
            ("masks", np.uint8, (self.rows, self.layout.mask_size)),
            ("seats", np.int8, (self.rows,)),
            ("status", np.uint8, (self.matches,)),
        ]
        self._send(_OPEN, struct.pack("<QI", 0, self.matches))
        self._receive(_OPENED)

    def _turn(self, payload: bytes) -> None:
        self._send(_TURN, payload)
        rows, at = self._receive(_TURNED), 0
        for name, kind, shape in self._arrays:
            count = int(np.prod(shape))
            array = np.frombuffer(rows, kind, count, at).reshape(shape)
            at += array.nbytes
            setattr(self, name, array)

    def _ask(self, question: int, match: int, seat: int = 0, value: int = 0) -> bytes:
        self._send(_ASK, struct.pack("<IiiiiQ", question, match, seat, value, 0, 0))
        return self._receive(_TOLD)

    def _send(self, kind: int, payload: bytes) -> None:
        try:
            self._socket.sendall(_HEADER.pack(kind, len(payload)) + payload)
        except OSError:
            self._lost()

    def _receive(self, wanted: int) -> bytes:
        kind, size = _HEADER.unpack(self._exactly(_HEADER.size))
        payload = self._exactly(size)
        if kind == _ERROR:
            match, step, seat = struct.unpack_from("<iii", payload)
            raise GameError(f"game '{self.game}'", payload[12:].decode("utf-8", "replace"), match, step, seat)
        if kind != wanted:
            raise RivalError(f"`rival worker {self.game}` sent a frame of kind {kind} where {wanted} was to come")
        return payload

    def _exactly(self, size: int) -> bytes:
        pieces = []
        while size:
            try:
                piece = self._socket.recv(min(size, 1 << 20))
            except OSError:
                piece = b""
            if not piece:
                self._lost()
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _lost(self) -> None:
        raise RivalError(f"`rival worker {self.game}` is gone: {self._last_words() or 'it closed the connection'}")

    def _last_words(self) -> str:
        try:
            with open(self._log, encoding="utf-8", errors="replace") as file:
                return " ".join(file.read().split())[-2000:]
        except OSError:
            return ""


def find_program(program: Optional[str] = None) -> str:
    """The program `rival`: the one named, that of RIVAL_PROGRAM, or the one on the PATH."""
    found = program or os.environ.get("RIVAL_PROGRAM") or shutil.which("rival")
    if not found:
        raise RivalError(
            "the program `rival` is not on the PATH; `make build` makes it as build/rival, and program= or RIVAL_PROGRAM names it"
        )
    return found


def _clean_up(process: Any, folder: str, connection: Optional[socket.socket] = None) -> None:
    if connection is not None:
        connection.close()
    process.kill()
    process.stdin.close()
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _end_with_parent() -> None:
    """In the new process: its standard input is a pipe from this one, and that this end of it is gone, in whatever way,
    is a signal that ends it."""
    import fcntl

    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
