"""Asks `martlet serve` for combinations of everything a request may ask for, and checks every answer.

    python Scripts/fuzz_combinations.py .build/release/martlet --requests 50000 --seed 1
    python Scripts/fuzz_combinations.py .build/release/martlet --seed 1 --replay 1234

It makes a tiny Llama over bytes (random weights from a fixed seed), serves it itself and sends well-formed requests:
temperatures from 1e-40 to 2, truncations, penalties, biases, schemas, tools, several answers, stops, log-probabilities,
streams, skeletons, nulls, and clients that leave. A request depends on the seed and its own number alone, so each one
can be sent again. The server must live, answer in time, and every answer be whole, counted rightly and kept to its
schema; what is refused must be refused in OpenAI's form. Bounded in requests and time; loopback only.

Needs the package jsonschema. Scripts/fuzz_server.py is the one that sends what is damaged.
"""

import argparse, collections, json, os, re, signal, socket, struct, subprocess, sys, tempfile, threading, time

from fuzz_answers import Checker, Violation
from fuzz_requests import make
from tiny_model import make_model

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("martlet", help="the command to test")
parser.add_argument("--requests", type=int, default=50_000)
parser.add_argument("--seconds", type=float, default=1800, help="stop after this time")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--threads", type=int, default=16)
parser.add_argument("--port", type=int, default=0, help="default: a free one")
parser.add_argument("--longest", type=float, default=5, help="seconds within which something must come")
parser.add_argument(
    "--replay", type=int, nargs="+", help="send only these requests, one after the other, and show them"
)
parser.add_argument("--shown", type=int, default=30, help="violations that are printed whole")
parser.add_argument("--stop-after", type=int, default=5, help="give up after the server has died so many times")


class Server:
    """A running `martlet serve`, started anew when it has died."""

    def __init__(self, command, folder, port):
        if not port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
        self.command, self.folder, self.port, self.deaths = command, folder, port, 0
        self.log = open(f"{folder}/server.log", "ab")
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [
                self.command,
                "serve",
                f"{self.folder}/tiny",
                "--port",
                str(self.port),
                "--no-edits",
                "--log-level",
                "warning",
                "--shutdown-timeout",
                "1",
            ],
            stdout=self.log,
            stderr=subprocess.STDOUT,
            # A backtrace takes seconds, in which the dying server would only seem to hang.
            env=os.environ | {"SWIFT_BACKTRACE": "enable=no"},
        )
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                if Connection(self.port).call("GET", "/health", None)[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)
        sys.exit(f"the server does not start:\n{self.tail()}")

    def has_died(self):
        return self.process.poll() is not None

    def dies_soon(self):
        """Whether a broken connection means its death: the process takes a moment to be gone."""
        end = time.monotonic() + 2
        while not self.has_died() and time.monotonic() < end:
            time.sleep(0.05)
        return self.has_died()

    def cause(self):
        code = self.process.poll()
        return signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"

    def tail(self):
        with open(f"{self.folder}/server.log", "rb") as file:
            file.seek(max(0, os.path.getsize(file.name) - 1500))
            return file.read().decode(errors="replace")

    def metric(self, name):
        text = Connection(self.port).call("GET", "/metrics", None)[2].decode()
        return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " ")), None)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Left(Exception):
    """The client has left, as it was told to."""


class Connection:
    """One HTTP/1.1 connection, kept alive."""

    def __init__(self, port, longest=30):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=longest)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host = f"127.0.0.1:{port}"
        self.held = bytearray()
        self.received = 0
        self.leave_after = None

    def close(self, resets=False):
        if resets:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def more(self):
        if self.leave_after is not None and self.received >= self.leave_after:
            raise Left
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed in the middle of an answer")
        self.received += len(data)
        self.held += data

    def until(self, mark):
        while mark not in self.held:
            self.more()
        at = self.held.index(mark) + len(mark)
        taken = bytes(self.held[:at])
        del self.held[:at]
        return taken

    def exactly(self, count):
        while len(self.held) < count:
            self.more()
        taken = bytes(self.held[:count])
        del self.held[:count]
        return taken

    def call(self, method, path, body, closes=False, leave_after=None):
        """(status, headers, body)"""
        self.received, self.leave_after = 0, leave_after
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: {len(data)}\r\n"
        head += "Content-Type: application/json\r\n" if body is not None else ""
        head += "Connection: close\r\n" if closes else ""
        self.socket.sendall(head.encode() + b"\r\n" + data)
        lines = self.until(b"\r\n\r\n").decode("latin1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)
        }
        status, answer = int(lines[0].split()[1]), b""
        if headers.get("transfer-encoding", "").lower() == "chunked":
            while size := int(self.until(b"\r\n").split(b";")[0], 16):
                answer += self.exactly(size)
                self.exactly(2)
            self.exactly(2)
        else:
            answer = self.exactly(int(headers.get("content-length", 0)))
        return status, headers, answer


class Run:
    def __init__(self, arguments, server):
        self.arguments, self.server, self.checker = arguments, server, Checker()
        self.counts, self.refusals, self.wrong = collections.Counter(), collections.Counter(), []
        self.slowest = (0.0, None)
        self.lock, self.next, self.flying = threading.Lock(), 0, {}
        self.end = time.monotonic() + arguments.seconds
        self.is_stopped = threading.Event()

    def note(self, number, kind, detail):
        with self.lock:
            self.wrong.append((number, kind, detail))

    def send(self, connection, number, request, shows=False):
        """Sends one request; the connection if it can go on being used."""
        started = time.monotonic()
        try:
            status, headers, body = connection.call(
                "POST", request.path, request.body, request.closes, request.leave_after
            )
        except Left:
            connection.close(request.resets)
            self.counts["left"] += 1
            return None
        except TimeoutError:
            self.note(number, "hang", f"nothing came for {self.arguments.longest} s")
            connection.close()
            return None
        seconds = time.monotonic() - started
        if shows:
            print(f"{status} in {seconds:.3f} s\n{body.decode(errors='replace')[:6000]}")
        with self.lock:
            self.slowest = max(self.slowest, (seconds, number), key=lambda pair: pair[0])
        try:
            for outcome in self.checker.check(request, status, headers, body):
                with self.lock:
                    self.counts[outcome] += 1
                    if outcome == "refused":
                        message = json.loads(body)["error"]["message"]
                        self.refusals[f"{status} " + re.sub(r"\d+", "#", message)[:110]] += 1
        except Violation as violation:
            self.note(number, violation.kind, f"{violation}: {body.decode(errors='replace')[:700]}")
        except (KeyError, TypeError, AttributeError, IndexError) as problem:
            self.note(number, "shape", f"{problem!r}: {body.decode(errors='replace')[:700]}")
        if not request.streams and seconds > self.arguments.longest:
            self.note(number, "slow", f"{seconds:.1f} s")
        if request.closes or headers.get("connection", "").lower() == "close":
            connection.close()
            return None
        return connection

    def client(self):
        connection = None
        while not self.is_stopped.is_set() and time.monotonic() < self.end:
            with self.lock:
                number = self.next
                self.next += 1
                if number >= self.arguments.requests:
                    return
                self.flying[threading.get_ident()] = number
            request = make(self.arguments.seed, number)
            is_used = connection is not None
            try:
                connection = connection or Connection(self.server.port, self.arguments.longest)
                connection = self.send(connection, number, request)
            except OSError as problem:
                connection = None
                if self.server.dies_soon():
                    self.is_stopped.set()
                    return
                # A kept connection may have been closed between two requests.
                if not is_used:
                    self.note(number, "connection", repr(problem))
            with self.lock:
                self.flying.pop(threading.get_ident(), None)

    def find_killers(self):
        """Which of the requests that were on their way kills a server that is asked nothing else."""
        numbers, cause = sorted(self.flying.values()), self.server.cause()
        self.server.deaths += 1
        killers = []
        for number in numbers:
            if self.server.has_died():
                self.server.start()
            try:
                self.send(Connection(self.server.port, 30), number, make(self.arguments.seed, number))
            except OSError:
                if self.server.dies_soon():
                    killers.append(number)
                    self.note(number, "death", f"{cause}; the log ends: {self.server.tail()[-500:]}")
        if not killers:
            self.note(numbers[0] if numbers else -1, "death", f"{cause}; of {numbers}, none alone kills it")
        if self.server.has_died():
            self.server.start()

    def all(self):
        started = time.monotonic()
        while self.next < self.arguments.requests and time.monotonic() < self.end:
            threads = [threading.Thread(target=self.client) for _ in range(self.arguments.threads)]
            [thread.start() for thread in threads], [thread.join() for thread in threads]
            if not self.is_stopped.is_set():
                break
            self.find_killers()
            self.flying.clear()
            self.is_stopped.clear()
            if self.server.deaths >= self.arguments.stop_after:
                print(f"the server has died {self.server.deaths} times; given up")
                break
        self.report(time.monotonic() - started)

    def report(self, seconds):
        end = time.monotonic() + 10
        while (running := self.server.metric("martlet_requests_running")) and time.monotonic() < end:
            time.sleep(0.1)
        if running:
            self.note(-1, "leak", f"{running:.0f} requests still run 10 s after the last one")
        sent = min(self.next, self.arguments.requests)
        print(
            f"seed {self.arguments.seed}: {sent} requests in {seconds:.0f} s, {self.server.deaths} deaths, slowest "
            f"{self.slowest[0]:.2f} s (request {self.slowest[1]}), resident "
            f"{(self.server.metric('process_resident_memory_bytes') or 0) / 1e6:.0f} MB"
        )
        for name, count in sorted(self.counts.items()):
            print(f"  {count:7} {name}")
        print("what was refused:")
        for message, count in self.refusals.most_common(40):
            print(f"  {count:7} {message}")
        kinds = collections.Counter(kind for _, kind, _ in self.wrong)
        shown = collections.Counter()
        for number, kind, detail in self.wrong:
            shown[kind] += 1
            if shown[kind] <= max(2, self.arguments.shown // max(1, len(kinds))):
                print(f"WRONG {kind}, --seed {self.arguments.seed} --replay {number}: {detail}")
                if number >= 0:
                    request = make(self.arguments.seed, number)
                    print(f"      {request.path} {json.dumps(request.body, ensure_ascii=False)[:3000]}")
        answered = self.counts["answered"] / max(1, sent)
        if answered < 0.5:
            print(f"only {answered:.0%} of the requests were answered: the checks say little")
        print(f"{len(self.wrong)} wrong {dict(kinds)}")
        return 1 if self.wrong or self.server.deaths or answered < 0.5 else 0

    def replay(self):
        for number in self.arguments.replay:
            request = make(self.arguments.seed, number)
            print(f"{number}: {request.path} {json.dumps(request.body, ensure_ascii=False)}")
            try:
                self.send(Connection(self.server.port, 60), number, request, shows=True)
            except OSError as problem:
                print(repr(problem))
                if self.server.dies_soon():
                    self.note(number, "death", self.server.cause())
                    self.server.start()
        for item in self.wrong:
            print("WRONG", *item)
        return 1 if self.wrong else 0


def main():
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_model(f"{folder}/tiny")
        server = Server(arguments.martlet, folder, arguments.port)
        try:
            run = Run(arguments, server)
            sys.exit(run.replay() if arguments.replay else run.all())
        finally:
            server.stop()


main()
