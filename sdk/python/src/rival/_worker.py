"""The transport between Rival and games in Python: frames over sockets, rows in shared memory (docs/formats/worker.md).

One thread serves all that connect, each with a batch of its own (rival.batch). Arrays are views onto the memory that
Rival has made, so that a batch writes its rows where they are read.
"""
from __future__ import annotations

import hmac
import json
import mmap
import os
import select
import socket
import struct
import sys
import traceback
from typing import Any, Callable, Dict, Optional, Tuple

import numpy as np

VERSION = 1
MAGIC = b"RIVALWRK"
HELLO, WELCOME, OPEN, OPENED, TURN, TURNED, ASK, TOLD, ERROR, CLOSE = range(1, 11)
TEXT, SEAT_TEXT, ACTION_TEXT, STAGE, SCENE, OBSERVE_SEAT, COPY = range(1, 8)
HEADER = struct.Struct("<II")
LARGEST = 1 << 30
ABILITIES = ("result", "legal", "playing", "text", "seat_text", "action_text", "scene", "copy")


class Refused(Exception):
    """What has been asked makes no sense."""


class _Rows:
    """The arrays of a batch, in one block of actions and one of rows."""

    def __init__(self, spec: Any, matches: int, memory: Optional[memoryview]) -> None:
        rows = matches * (spec.seats if spec.simultaneous else 1)
        choices = [part for part in spec.action if part.kind != "continuous"]
        sizes = {
            "choices": (rows, len(choices)),
            "values": (rows, sum(part.size for part in spec.action if part.kind == "continuous")),
        }
        self.actions_size = 4 * sum(a * b for a, b in sizes.values())
        first = (self.actions_size + 63) // 64 * 64
        teams = 1 + max(spec.team_of(seat) for seat in range(spec.seats))
        observation = sum(part.channels * part.height * part.width for part in spec.observation)
        arrays = [
            ("playing", np.uint64, (matches,)),
            ("observations", np.float32, (rows, observation)),
            ("rewards", np.float32, (matches, spec.seats)),
            ("results", np.float32, (matches, teams)),
            ("masks", np.uint8, (rows, sum(part.size for part in choices))),
            ("seats", np.int8, (rows,)),
            ("status", np.uint8, (matches,)),
        ]
        self.rows_size = sum(int(np.prod(shape)) * np.dtype(kind).itemsize for _, kind, shape in arrays)
        self.size = first + self.rows_size
        if memory is None:
            memory = memoryview(bytearray(self.size))
        elif len(memory) < self.size:
            raise Refused(f"shared memory of {len(memory)} bytes; {self.size} are needed")
        self.memory, self.block = memory, memory[first : self.size]
        self.arrays: Dict[str, np.ndarray] = {}
        at = 0
        for name, kind, shape in [("choices", np.int32, sizes["choices"]), ("values", np.float32, sizes["values"])]:
            self.arrays[name] = np.ndarray(shape, kind, memory, at)
            at += self.arrays[name].nbytes
        at = first
        for name, kind, shape in arrays:
            self.arrays[name] = np.ndarray(shape, kind, memory, at)
            at += self.arrays[name].nbytes


class _Guest:
    """One that has connected."""

    def __init__(self, connection: socket.socket, server: "_Server", number: int) -> None:
        connection.setblocking(False)
        self.connection, self.server, self.number = connection, server, number
        self.read = bytearray()
        self.files: list = []
        self.batch: Any = None
        self.greeted = False
        self.rows: Optional[_Rows] = None
        self.inline = False

    # ---- frames ----

    def serve(self) -> bool:
        """Does what has been asked by now. False: it is done with."""
        try:
            if self.batch is None:
                data, files = self._receive_with_files()
                self.files += files
            else:
                data = self.connection.recv(1 << 16)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        if not data:
            return False
        if not self.read and len(data) >= 8:  # as it usually is: one whole frame
            kind, size = HEADER.unpack_from(data)
            if len(data) == 8 + size:
                return self._hear(kind, memoryview(data)[8:])
        self.read += data
        while len(self.read) >= 8:
            kind, size = HEADER.unpack_from(self.read)
            if size > LARGEST:
                return False
            if len(self.read) < 8 + size:
                return True
            payload = bytes(memoryview(self.read)[8 : 8 + size])
            del self.read[: 8 + size]
            if not self._hear(kind, memoryview(payload)):
                return False
        return True

    def _receive_with_files(self) -> Tuple[bytes, list]:
        data, extra, _, _ = self.connection.recvmsg(1 << 16, socket.CMSG_SPACE(4))
        files = []
        for level, kind, content in extra:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                files += [number for (number,) in struct.iter_unpack("=i", content[: len(content) // 4 * 4])]
        return data, files

    def send(self, kind: int, payload: Any = b"") -> None:
        header = HEADER.pack(kind, len(payload))
        data = memoryview(header + bytes(payload) if len(payload) else header)
        while data:
            try:
                data = data[self.connection.send(data) :]
            except (BlockingIOError, InterruptedError):
                select.select([], [self.connection], [])
            except OSError:
                return  # gone: reading tells

    def refuse(self, what: str, match: int = -1, step: int = -1, seat: int = -1) -> bool:
        self.send(ERROR, struct.pack("<iii", match, step, seat) + what.encode("utf-8", "replace")[: 1 << 16])
        return False

    def _hear(self, kind: int, payload: memoryview) -> bool:
        try:
            if kind == TURN and self.batch is not None:
                self._turn(payload)
            elif kind == ASK and self.batch is not None:
                self._ask(payload)
            elif kind == HELLO and not self.greeted:
                self._hello(payload)
            elif kind == OPEN and self.greeted and self.batch is None:
                self._open(payload)
            elif kind == CLOSE:
                return False
            else:
                raise Refused(f"a frame of kind {kind} was not expected here")
        except Refused as error:
            return self.refuse(str(error))
        except Exception as error:  # of the game's
            traceback.print_exc()
            sys.stderr.flush()
            place = [getattr(error, name, -1) for name in ("match", "step", "seat")]
            place = [number if isinstance(number, int) else -1 for number in place]
            return self.refuse(describe(error), *place)
        return True

    # ---- what is asked ----

    def _hello(self, payload: memoryview) -> None:
        data = bytes(payload)
        if data[:8] != MAGIC or len(data) < 12:
            raise Refused("a greeting that does not begin with 'RIVALWRK'")
        (version,) = struct.unpack_from("<I", data, 8)
        if version != VERSION:
            raise Refused(
                f"Rival speaks version {version} of the protocol, this worker version {VERSION}; "
                "bring the older one up to date"
            )
        try:
            token = str(json.loads(data[12:].decode("utf-8")).get("token", ""))
        except (ValueError, AttributeError):
            raise Refused("a HELLO that is no JSON object") from None
        wanted = self.server.token
        if wanted and not hmac.compare_digest(token.encode(), wanted.encode()):
            if not token:
                raise Refused("it wants a token; set RIVAL_TOKEN to the one that it was started with")
            raise Refused("the token is not the one that it was started with (RIVAL_TOKEN)")
        self.send(WELCOME, MAGIC + struct.pack("<I", VERSION) + self.server.welcome().encode())
        self.greeted = True

    def _open(self, payload: memoryview) -> None:
        if len(payload) != 12:
            raise Refused(f"an OPEN of {len(payload)} bytes")
        size, matches = struct.unpack("<QI", payload)
        if not 1 <= matches <= 1 << 20:
            raise Refused(f"an OPEN of {matches} matches")
        memory = None
        if size:
            if not self.files:
                raise Refused("an OPEN with shared memory, of which no file has come along")
            number = self.files.pop()
            try:
                memory = memoryview(mmap.mmap(number, size))
            except (OSError, ValueError) as error:
                raise Refused(f"shared memory: {error}") from None
            finally:
                os.close(number)
        batch = self.server.make_batch(matches)
        self.has = self.server.abilities(batch)
        self.rows = _Rows(batch.spec, matches, memory)
        self.inline = memory is None
        arrays = self.rows.arrays
        arrays["status"][:] = 2
        arrays["seats"][:] = -1
        arrays["playing"][:] = (1 << batch.spec.seats) - 1
        self.step_arrays = [arrays[name] for name in ("choices", "values", "rewards", "status")]
        self.observe_arrays = [arrays[name] for name in ("observations", "masks", "seats")]
        self.results = arrays["results"] if self.has["result"] else None
        self.batch = batch
        self.send(OPENED, struct.pack("<I", self.number))

    def _turn(self, payload: memoryview) -> None:
        batch, rows = self.batch, self.rows
        flags, count = struct.unpack_from("<II", payload)
        at = 8
        if count:
            spec = batch.spec
            keys = np.frombuffer(payload, np.uint64, count, at)
            at += 8 * count
            matches = np.frombuffer(payload, np.int32, count, at)
            at += 4 * count
            parameters = np.frombuffer(payload, np.float32, len(spec.parameters), at)
            at += 4 * len(spec.parameters)
            picks = np.frombuffer(payload, np.int32, len(spec.choices) * spec.seats, at)
            at += 4 * len(spec.choices) * spec.seats
            if matches.min() < 0 or matches.max() >= len(rows.arrays["status"]):
                raise Refused("a TURN that starts a match that there is not")
        if flags & 1:
            if self.inline:
                if len(payload) - at != rows.actions_size:
                    raise Refused(f"a TURN of {len(payload)} bytes")
                rows.memory[: rows.actions_size] = payload[at:]
            batch.step(*self.step_arrays)
            if self.results is not None:
                batch.results(self.results)
        if count:
            batch.start(matches, parameters, picks, keys)
            status, known = rows.arrays["status"], getattr(batch, "status", None)
            for match in matches.tolist():
                status[match] = 0 if known is None else known[match]
                if self.has["playing"]:
                    rows.arrays["playing"][match] = sum(1 << int(seat) for seat in batch.playing(match))
        batch.observe(*self.observe_arrays)
        self.send(TURNED, rows.block if self.inline else b"")

    def _ask(self, payload: memoryview) -> None:
        question, match, seat, value, keyed, key = struct.unpack("<IiiiiQ", payload)
        batch, arrays = self.batch, self.rows.arrays
        if question == COPY:
            self._copy(match, seat, value, key if keyed else None)
            return
        if not 0 <= match < len(arrays["status"]) or not 0 <= seat < batch.spec.seats:
            raise Refused(f"a question about match {match}, seat {seat}")
        if question == TEXT:
            told = batch.text(match)
        elif question == SEAT_TEXT:
            told = batch.seat_text(match, seat)
        elif question == ACTION_TEXT:
            told = batch.action_text(match, seat, value)
        elif question == STAGE:
            told = batch.stage(match)
        elif question == SCENE:
            told = batch.scene(match)
        elif question == OBSERVE_SEAT:
            observation = np.zeros(arrays["observations"].shape[1], np.float32)
            mask = np.zeros(arrays["masks"].shape[1], np.uint8)
            per_match = len(arrays["seats"]) // len(arrays["status"])
            acts = seat in arrays["seats"][match * per_match : (match + 1) * per_match]
            batch.observe_seat(match, seat, observation, mask if acts else None)
            self.send(TOLD, observation.tobytes() + mask.tobytes())
            return
        else:
            raise Refused(f"an ASK with question {question}, which there is not")
        self.send(TOLD, str(told).encode("utf-8", "replace"))

    def _copy(self, match: int, number: int, into: int, key: Optional[int]) -> None:
        source = next((g for g in self.server.guests.values() if g.number == number and g.batch is not None), None)
        mine = self.rows.arrays["status"]
        theirs = () if source is None else source.rows.arrays["status"]
        if not 0 <= match < len(theirs) or not 0 <= into < len(mine):
            raise Refused("a match to be copied that there is not")
        copied = self.batch.copy(match, into, key, source.batch)
        if copied:
            mine[into] = theirs[match]
        self.send(TOLD, b"\1" if copied else b"\0")

    def close(self) -> None:
        if self.batch is not None:
            try:
                self.batch.close()
            except Exception:
                traceback.print_exc()
        for number in self.files:
            os.close(number)
        self.connection.close()


class _Server:
    def __init__(self, make_batch: Callable[[int], Any], token: str) -> None:
        self.make_batch, self.token = make_batch, token
        self._welcome: Optional[str] = None
        self.guests: Dict[int, _Guest] = {}

    @staticmethod
    def abilities(batch: Any) -> Dict[str, bool]:
        has = dict(getattr(batch, "has", {}))
        return {name: bool(has.get(name, False)) for name in ABILITIES}

    def welcome(self) -> str:
        if self._welcome is None:
            batch = self.make_batch(1)
            program = f"Python {sys.version.split()[0]}, numpy {np.__version__}"
            self._welcome = json.dumps(
                {"program": program, "spec": batch.spec.to_json(), "has": self.abilities(batch)}, default=_plain
            )
            batch.close()
        return self._welcome

    def serve(self, listening: socket.socket) -> None:
        """Serves all that connect, and does not return."""
        listening.setblocking(False)
        guests, number = self.guests, 0
        poll = select.poll()
        poll.register(listening, select.POLLIN)
        while True:
            for file, _ in poll.poll():
                guest = guests.get(file)
                if guest is None:
                    try:
                        connection, _ = listening.accept()
                    except OSError:
                        continue
                    if connection.family in (socket.AF_INET, socket.AF_INET6):
                        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    number += 1
                    guests[connection.fileno()] = _Guest(connection, self, number)
                    poll.register(connection, select.POLLIN)
                elif not guest.serve():
                    poll.unregister(file)
                    del guests[file]
                    guest.close()


def _plain(value: Any) -> Any:
    """Numbers of numpy as those of JSON."""
    return value.item() if hasattr(value, "item") else str(value)


def describe(error: BaseException) -> str:
    """The last line of a traceback, and where in the user's code it came from."""
    where, what = getattr(error, "where", None), getattr(error, "what", None)
    if where is not None and what is not None:
        return f"{where}: {what}"
    text = traceback.format_exception_only(type(error), error)[-1].strip()
    if type(error).__module__.split(".")[0] == "rival":
        return str(error)
    own = os.path.dirname(os.path.abspath(__file__))
    place = None
    for frame in traceback.extract_tb(error.__traceback__):
        if not os.path.abspath(frame.filename).startswith(own + os.sep):
            place = frame
            if "site-packages" in frame.filename:
                break  # theirs: what is deeper says less
    return text if place is None else f"{text} ({place.filename}:{place.lineno})"


def listen(address: str) -> Tuple[socket.socket, bool]:
    """A socket that listens at unix:PATH, tcp:HOST:PORT or fd:NUMBER, and whether only this machine reaches it."""
    kind, _, rest = address.partition(":")
    if kind == "fd":
        return socket.socket(fileno=int(rest)), True
    if kind == "unix":
        if os.path.exists(rest):
            os.unlink(rest)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(rest)
        os.chmod(rest, 0o600)
    elif kind == "tcp":
        host, _, port = rest.rpartition(":")
        host = host.strip("[]")
        listening = socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        return listening, host in ("localhost", "::1") or host.startswith("127.")
    else:
        raise SystemExit(f"rival.worker: '{address}' is no address; write unix:PATH or tcp:HOST:PORT")
    listening.listen()
    return listening, True


def token_from_environment() -> str:
    token = os.environ.pop("RIVAL_TOKEN", "")
    path = os.environ.get("RIVAL_TOKEN_FILE", "")
    if not token and path:
        with open(path, encoding="utf-8") as file:
            token = file.readline().rstrip("\n")
    return token


def serve(make_batch: Callable[[int], Any], address: str, token: str = "") -> None:
    """Plays for all that connect to `address`; `make_batch(matches)` gives a rival.batch.Batch. Does not return."""
    listening, local = listen(address)
    if not local and not token:
        raise SystemExit(
            f"rival.worker: {address} can be reached from other machines: set RIVAL_TOKEN to a secret that whoever "
            "connects must show, or listen at tcp:127.0.0.1:PORT"
        )
    _Server(make_batch, token).serve(listening)


def open_game(name: str) -> Callable[[int], Any]:
    """What makes batches of the game of this name. What is wrong with it is said to whoever connects."""
    found: list = []

    def make_batch(matches: int) -> Any:
        if not found:
            from .sources import open_source

            found.append(open_source(name))
        return found[0].make_batch(matches)

    return make_batch


def main() -> None:
    words = sys.argv[1:]
    if len(words) != 3 or words[1] != "--listen":
        raise SystemExit("usage: python -m rival.worker GAME --listen unix:PATH|tcp:HOST:PORT")
    serve(open_game(words[0]), words[2], token_from_environment())
