import base64
import hashlib
import json
import os
import platform
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import helpers  # noqa: F401
import numpy as np
import samples

import rival
from rival._client import Client
from rival.server import _KEEP_OPEN_SECONDS

TOKEN = "a secret of some length"


def start(test, *arguments):
    """`rival serve`, until the end of the test or class: (its address, its process). It computes in f32, as numpy."""
    exact = {"RIVAL_ISA": "avx2"} if platform.machine().lower() in ("x86_64", "amd64") else {}
    process = subprocess.Popen(
        [os.environ["RIVAL_PROGRAM"], "serve", *arguments, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **exact},
    )

    def end():
        process.kill()
        process.communicate()

    (test.addClassCleanup if isinstance(test, type) else test.addCleanup)(end)
    said = []
    for line in process.stdout:
        said.append(line.decode(errors="replace"))
        if said[-1].startswith("Listening on "):
            return said[-1].split()[2], process
    raise AssertionError("".join(said))


def positions(count, plies=12):
    """(observations, masks, spec) of matches of Connect Four after some random moves."""
    random = np.random.default_rng(1)
    client = Client("connect_four", count)
    try:
        client.start(range(count), range(count), [p.value for p in client.spec.parameters], [])
        until = random.integers(0, plies, count)
        observations, masks = client.observations.copy(), client.masks.copy()
        for ply in range(plies):
            choices = [[random.choice(np.flatnonzero(mask)) if mask.any() else 0] for mask in client.masks]
            client.step(np.array(choices), np.zeros((count, 0)))
            going = (ply < until) & (client.status == rival.RUNNING)
            observations[going], masks[going] = client.observations[going], client.masks[going]
        return observations, masks, client.spec
    finally:
        client.close()


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        program = os.environ.get("RIVAL_PROGRAM")
        if not program:
            raise unittest.SkipTest("RIVAL_PROGRAM does not name the program; ctest does")
        holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(holder.cleanup)
        cls.folder = holder.name
        run = os.path.join(holder.name, "c4")
        train = [program, "train", "connect_four", "--steps", "20000", "--out", run, "--json"]
        done = subprocess.run(train, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        cls.path = os.path.join(run, "bots", "final.safetensors")
        cls.bot = rival.Bot.load(cls.path)
        cls.observations, cls.masks, cls.spec = positions(200)
        samples.random_bot(os.path.join(holder.name, "recalls.safetensors"), cls.spec, hidden=(24,), memory=24)

    def assertPlays(self, bot, actions, observations, masks, memory=None):
        """The actions are the bot's most likely ones, as numpy has them. `memory` moves on."""
        p = bot.probabilities(observations, masks, memory)
        choices, _ = bot.act_rows(observations, masks, memory, temperature=0)
        taken, wanted = (np.take_along_axis(p, c.astype(np.int64), axis=1) for c in (actions.choices, choices))
        np.testing.assert_allclose(taken, wanted, atol=1e-5, rtol=0)  # the same choice, or one that is as good
        self.assertGreater((actions.choices == choices).mean(), 0.9)
        self.assertGreater(len(np.unique(choices)), 1)


class Watching(Case):
    """A player leaves, and a bot of the run plays on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rated = os.path.join(cls.folder, "c4")
        rate = [os.environ["RIVAL_PROGRAM"], "ladder", cls.rated, "--calibrate", "--target-se", "40", "--levels", "2"]
        done = subprocess.run([*rate, "--level-matches", "50"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        cls.address, _ = start(cls, "c4=" + cls.rated, "file=" + cls.path)

    def setUp(self):
        self.server = rival.Server(self.address)
        self.addCleanup(self.server.close)

    def test_who_plays_well_is_followed_by_who_plays_well(self):
        best, _ = self.bot.act_rows(self.observations, self.masks, temperature=0)
        random = np.random.default_rng(5)
        any_of = np.array([[random.choice(np.flatnonzero(mask))] for mask in self.masks])
        found = []
        for choices in (best, any_of):
            watch = self.server.watch("c4", seats=2)
            for row in range(100):
                watch.saw(self.observations[row], choices[row], seats=[1], masks=self.masks[row])
            watch.saw(self.observations[:2], choices[:2], masks=self.masks[:2], own=False)
            found.append(watch.substitute(1))
            self.assertEqual(found[-1].decisions, 100)
            self.assertEqual(watch.substitute(0).decisions, 0)
        strong, weak = found
        self.assertGreater(strong.low, weak.high)
        for who in found:
            self.assertLessEqual(who.low, who.rating)
            self.assertLessEqual(who.rating, who.high)
            self.assertTrue(who.bot.startswith("c4@"), who.bot)
            actions = who.act(self.observations[7], self.masks[7], budget_ms=10_000)
            self.assertTrue(self.masks[7][actions.choices[0, 0]])
        self.assertEqual(watch.substitute(1, rating=strong.rating, error=0).rating, strong.rating)
        watch.forget()
        watch.close()
        with self.assertRaisesRegex(rival.RivalError, "it was closed"):
            watch.substitute(1)

    def test_errors(self):
        watch = self.server.watch("c4", seats=2)
        one = (self.observations[0], [3])
        with self.assertRaisesRegex(rival.RivalError, "seats 0 to 1"):
            watch.substitute(2)
        with self.assertRaisesRegex(rival.RivalError, r"choices of the shape \(2,\), should have \(1, 1\)"):
            watch.saw(one[0], [1, 2], seats=[0])
        with self.assertRaisesRegex(rival.RivalError, "no run's folder"):
            self.server.watch("file", seats=2)
        with self.assertRaisesRegex(rival.RivalError, "there is no bot|no such|unknown|did you mean"):
            self.server.watch("c5", seats=2)


class Playing(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.address, _ = start(cls, "c4=" + cls.path, os.path.join(cls.folder, "recalls.safetensors"))

    def setUp(self):
        self.server = rival.Server(self.address)
        self.addCleanup(self.server.close)

    def test_what_is_served(self):
        described = {one["bot"]: one for one in self.server.bots()}
        self.assertEqual(sorted(described), ["c4", "recalls"])
        session = self.server.open("c4", seats=3)
        self.assertEqual(session.version, described["c4"]["version"])
        self.assertEqual((session.bot, session.game, session.seats), ("c4", "connect_four", 3))
        self.assertEqual((session.observation, session.mask_size), (self.bot.observation_size, self.bot.mask_size))
        self.assertEqual((session.parts, session.values, session.rules), ([("column", 7)], 0, []))
        self.assertEqual((session.memory, session.temperature, session.reaction_steps), (False, 0, 0))
        self.assertTrue(self.server.open("recalls").memory)

    def test_it_plays_as_the_bot_does(self):
        session = self.server.open("c4", seats=200)
        actions = session.act(self.observations, self.masks)
        self.assertEqual((actions.choices.shape, actions.choices.dtype), ((200, 1), np.int32))
        self.assertEqual((actions.values.shape, actions.values.dtype, actions.late), ((200, 0), np.float32, False))
        self.assertGreater(actions.took_ms, 0)
        self.assertPlays(self.bot, actions, self.observations, self.masks)
        # Some seats, in another order; one row.
        seats = np.random.default_rng(2).permutation(200)[:50]
        some = session.act(self.observations[seats], self.masks[seats], seats)
        np.testing.assert_array_equal(some.choices, actions.choices[seats])
        one = session.act(self.observations[7], self.masks[7], seats=7)
        np.testing.assert_array_equal(one.choices, actions.choices[7:8])
        self.assertEqual(session.act(self.observations[:0], seats=[]).choices.shape, (0, 1))

    def test_masks(self):
        session = self.server.open("c4", seats=200)
        random = np.random.default_rng(3)
        masks = random.random((200, 7)) < 0.3
        masks[np.arange(200), random.integers(0, 7, 200)] = True
        actions = session.act(self.observations, masks)
        self.assertTrue(masks[np.arange(200), actions.choices[:, 0]].all())
        self.assertPlays(self.bot, actions, self.observations, masks)
        self.assertPlays(self.bot, session.act(self.observations), self.observations, None)

    def test_no_time(self):
        session = self.server.open("c4", seats=2, fallback=[3])
        masks = np.ones((2, 7))
        masks[1, [0, 3]] = 0
        actions = session.act(self.observations[:2], masks, budget_ms=0)
        self.assertEqual((actions.late, actions.choices.tolist()), (True, [[3], [1]]))
        self.assertFalse(session.act(self.observations[:2], masks, budget_ms=5000).late)

    def test_seats_forget(self):
        bot = rival.Bot.load(os.path.join(self.folder, "recalls.safetensors"))
        session = self.server.open("recalls", seats=200)
        memory = bot.start(200)
        for _ in range(3):
            actions = session.act(self.observations, self.masks)
            self.assertPlays(bot, actions, self.observations, self.masks, memory)
        session.forget(range(50, 100))
        memory[50:100] = 0
        self.assertPlays(bot, session.act(self.observations, self.masks), self.observations, self.masks, memory)
        session.forget()
        fresh = session.act(self.observations, self.masks).choices
        other = session.act(self.observations, self.masks).choices
        self.assertGreater((fresh != other).mean(), 0.05)  # what is remembered makes a difference
        session.forget(0)
        pending = session.ask(self.observations, self.masks)
        session.forget()  # comes after
        np.testing.assert_array_equal(session.act(self.observations, self.masks).choices, fresh)
        self.assertTrue((pending.result().choices[1:] != fresh[1:]).any())
        self.assertEqual(pending.result().choices[0], fresh[0])

    def test_many_sessions_in_one_tick(self):
        first, second = self.server.open("c4", seats=10), self.server.open("c4", seats=20)
        ticks = (
            (first, self.observations[:10], self.masks[:10]),
            (second, self.observations[10:30], self.masks[10:30]),
        )
        wanted = [session.act(*rows).choices for session, *rows in ticks]
        asked = [session.ask(*rows) for _ in range(200) for session, *rows in ticks]  # more than a server takes at once
        for number, pending in reversed(list(enumerate(asked))):
            np.testing.assert_array_equal(pending.result().choices, wanted[number % 2])
            self.assertTrue(pending.ready())
        with ThreadPoolExecutor() as pool:
            played = [pool.submit(session.act, *rows) for _ in range(30) for session, *rows in ticks]
        for number, one in enumerate(played):
            np.testing.assert_array_equal(one.result().choices, wanted[number % 2])

    def test_what_is_amiss_is_named(self):
        session = self.server.open("c4", seats=4)
        rows, masks = self.observations[:4], self.masks[:4]
        broken = rows.copy()
        broken[2, 5] = np.nan
        closed = masks.copy()
        closed[1] = 0
        for call, message in (
            (lambda: session.act(broken), r"session 1 of 'c4' at http.*, tick 1: row 2 \(seat 2\): observation\[5\]"),
            (lambda: session.act(broken, seats=[3, 2, 1, 0]), r"row 2 \(seat 1\)"),
            (lambda: session.act(rows, closed), r"row 1 \(seat 1\): the mask allows no choice"),
            (lambda: session.act(rows, seats=[0, 1, 3, 3]), r"row 3 \(seat 3\): .* twice"),
            (lambda: session.act(rows, seats=[0, 1, 2, 4]), r"row 3 \(seat 4\): the session has seats 0 to 3"),
            (lambda: session.act(rows, seats=[0, -1, 2, 3]), r"row 1 \(seat -1\): the session has seats 0 to 3"),
            (lambda: session.act(rows, seats=[0, 1, 2, 2.5]), "4 seats of the type float64"),
            (lambda: session.act(rows[:3]), "3 rows for 4 seats"),
            (lambda: session.act(rows[:, :9]), r"observations of the shape \(4, 9\)"),
            (lambda: session.act(rows, masks[:, :6]), r"masks of the shape \(4, 6\), should have \(4, 7\)"),
            (lambda: session.act(rows, budget_ms=1e7), "more than an hour"),
            (lambda: session.forget([4]), r"session \d+ of 'c4' at http.*: 'seats': the session has seats 0 to 3"),
            (lambda: self.server.open("c5"), "http.*: the bot 'c5': unknown bot 'c5'.*c4"),
            (lambda: self.server.open("c4", seats=0), "'seats' is a whole number of at least 1"),
            (lambda: self.server.open("c4", fallback=[7]), "'column' has choices 0 to 6"),
        ):
            with self.subTest(message), self.assertRaisesRegex(rival.RivalError, message):
                call()
        self.assertFalse(session.ended or self.server.ended)  # all goes on
        session.act(rows, masks)
        large = self.server.open("c4", seats=60_000)
        with self.assertRaisesRegex(rival.RivalError, "more than the 16777216 that a server takes"):
            large.act(np.zeros((60_000, session.observation)))

    def test_sessions_end(self):
        row = self.observations[0]
        with self.server.open("c4") as session:
            pending = session.ask(row)
        self.assertEqual((session.ended, pending.result().choices.shape), ("it was closed", (1, 1)))
        session.close()
        for call in (lambda: session.act(row), session.forget):
            with self.assertRaisesRegex(rival.RivalError, r"session \d+ of 'c4' at http.*: it was closed"):
                call()
        # The server says so too.
        session = self.server.open("c4")
        self.server._ask({"close": session.number}, "")
        for call in (lambda: session.act(row), session.forget, session.close):
            with self.assertRaisesRegex(rival.RivalError, "there is no such session"):
                call()
        session = self.server.open("c4")
        pending = session.ask(row)
        self.server.close()
        self.server.close()
        for call in (lambda: session.act(row), pending.result, session.forget, lambda: self.server.open("c4")):
            with self.assertRaisesRegex(rival.RivalError, "the connection was closed"):
                call()
        session.close()


def make_certificate(folder, whose="IP:127.0.0.1"):
    """The files of a certificate and its key."""
    if not shutil.which("openssl"):
        raise unittest.SkipTest("there is no program `openssl`; scripts/install-deps test installs it")
    certificate, key = (os.path.join(folder, name) for name in ("certificate.pem", "key.pem"))
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=rival"
    make = [*make.split(), "-addext", "subjectAltName=" + whose, "-keyout", key, "-out", certificate]
    subprocess.run(make, check=True, stderr=subprocess.DEVNULL)
    return certificate, key


class Encrypted(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate, cls.key = make_certificate(cls.folder)
        cls.address, _ = start(
            cls, "c4=" + cls.path, "--tls-certificate", cls.certificate, "--tls-key", cls.key
        )

    def test_it_plays(self):
        self.assertTrue(self.address.startswith("https://127.0.0.1:"))
        with rival.Server(self.address, ca_file=self.certificate) as server:
            self.assertEqual(server.bots()[0]["bot"], "c4")
            session = server.open("c4", seats=200)
            self.assertPlays(self.bot, session.act(self.observations, self.masks), self.observations, self.masks)
            pending = [session.ask(self.observations, self.masks) for _ in range(100)]  # more than a buffer holds
            self.assertTrue(all((one.result().choices == pending[0].result().choices).all() for one in pending))
            server.poll()  # nothing has arrived
            self.assertEqual(server.ended, "")

    def test_it_trusts_no_other(self):
        with self.assertRaisesRegex(rival.RivalError, "^https:.*: its certificate is not trusted: self"):
            rival.Server(self.address)
        with self.assertRaisesRegex(rival.RivalError, "its certificate is not trusted: Hostname mismatch"):
            rival.Server(self.address.replace("127.0.0.1", "localhost"), ca_file=self.certificate)
        with self.assertRaisesRegex(rival.RivalError, "no certificates in PEM form"):
            rival.Server(self.address, ca_file=self.key)
        with self.assertRaises(rival.RivalError):
            rival.Server(self.address.replace("https", "http"))


class Ending(Case):
    def test_a_token_and_the_end(self):
        file = os.path.join(self.folder, "token")
        with open(file, "w") as out:
            out.write(TOKEN + "\n")
        address, process = start(self, "c4=" + self.path, "--token-file", file, "--idle-seconds", "1")
        for token in (None, TOKEN[:-1], TOKEN + "s"):
            with self.assertRaisesRegex(rival.RivalError, "401: a token is needed"):
                rival.Server(address, token)
        with self.assertRaisesRegex(rival.RivalError, "printable ASCII"):
            rival.Server(address, "a\r\nb")
        row = self.observations[0]
        with rival.Server(address, TOKEN) as server:
            self.assertEqual(server.bots()[0]["bot"], "c4")
            session, other = server.open("c4"), server.open("c4")
            until = time.monotonic() + 10
            while not other.ended and time.monotonic() < until:
                session.act(row)
                time.sleep(0.05)
            for call in (lambda: other.act(row), other.forget):
                with self.assertRaisesRegex(rival.RivalError, "session 2 of 'c4'.*: it expired: no tick for 1 seconds"):
                    call()
            self.assertFalse(session.ended)

            self.assertIsNone(server.draining)
            process.send_signal(signal.SIGTERM)
            while server.draining is None and time.monotonic() < until:
                server.poll()
            self.assertTrue(0 < server.draining <= 30)
            self.assertEqual(session.act(row).choices.shape, (1, 1))
            with self.assertRaisesRegex(rival.RivalError, "no new sessions"):
                server.open("c4")
            session.close()
            while not server.ended and time.monotonic() < until:
                server.poll()
            self.assertIn("it was told to end", server.ended)
            with self.assertRaisesRegex(rival.RivalError, "code 1001"):
                server.open("c4")
        self.assertEqual(process.wait(10), 0)
        with self.assertRaisesRegex(rival.RivalError, "cannot connect"):
            rival.Server(address, TOKEN)


class Peer:
    """The server's end of a WebSocket, by hand."""

    def __init__(self, connection):
        self.stream = connection.makefile("rwb")

    def shake_hands(self, accept=None):
        fields = iter(self.stream.readline, b"\r\n")
        said = dict(line.decode().strip().split(": ", 1) for line in fields if b": " in line)
        key = (said["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()
        accept = accept or base64.b64encode(hashlib.sha1(key).digest()).decode()
        self.write(f"HTTP/1.1 101 Go\r\nupgrade: WebSocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())

    def write(self, data):
        self.stream.write(data)
        self.stream.flush()

    def send(self, kind, payload, final=True):
        size = len(payload)
        long = b"" if size < 126 else struct.pack(">H", size) if size < 1 << 16 else struct.pack(">Q", size)
        self.write(bytes([128 * final + kind, {0: size, 2: 126, 8: 127}[len(long)]]) + long + payload)

    def receive(self):
        """(kind, payload) of a frame, which must be masked."""
        kind, size = self.stream.read(2)
        assert kind & 128 and size & 128, "a frame of a client"
        size &= 127
        if size >= 126:
            (size,) = struct.unpack(">H" if size == 126 else ">Q", self.stream.read(2 if size == 126 else 8))
        key, payload = self.stream.read(4), self.stream.read(size)
        return kind & 127, bytes(byte ^ key[n % 4] for n, byte in enumerate(payload))

    def opened(self, seats=1):
        """The answer to a wish to open a session: of one number, one choice of two, one value."""
        kind, wish = self.receive()
        assert kind == 1
        about = {"bot": "b", "version": "v", "game": "g", "observation": 1, "parts": [{"name": "p", "choices": 2}]}
        about.update(values=1, rules=[{"name": "r", "low": 0, "high": 2.5}], memory=True)
        about.update(temperature=1, reaction_steps=3)
        return json.dumps({"id": json.loads(wish)["id"], "opened": 7, "seats": seats, **about}).encode()

    def answer(self):
        kind, frame = self.receive()
        header = struct.unpack_from("<BBHIIII", frame)
        rows = header[-1]
        assert (kind, header[:4], len(frame)) == (2, (1, 1, 0, 7), 20 + 10 * rows)
        choices, values = np.frombuffer(frame, "<u4", rows, 20), np.frombuffer(frame, "<f4", rows, 20 + 4 * rows)
        return struct.pack("<BBHIIII", 2, 1, 1, 7, header[4], 1500, rows) + choices.tobytes() + values.tobytes()


class Frames(unittest.TestCase):
    """What a server may send, in whatever pieces."""

    def against(self, script, play, hands=True):
        """Runs script(peer) in a thread and play(address) here; closes."""
        failed = []

        def serve(listener):
            connection, _ = listener.accept()
            connection.settimeout(20)
            with connection:
                try:
                    peer = Peer(connection)
                    if hands:
                        peer.shake_hands()
                    script(peer)
                except BaseException as error:
                    failed.append(error)

        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            thread = threading.Thread(target=serve, args=(listener,))
            thread.start()
            try:
                play(f"http://127.0.0.1:{listener.getsockname()[1]}")
            finally:
                thread.join(30)
        if failed:
            raise failed[0]

    def test_messages_in_pieces(self):
        sizes = [0, 1, 10, 11, 6551, 6552, 30000]  # frames of one, three and nine bytes of length

        def script(peer):
            text = peer.opened(30000)
            peer.send(10, b"unasked")
            peer.send(1, text[:9], final=False)
            peer.send(9, b"are you there")
            peer.send(0, b"", final=False)
            peer.send(0, text[9:])
            self.assertEqual(peer.receive(), (10, b"are you there"))
            for _ in sizes:
                answer = peer.answer()
                peer.send(2, answer)
                peer.send(1, b'{"something": "new"}')
            answer = peer.answer()
            data = bytes([2, 5]) + answer[:5] + bytes([128, len(answer) - 5]) + answer[5:]
            for n in range(len(data)):
                peer.write(data[n : n + 1])
                time.sleep(0.001)
            self.assertEqual(peer.receive(), (8, b"\x03\xe8"))

        def play(address):
            with rival.Server(address) as server:
                session = server.open("b", 30000)
                self.assertEqual(session.rules, [("r", 0, 2.5)])
                self.assertEqual((session.memory, session.reaction_steps), (True, 3))
                for size in [*sizes, 2]:
                    rows = np.random.default_rng(size).normal(size=(size, 1)).astype(np.float32)
                    actions = session.act(rows, seats=np.arange(size), masks=np.ones((size, 2), bool))
                    self.assertEqual((actions.late, actions.took_ms), (True, 1.5))
                    np.testing.assert_array_equal(actions.choices[:, 0], np.arange(size))
                    np.testing.assert_array_equal(actions.values, rows)

        self.against(script, play)

    def test_what_is_no_frame(self):
        def text(what):
            return bytes([129, len(what)]) + what

        for data, message in (
            (b"\x81\x80\0\0\0\0", "no frame of WebSockets"),  # masked
            (b"\xc1\x00", "no frame of WebSockets"),  # an extension's
            (b"\x83\x00", "no frame of WebSockets"),
            (b"\x09\x00", "no frame of WebSockets"),  # a ping in pieces
            (b"\x89\x7e\x00\x80", "no frame of WebSockets"),  # a long one
            (b"\x80\x00", "in a wrong order"),
            (b"\x01\x01{\x81\x01}", "in a wrong order"),
            (b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", "of more than 67108864 bytes"),
            (text(b"{"), "not of this protocol"),
            (text(b"[1]"), "not of this protocol"),
            (text(b"\xff"), "not of this protocol"),
            (b"\x81\x7e\x80\0" + b"[" * 32768, "not of this protocol"),
            (text(b'{"expired": []}'), "not of this protocol"),
            (text(b'{"error": "a text message is a JSON object"}'), "it did not understand a message: a text message"),
            (b"\x82\x02\1\1", "not of this protocol"),
            (b"\x82\x14\2\1" + bytes(18), "an answer of kind 2, version 1, to session 0, tick 0"),
            (b"\x88\x06\x03\xf0busy", "the server closed the connection, code 1008: busy"),
            (b"\x88\x02\x03\xf1", "code 1009: a message was larger than it takes"),
            (b"\x88\x00", "code 1005"),
            (b"", "the server closed the connection"),
        ):
            with self.subTest(message, data=data):

                def script(peer):
                    peer.receive()
                    peer.write(data)
                    if data:
                        self.assertEqual(peer.receive()[0], 8)

                def play(address):
                    with rival.Server(address) as server:
                        with self.assertRaisesRegex(rival.RivalError, address + ": .*" + message):
                            server.open("b")
                        self.assertIn(message, server.ended)
                        with self.assertRaisesRegex(rival.RivalError, message):
                            server.open("b")

                self.against(script, play)

    def test_what_does_not_shake_hands(self):
        unauthorized = b'HTTP/1.1 401 No\r\nContent-Length: 20\r\n\r\n{"error": "a token"}'
        for script, message in (
            (lambda peer: peer.shake_hands("x"), "no handshake of WebSockets"),
            (lambda peer: peer.write(unauthorized), "401: a token"),
            (lambda peer: peer.write(b"HTTP/1.1 503 Busy\r\n\r\n"), "503: Busy"),
            (lambda peer: peer.write(b"SSH-2.0\r\n\r\n"), "not HTTP"),
            (lambda peer: peer.write(b"x" * 40000 + b"\r\n\r\n"), "not HTTP"),
            (lambda peer: None, "the server closed the connection|the connection broke"),
        ):
            with self.subTest(message):

                def play(address):
                    with self.assertRaisesRegex(rival.RivalError, address + ": .*(" + message + ")"):
                        rival.Server(address)

                self.against(script, play, hands=False)
        for address in ("127.0.0.1:8765", "ftp://127.0.0.1", "http://", "http://a:b", "http://a:99999", ""):
            with self.assertRaisesRegex(rival.RivalError, f"'{address}' is no address"):
                rival.Server(address)

    def test_no_answer(self):
        go_on = threading.Event()

        def script(peer):
            peer.send(1, peer.opened())
            answer = peer.answer()
            peer.write(bytes([130, len(answer)]) + answer[:3])
            go_on.wait(20)
            peer.write(answer[3:])
            self.assertEqual(peer.receive()[0], 8)

        def play(address):
            with rival.Server(address, timeout=0.2) as server:
                pending = server.open("b").ask([1])
                self.assertFalse(pending.ready())
                with self.assertRaisesRegex(rival.RivalError, "session 7 of 'b' at http.*, tick 1: no answer within"):
                    pending.result()
                go_on.set()
                self.assertEqual(pending.result().values, 1)  # half of it was there already

        self.against(script, play)

    def test_it_is_kept_open(self):
        self.assertLess(_KEEP_OPEN_SECONDS, 30)
        before = rival.server._KEEP_OPEN_SECONDS
        rival.server._KEEP_OPEN_SECONDS = 0.05
        self.addCleanup(setattr, rival.server, "_KEEP_OPEN_SECONDS", before)
        done = threading.Event()

        def script(peer):
            self.assertEqual([peer.receive(), peer.receive()], [(10, b""), (10, b"")])
            peer.send(9, b"?")
            while peer.receive() != (10, b"?"):
                pass
            peer.send(1, b'{"draining": 30}')
            done.wait(20)
            while peer.receive()[0] != 8:
                pass

        def play(address):
            with rival.Server(address) as server:
                until = time.monotonic() + 20
                while server.draining is None and time.monotonic() < until:
                    time.sleep(0.01)
                self.assertIsNotNone(server.draining)
                done.set()

        self.against(script, play)


if __name__ == "__main__":
    unittest.main()
