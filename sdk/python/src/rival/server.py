"""A game server's side of `rival serve` (docs/formats/serve.md): bots that another process plays, asked every tick."""
from __future__ import annotations

import binascii
import hashlib
import json
import os
import socket
import ssl
import struct
import threading
import time
import weakref
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union
from urllib.parse import urlsplit

import numpy as np

from .errors import RivalError

_TICK, _ANSWER, _SEEN, _VERSION, _LATE, _NOT_OWN = 1, 2, 3, 1, 1, 1
_HEADER = struct.Struct("<BBHIIII")  # kind, version, flags, session, tick, microseconds, rows
_MOST_ROWS = 1 << 20
_LARGEST_TICK = 16 << 20  # bytes; a server ends the connection that sends more
_MOST_WAITING = 256  # ticks that a server takes before it has answered the first
_MOST_BYTES = 64 << 20  # of these
_KEEP_OPEN_SECONDS = 15.0  # a server takes a minute of silence for the end
_CLOSE_SECONDS = 1.0
_LARGEST_MESSAGE = 64 << 20
_LARGEST_HEAD, _LARGEST_BODY = 16 << 10, 16 << 20

_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_CLOSE_CODES = {
    1001: "it ends",
    1002: "it was sent something that is no WebSocket message",
    1008: "there were too many wrong messages, or answers were not taken",
    1009: "a message was larger than it takes",
}

Array = np.ndarray


class Part(NamedTuple):
    """A choice that a bot makes in each decision."""

    name: str
    choices: int


class Rule(NamedTuple):
    """A parameter that a bot sees: in a row, `low` is -1 and `high` is 1."""

    name: str
    low: float
    high: float


class Actions(NamedTuple):
    """The answer to a tick, in the order of its rows."""

    choices: Array  # int32 [rows, parts]
    values: Array  # float32 [rows, values], of the continuous parts
    late: bool  # there was no time to decide: these are the fallback's, and the memories stayed as they were
    took_ms: float  # from when the tick arrived at the server


class Server:
    """A connection to a bot server, which plays any number of sessions:

        with rival.Server("http://127.0.0.1:8765") as server:
            session = server.open("demo", seats=4)
            actions = session.act(observations, masks)

    Whatever goes wrong is a RivalError that says what the server said. `ended` is "" or why the connection is over, and
    its sessions with it; `timeout` is how many seconds a call waits for the server, None: without end. Threads may
    share a connection: their calls take turns. A thread of its own keeps it open while nothing is asked.

    An address that begins with https:// wants a certificate of that name: one that the authorities in the PEM file
    `ca_file` vouch for, None: those that the system trusts.
    """

    def __init__(
        self,
        address: str,
        token: Optional[str] = None,
        timeout: Optional[float] = 10.0,
        ca_file: Optional[str] = None,
    ) -> None:
        self.address, self.timeout = address.rstrip("/"), timeout
        try:
            parts = urlsplit(address)
            host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise RivalError(f"'{address}' is no address: {error}") from None
        if parts.scheme not in ("http", "https") or not host:
            raise RivalError(f"'{address}' is no address of a server, as in http://127.0.0.1:8765")
        if token is not None and not (token.isascii() and token.isprintable()):
            raise RivalError("a token is of printable ASCII characters")
        self._host, self._port, self._path = host, port, parts.path.rstrip("/")
        self._tls: Optional[ssl.SSLContext] = None
        if parts.scheme == "https":
            try:
                self._tls = ssl.create_default_context(cafile=ca_file)
            except OSError as error:
                raise RivalError(f"{ca_file}: no certificates in PEM form: {error.strerror or error}") from error
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._lock = threading.RLock()
        self._sessions: Dict[int, _Seats] = {}
        self._waiting: Dict[Tuple[int, int], Pending] = {}  # by session and tick
        self._reply: Optional[Dict[str, Any]] = None
        self._id = 0
        self._drained: Optional[float] = None
        self._socket = _WebSocket(self.address, host, port, self._path + "/v1/play", self._headers, timeout, self._tls)
        closed = threading.Event()
        self._release = weakref.finalize(self, _release, closed, self._socket)
        threading.Thread(target=_keep_open, args=(weakref.ref(self), closed), name="rival-server", daemon=True).start()

    @property
    def ended(self) -> str:
        why = self._socket.ended
        return why + "; it was told to end" if why and self._drained is not None else why

    @property
    def draining(self) -> Optional[float]:
        """None, or for how many seconds yet sessions may go on: the server was told to end, and opens no more of them.
        It says so of its own accord; whoever asks nothing meanwhile learns of it by poll()."""
        return None if self._drained is None else max(0.0, self._drained - time.monotonic())

    def bots(self) -> List[Dict[str, Any]]:
        """What is served: the descriptions of docs/formats/serve.md."""
        import http.client

        connection = (
            http.client.HTTPSConnection(self._host, self._port, timeout=self.timeout, context=self._tls)
            if self._tls
            else http.client.HTTPConnection(self._host, self._port, timeout=self.timeout)
        )
        try:
            connection.request("GET", self._path + "/bots", headers=self._headers)
            response = connection.getresponse()
            body = response.read(_LARGEST_BODY)
            if response.status != 200:
                raise RivalError(f"{self.address}: {_refusal(response.status, response.reason, body)}")
            return list(json.loads(body)["bots"])
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            raise RivalError(f"{self.address}/bots: {str(error) or type(error).__name__}") from error
        finally:
            connection.close()

    def open(self, bot: str, seats: int = 1, fallback: Optional[Sequence[int]] = None) -> "Session":
        """So many seats of a bot, by the name that the server gives it; NAME@1200 is the one of that rating. `fallback`
        has a choice for each part, for ticks that there was no time to decide."""
        wish: Dict[str, Any] = {"open": bot, "seats": int(seats)}
        if fallback is not None:
            wish["fallback"] = [int(choice) for choice in fallback]
        with self._lock:
            reply = self._ask(wish, f"{self.address}: the bot '{bot}'")
            if "error" in reply:
                raise RivalError(f"{self.address}: the bot '{bot}': {reply['error']}")
            session = Session(self, reply)
            self._sessions[session.number] = session
        return session

    def watch(self, run: str, seats: int = 1) -> "Watch":
        """Seats of people who are watched, so that a bot can play on for one who leaves. `run`: a run with a calibrated
        ladder, by the name that the server gives it."""
        with self._lock:
            reply = self._ask({"watch": run, "seats": int(seats)}, f"{self.address}: the bot '{run}'")
            if "error" in reply:
                raise RivalError(f"{self.address}: the bot '{run}': {reply['error']}")
            watch = Watch(self, {**reply, "opened": reply.get("watched")})
            self._sessions[watch.number] = watch
        return watch

    def poll(self) -> None:
        """Takes what has arrived, without waiting. Raises nothing: `ended` says if the connection is over."""
        with self._lock:
            try:
                while not self.ended and self._read(0.0):
                    pass
            except RivalError:
                pass

    def close(self) -> None:
        """Ends the connection, and all sessions with it."""
        with self._lock:
            self._socket.close()
            self._release()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    # ---- messages, with the lock held ----

    def _until(self) -> Optional[float]:
        return None if self.timeout is None else time.monotonic() + self.timeout

    def _ask(self, wish: Dict[str, Any], whom: str) -> Dict[str, Any]:
        """What the server answers to a text message. Other messages that arrive before it are taken too."""
        self._id += 1
        self._reply = None
        self._socket.send(_TEXT, json.dumps({**wish, "id": self._id}).encode())
        until = self._until()
        while self._reply is None:
            if not self._read(until):
                raise RivalError(f"{whom}: no answer within {self.timeout:g} s")
        reply, self._reply = self._reply, None
        return reply

    def _read(self, until: Optional[float]) -> bool:
        """Takes one message. False: none arrived in time."""
        message = self._socket.receive(until)
        if message is None:
            return False
        try:
            if message[0] == _BINARY:
                self._answered(message[1])
            else:
                self._told(dict(json.loads(message[1])))
        except (ValueError, KeyError, TypeError, RecursionError, struct.error) as error:
            raise self._socket.fail(f"it sent a message that is not of this protocol: {error}", 1002) from error
        return True

    def _told(self, message: Dict[str, Any]) -> None:
        if "id" in message:
            if message["id"] == self._id:  # another is of a call that did not wait for it
                self._reply = message
        elif "expired" in message:
            session = self._sessions.pop(int(message["expired"]), None)
            if session is not None:
                session._ended = f"it expired: {message.get('reason', '')}"
        elif "draining" in message:
            self._drained = time.monotonic() + float(message["draining"])
        elif "error" in message:
            if "session" not in message:
                raise self._socket.fail(f"it did not understand a message: {message['error']}", 1002)
            pending = self._waiting.pop((message["session"], message["tick"]), None)
            if pending is not None:
                pending._error = str(message["error"])

    def _answered(self, frame: bytes) -> None:
        kind, version, flags, session, tick, took, rows = _HEADER.unpack_from(frame)
        pending = self._waiting.get((session, tick))
        if (kind, version) != (_ANSWER, _VERSION) or pending is None or rows != pending.rows:
            raise ValueError(f"an answer of kind {kind}, version {version}, to session {session}, tick {tick}")
        choices, values = (rows, len(pending.session.parts)), (rows, pending.session.values)
        middle = _HEADER.size + 4 * rows * choices[1]
        if len(frame) != middle + 4 * rows * values[1]:
            raise ValueError(f"an answer of {len(frame)} bytes to session {session}, tick {tick}")
        pending._actions = Actions(
            np.frombuffer(frame[_HEADER.size : middle], "<i4").reshape(choices).astype(np.int32),
            np.frombuffer(frame[middle:], "<f4").reshape(values).astype(np.float32),
            bool(flags & _LATE),
            took / 1000,
        )
        del self._waiting[session, tick]


class _Seats:
    """Seats of one bot's kind of rows. `ended` is "" or why they are over: they expire when nothing is heard of them for
    long (five minutes, if the server was not told otherwise)."""

    number: int
    seats: int
    bot: str  # by which name it was asked for
    version: str  # of the bot's file
    game: str
    observation: int  # numbers of a row
    parts: List[Part]  # what is chosen, in the order of Actions.choices
    values: int  # continuous values
    rules: List[Rule]  # the last numbers of a row
    memory: bool
    temperature: float
    reaction_steps: int  # it acts on what was shown so many ticks ago; the server sees to that
    mask_size: int

    def __init__(self, server: Server, opened: Dict[str, Any]) -> None:
        self.server = server
        try:
            self.number, self.seats = int(opened["opened"]), int(opened["seats"])
            self.bot, self.version, self.game = str(opened["bot"]), str(opened["version"]), str(opened["game"])
            self.observation, self.values = int(opened["observation"]), int(opened["values"])
            self.parts = [Part(str(p["name"]), int(p["choices"])) for p in opened["parts"]]
            self.rules = [Rule(str(r["name"]), float(r["low"]), float(r["high"])) for r in opened["rules"]]
            self.memory, self.temperature = bool(opened["memory"]), float(opened["temperature"])
            self.reaction_steps = int(opened["reaction_steps"])
        except (KeyError, TypeError, ValueError) as error:
            raise RivalError(f"{server.address}: its description of a bot is none: {error!r}") from error
        self.mask_size = sum(part.choices for part in self.parts)
        self._ended = ""
        self._tick = 0

    def __str__(self) -> str:
        return f"session {self.number} of '{self.bot}' at {self.server.address}"

    @property
    def ended(self) -> str:
        return self._ended or self.server.ended

    def forget(self, seats: Union[None, int, Sequence[int], Array] = None) -> None:
        """These seats, None: all, begin a new match: what they remember is gone. Ticks that were asked for before are
        decided before."""
        wish: Dict[str, Any] = {"forget": self.number}
        if seats is not None:
            wish["seats"] = [int(seat) for seat in np.atleast_1d(seats)]
        with self.server._lock:
            self._check()
            reply = self.server._ask(wish, str(self))
        if "error" in reply:
            raise self._fault(reply["error"])

    def close(self) -> None:
        """Frees the seats. Ticks that were asked for before are answered yet."""
        with self.server._lock:
            if self.ended:
                return
            reply = self.server._ask({"close": self.number}, str(self))
            if "error" in reply and not self._ended:
                raise self._fault(reply["error"])
            self._ended = self._ended or "it was closed"
            self.server._sessions.pop(self.number, None)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _check(self) -> None:
        if self.ended:
            raise RivalError(f"{self}: {self.ended}")

    def _fault(self, what: str, tick: int = 0) -> RivalError:
        place = f"{self}, tick {tick}" if tick else str(self)
        return RivalError(f"{place}: {what}" + (f" ({self._ended})" if self._ended else ""))

    def _rows(self, observations: Any) -> Tuple[Array, int]:
        rows = np.asarray(observations, np.float32)
        rows = rows[None] if rows.ndim == 1 else rows
        count = len(rows) if rows.ndim else 0
        if rows.shape != (count, self.observation) or count > _MOST_ROWS:
            raise RivalError(f"{self}: observations of the shape {rows.shape}, should have (rows, {self.observation})")
        return rows, count

    def _fits(self, frame: List[bytes]) -> int:
        size = _HEADER.size + sum(map(len, frame))
        if size > _LARGEST_TICK:
            raise RivalError(f"{self}: a tick of {size} bytes is more than the {_LARGEST_TICK} that a server takes")
        return size

    def _masks(self, masks: Any, count: int) -> bytes:
        if masks is None:
            return b"\1" * (count * self.mask_size)
        masks = np.asarray(masks)
        masks = masks[None] if masks.ndim == 1 else masks
        if masks.shape != (count, self.mask_size):
            raise RivalError(f"{self}: masks of the shape {masks.shape}, should have ({count}, {self.mask_size})")
        return (masks != 0).tobytes()

    def _seats(self, seats: Any, count: int) -> bytes:
        if seats is None:
            if count != self.seats:
                raise RivalError(f"{self}: {count} rows for {self.seats} seats: seats= says whose they are")
            return np.arange(count, dtype="<u4").tobytes()
        seats = np.atleast_1d(seats)
        if seats.shape != (count,) or (count and seats.dtype.kind not in "iu"):
            raise RivalError(f"{self}: {seats.size} seats of the type {seats.dtype}, should be {count} whole numbers")
        for row in np.flatnonzero((seats < 0) | (seats >= self.seats)):
            raise RivalError(f"{self}: row {row} (seat {seats[row]}): the session has seats 0 to {self.seats - 1}")
        return seats.astype("<u4").tobytes()


class Session(_Seats):
    """Seats that one version of a bot plays, each with a memory of its own."""

    def act(
        self,
        observations: Any,
        masks: Any = None,
        seats: Union[None, int, Sequence[int], Array] = None,
        budget_ms: Optional[float] = None,
    ) -> Actions:
        """Decides for rows [n, observation], or for one row; masks are [n, mask_size], or None: all is allowed.

        `seats` says whose rows these are, each seat at most once; None: of all seats, in order. With `budget_ms` a tick
        that cannot be decided within that time gets the fallback's actions, at once.
        """
        return self.ask(observations, masks, seats, budget_ms).result()

    def ask(
        self,
        observations: Any,
        masks: Any = None,
        seats: Union[None, int, Sequence[int], Array] = None,
        budget_ms: Optional[float] = None,
    ) -> "Pending":
        """As act(), without waiting. Ask for all sessions, then for the results, and they are decided together."""
        rows, count = self._rows(observations)
        microseconds = 0 if budget_ms is None else max(1, round(1000 * budget_ms))
        if microseconds >= 1 << 32:
            raise RivalError(f"{self}: a budget of {budget_ms} ms is more than an hour")
        frame = [self._seats(seats, count), np.ascontiguousarray(rows, "<f4").tobytes(), self._masks(masks, count)]
        size = self._fits(frame)
        server = self.server
        with server._lock:
            if not server._waiting:
                server.poll()  # of sessions that have expired, say
            self._check()
            until = server._until()
            waiting = server._waiting
            while len(waiting) >= _MOST_WAITING or sum(tick.size for tick in waiting.values()) + size > _MOST_BYTES:
                if not server._read(until):
                    raise RivalError(f"{self}: {len(waiting)} ticks were not answered within {server.timeout:g} s")
            self._tick = (self._tick + 1) & 0xFFFFFFFF
            header = _HEADER.pack(_TICK, _VERSION, 0, self.number, self._tick, microseconds, count)
            server._socket.send(_BINARY, b"".join([header, *frame]))
            pending = Pending(self, self._tick, count, size)
            server._waiting[self.number, self._tick] = pending
        return pending


class Substitute(Session):
    """A bot that plays on for somebody who left: one seat. What is known of the player: `rating` is the likeliest, from
    `low` to `high` 19 times in 20, after so many `decisions`."""

    def __init__(self, server: Server, opened: Dict[str, Any]) -> None:
        super().__init__(server, opened)
        try:
            self.rating, self.low, self.high = (float(opened[key]) for key in ("rating", "low", "high"))
            self.decisions = int(opened["decisions"])
        except (KeyError, TypeError, ValueError) as error:
            raise RivalError(f"{server.address}: what it says of a player is none: {error!r}") from error


class Watch(_Seats):
    """Seats of people who are watched."""

    def saw(
        self,
        observations: Any,
        choices: Any,
        seats: Union[None, int, Sequence[int], Array] = None,
        masks: Any = None,
        values: Any = None,
        own: bool = True,
    ) -> None:
        """What seats were shown, as of Session.act(), and what they then did: choices [n, parts] and values [n, values].
        `own`: their players did it; False where a substitute did. It is not waited for."""
        rows, count = self._rows(observations)
        actions = []
        for what, given, kind, width in (
            ("choices", choices, "<i4", len(self.parts)),
            ("values", np.zeros((count, 0)) if values is None else values, "<f4", self.values),
        ):
            array = np.asarray(given)
            if array.size != count * width or (width and kind == "<i4" and array.dtype.kind not in "iu"):
                raise RivalError(f"{self}: {what} of the shape {array.shape}, should have ({count}, {width})")
            actions.append(np.ascontiguousarray(array, kind).tobytes())
        frame = [self._seats(seats, count), np.ascontiguousarray(rows, "<f4").tobytes(), *actions]
        frame.append(self._masks(masks, count))
        self._fits(frame)
        with self.server._lock:
            self.server.poll()
            self._check()
            self._tick = (self._tick + 1) & 0xFFFFFFFF
            header = _HEADER.pack(_SEEN, _VERSION, 0 if own else _NOT_OWN, self.number, self._tick, 0, count)
            self.server._socket.send(_BINARY, b"".join([header, *frame]))

    def substitute(
        self,
        seat: int,
        rating: Optional[float] = None,
        error: float = 0.0,
        fallback: Optional[Sequence[int]] = None,
    ) -> Substitute:
        """Who plays on for a seat, from where it is. `rating`: what a record says of the player, give or take `error`, a
        standard error; with 0 the bot plays at just that rating."""
        wish: Dict[str, Any] = {"substitute": self.number, "seat": int(seat)}
        if rating is not None:
            wish.update(rating=float(rating), error=float(error))
        if fallback is not None:
            wish["fallback"] = [int(choice) for choice in fallback]
        with self.server._lock:
            self._check()
            reply = self.server._ask(wish, str(self))
            if "error" in reply:
                raise self._fault(reply["error"])
            session = Substitute(self.server, reply)
            self.server._sessions[session.number] = session
        return session


class Pending:
    """A tick that was asked for."""

    def __init__(self, session: Session, tick: int, rows: int, size: int) -> None:
        self.session, self.tick, self.rows, self.size = session, tick, rows, size
        self._actions: Optional[Actions] = None
        self._error = ""

    def ready(self) -> bool:
        """Whether result() need not wait."""
        if self._actions is None and not self._error:
            self.session.server.poll()
        return self._actions is not None or bool(self._error) or bool(self.session.server.ended)

    def result(self) -> Actions:
        """Waits for the answer. Those to other sessions that arrive meanwhile are kept."""
        session, server = self.session, self.session.server
        with server._lock:
            until = server._until()
            while self._actions is None and not self._error:
                try:
                    arrived = server._read(until)
                except RivalError as error:
                    raise session._fault(server.ended, self.tick) from error
                if not arrived:
                    raise session._fault(f"no answer within {server.timeout:g} s", self.tick)
        if self._actions is None:
            raise session._fault(self._error, self.tick)
        return self._actions


def _release(closed: threading.Event, connection: "_WebSocket") -> None:
    closed.set()
    connection.drop()


def _keep_open(reference: "weakref.ref[Server]", closed: threading.Event) -> None:
    while not closed.wait(_KEEP_OPEN_SECONDS):
        server = reference()
        if server is None or server.ended:
            return
        with server._lock:
            server.poll()
            try:
                server._socket.send(_PONG, b"")
            except RivalError:
                return  # `ended` says why
        del server


def _refusal(status: int, reason: str, body: bytes) -> str:
    try:
        reason = str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        pass
    return f"{status}: {reason}"


def _masked_frame(kind: int, payload: bytes) -> bytes:
    size, key = len(payload), os.urandom(4)
    head = bytes([128 | kind])
    if size < 126:
        head += bytes([128 | size])
    elif size < 1 << 16:
        head += struct.pack(">BH", 128 | 126, size)
    else:
        head += struct.pack(">BQ", 128 | 127, size)
    words = np.frombuffer(payload + bytes(4 - size % 4), np.uint32) ^ np.frombuffer(key, np.uint32)
    return head + key + words.tobytes()[:size]


class _WebSocket:
    """A client's end of RFC 6455: whole messages, without extensions."""

    def __init__(
        self,
        address: str,
        host: str,
        port: int,
        path: str,
        headers: Dict[str, str],
        timeout: Optional[float],
        tls: Optional[ssl.SSLContext],
    ) -> None:
        self._address, self._timeout = address, timeout
        self.ended = ""
        self._in = bytearray()  # what has arrived
        self._message = bytearray()  # the frames so far of a message in several
        self._kind = _CONTINUATION  # of that message; none
        try:
            self._socket = socket.create_connection((host, port), timeout)
        except OSError as error:
            raise RivalError(f"{address}: cannot connect: {error.strerror or error}") from error
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls:
                self._socket = tls.wrap_socket(self._socket, server_hostname=host)
            self._shake_hands(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", path, headers)
        except ssl.SSLCertVerificationError as error:
            self.drop()
            raise RivalError(f"{address}: its certificate is not trusted: {error.verify_message}") from error
        except OSError as error:
            self.drop()
            raise RivalError(f"{address}: it does not answer: {error}") from error
        except BaseException:
            self.drop()
            raise

    def send(self, kind: int, payload: bytes) -> None:
        if self.ended:
            raise RivalError(f"{self._address}: {self.ended}")
        try:
            self._socket.settimeout(self._timeout)
            self._socket.sendall(_masked_frame(kind, payload))
        except OSError as error:
            until = time.monotonic() + _CLOSE_SECONDS
            while self.receive(until):  # which raises, if the server said why
                pass
            raise self.fail(f"the connection broke: {error}") from error
        except BaseException:  # half a frame may be on its way
            self.fail("a message was interrupted")
            raise

    def receive(self, until: Optional[float]) -> Optional[Tuple[int, bytes]]:
        """The next message. None: it has not arrived by then, of time.monotonic(); what has arrived of it is kept."""
        while True:
            if self.ended:
                raise RivalError(f"{self._address}: {self.ended}")
            frame = self._frame()
            if frame is None:
                if not self._more(until):
                    return None
                continue
            final, kind, payload = frame
            if kind == _PING:
                self.send(_PONG, payload)
            elif kind == _CLOSE:
                self._closed(payload)
            elif kind != _PONG:
                if (kind == _CONTINUATION) == (self._kind == _CONTINUATION):
                    raise self.fail("it sent the frames of a message in a wrong order", 1002)
                self._kind = kind or self._kind
                if final and not self._message:
                    kind, self._kind = self._kind, _CONTINUATION
                    return kind, payload
                self._message += payload
                if final:
                    message, kind = bytes(self._message), self._kind
                    self._message, self._kind = bytearray(), _CONTINUATION
                    return kind, message

    def close(self) -> None:
        """Says so, and waits a moment for the other end to do so."""
        ours = not self.ended
        if ours:
            try:
                self.send(_CLOSE, struct.pack(">H", 1000))
                until = time.monotonic() + _CLOSE_SECONDS
                while self.receive(until):
                    pass
            except RivalError:
                pass
        if ours:
            self.ended = "the connection was closed"
        self.drop()

    def drop(self) -> None:
        self._socket.close()

    def fail(self, why: str, code: int = 0) -> RivalError:
        """Ends the connection, with a code that tells the server; returns the error to raise."""
        if not self.ended:
            if code:
                try:
                    self._socket.settimeout(_CLOSE_SECONDS)
                    self._socket.sendall(_masked_frame(_CLOSE, struct.pack(">H", code)))
                except OSError:
                    pass
            self.ended = why
            self.drop()
        return RivalError(f"{self._address}: {self.ended}")

    def _shake_hands(self, host: str, path: str, headers: Dict[str, str]) -> None:
        key = binascii.b2a_base64(os.urandom(16), newline=False).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: Upgrade", "Upgrade: websocket"]
        lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        until = None if self._timeout is None else time.monotonic() + self._timeout
        while b"\r\n\r\n" not in self._in:
            if len(self._in) > _LARGEST_HEAD:
                raise self.fail("what it answers is not HTTP")
            if not self._more(until):
                raise self.fail(f"no answer within {self._timeout:g} s")
        head, self._in = self._in.split(b"\r\n\r\n", 1)
        status, *fields = head.decode("latin-1").split("\r\n")
        words = status.split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
            raise self.fail("what it answers is not HTTP")
        said = {name.strip().lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        if words[1] != "101":
            length = said.get("content-length", "")
            size = min(int(length), _LARGEST_HEAD) if length.isdigit() else 0
            while len(self._in) < size and self._more(until):
                pass
            raise self.fail(_refusal(int(words[1]), " ".join(words[2:]), bytes(self._in[:size])))
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        accept = binascii.b2a_base64(digest, newline=False).decode()
        if said.get("upgrade", "").lower() != "websocket" or said.get("sec-websocket-accept") != accept:
            raise self.fail("what it answers is no handshake of WebSockets")

    def _more(self, until: Optional[float]) -> bool:
        """Receives some bytes. False: none have arrived by then."""
        try:
            self._socket.settimeout(None if until is None else max(0.0, until - time.monotonic()))
            piece = self._socket.recv(1 << 18)
        except (socket.timeout, BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError as error:
            raise self.fail(f"the connection broke: {error}") from error
        if not piece:
            raise self.fail("the server closed the connection")
        self._in += piece
        return True

    def _frame(self) -> Optional[Tuple[bool, int, bytes]]:
        """Whether it is the last of its message, its kind and its payload. None: not all of it has arrived."""
        data = self._in
        if len(data) < 2:
            return None
        final, kind, size, first = bool(data[0] & 128), data[0] & 15, data[1], 2
        data_frame = kind in (_CONTINUATION, _TEXT, _BINARY)
        control = kind in (_CLOSE, _PING, _PONG) and final and size < 126
        if data[0] & 112 or size & 128 or not (data_frame or control):
            raise self.fail("it sent something that is no frame of WebSockets", 1002)
        if size >= 126:
            wide, form = (2, ">H") if size == 126 else (8, ">Q")
            first += wide
            if len(data) < first:
                return None
            (size,) = struct.unpack_from(form, data, 2)
        if size + len(self._message) > _LARGEST_MESSAGE:
            raise self.fail(f"it sent a message of more than {_LARGEST_MESSAGE} bytes", 1009)
        if len(data) < first + size:
            return None
        payload = bytes(data[first : first + size])
        del data[: first + size]
        return final, kind, payload

    def _closed(self, payload: bytes) -> None:
        code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
        said = payload[2:].decode("utf-8", "replace") or _CLOSE_CODES.get(code, "")
        raise self.fail(f"the server closed the connection, code {code}" + (f": {said}" if said else ""), 1000)
