"""`martlet chat` as a person at a terminal meets it: a pseudo-terminal, with PyPI's pyte as the screen.

    python terminal_suite.py MARTLET
"""

import fcntl, json, os, pty, select, signal, struct, sys, tempfile, termios, time, traceback

import pyte

MARTLET = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/martlet")
UP, LEFT, CTRL_C, CTRL_D = b"\x1b[A", b"\x1b[D", b"\x03", b"\x04"


class Terminal:
    """A program on a pseudo-terminal of its own."""

    def __init__(self, *arguments, home=None, columns=60, rows=20, environment={}):
        self.home = home or tempfile.mkdtemp()
        self.screen = pyte.HistoryScreen(columns, rows, history=5000)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.code = None
        variables = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "HOME": self.home, "LANG": "C.UTF-8"}
        variables.update(environment)
        # Who holds the other end open keeps the settings readable after the program has gone.
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(MARTLET, [MARTLET, *arguments], variables)
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.fd)

    def resize(self, columns, rows):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def pump(self, seconds=0.05):
        end = time.time() + seconds
        while (left := end - time.time()) > 0:
            if not select.select([self.fd], [], [], left)[0]:
                continue
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                return False
            if not data:
                return False
            self.raw += data
            self.stream.feed(data)
        return True

    def send(self, data):
        data = data.encode() if isinstance(data, str) else data
        while data:
            if select.select([], [self.fd], [], 0.2)[1]:
                data = data[os.write(self.fd, data[:512]):]
            self.pump(0.001)

    def wait(self, holds, seconds=60):
        end = time.time() + seconds
        while not holds():
            assert time.time() < end, "waited in vain; the screen shows:\n" + "\n".join(self.lines())
            if not self.pump():
                break
        assert holds(), "the program has gone; the screen shows:\n" + "\n".join(self.lines())

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines())

    def at_prompt(self):
        return self.screen.display[self.screen.cursor.y].startswith("> ")

    def prompt(self):
        self.wait(lambda: self.at_prompt() and self.screen.cursor.x == 2)

    def ask(self, text):
        """Sends a line and waits for the answer's end."""
        seen = len(self.raw)
        self.send(text)
        self.send("\r")
        self.wait(lambda: b"\x1b[?2004h" in self.raw[seen:] and self.at_prompt() or not self.pump(0.01))

    def leave(self, data=CTRL_D):
        if data:
            self.send(data)
        end = time.time() + 60
        while self.code is None and time.time() < end:
            self.pump()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        assert self.code is not None, "it has not ended"
        return self.code

    def holder(self):
        """Another descriptor, which keeps the terminal alive when the program has gone."""
        number = struct.unpack("I", fcntl.ioctl(self.fd, 0x80045430, b"\0" * 4))[0]  # TIOCGPTN
        return os.open(f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY)

    def said(self, words):
        """Whether the program has ever written this, however its lines were broken."""
        return words in " ".join(self.raw.decode(errors="replace").split())

    def modes(self):
        return termios.tcgetattr(self.fd)

    def last(self):
        with open(self.home + "/.martlet/chat/last.json") as file:
            return json.load(file)["messages"]

    def asked(self):
        return [message["content"] for message in self.last() if message["role"] == "user"]


def chat(*arguments, **options):
    terminal = Terminal("chat", "box", "-n", "12", *arguments, **options)
    terminal.prompt()
    return terminal


# ---- cases


def a_line_is_longer_than_the_kernel_keeps():
    terminal = chat()
    long = "".join(chr(97 + i % 26) for i in range(20_000))
    terminal.ask(long)
    assert terminal.leave() == 0 and terminal.asked() == [long]


def wide_and_combining_letters_are_edited():
    terminal = chat()
    terminal.send("日本e\u0301語")
    terminal.wait(lambda: "日本" in terminal.text().replace(" ", "") and terminal.screen.cursor.x == 9)
    terminal.send(LEFT)
    terminal.wait(lambda: terminal.screen.cursor.x == 7)
    terminal.send(LEFT)
    terminal.wait(lambda: terminal.screen.cursor.x == 6)
    terminal.send("X\x7f\x7f👍")
    terminal.ask("")
    assert terminal.leave() == 0 and terminal.asked() == ["日👍e\u0301語"], terminal.asked()


def bytes_may_come_one_by_one():
    terminal = chat()
    for byte in "é日\x1b[D👍".encode():
        terminal.send(bytes([byte]))
        terminal.pump(0.01)
    terminal.ask("")
    assert terminal.leave() == 0 and terminal.asked() == ["é👍日"]


def pasted_lines_are_one_message():
    terminal = chat()
    terminal.send("see: \x1b[200~one\r\ntwo\r\n\tthree\x1b[201~")
    terminal.wait(lambda: "three" in terminal.text())
    assert not os.path.exists(terminal.home + "/.martlet/chat/last.json")
    terminal.ask("!")
    assert terminal.leave() == 0 and terminal.asked() == ["see: one\ntwo\n\tthree!"]


def several_lines_are_written():
    terminal = chat()
    terminal.ask("a\\\rb\x1b\rc")
    terminal.send('"""\rx\r  y')
    terminal.ask('"""')
    assert terminal.leave() == 0 and terminal.asked() == ["a\nb\nc", "x\n  y"], terminal.asked()


def ctrl_c_stops_the_answer_and_keeps_the_conversation():
    terminal = Terminal("chat", "box", "-n", "-1")
    terminal.prompt()
    seen = len(terminal.raw)
    terminal.send("ROMEO: speak\r")
    terminal.wait(lambda: len(terminal.raw) > seen + 200)
    terminal.send(CTRL_C)
    terminal.wait(lambda: "stopped" in terminal.text() and terminal.at_prompt())
    assert len(terminal.last()) == 2 and terminal.last()[1]["content"]
    terminal.send("/quit\r")
    assert terminal.leave(None) == 0


def ctrl_c_clears_the_line_and_twice_leaves():
    terminal = chat()
    terminal.send("never sent" + "\x03")
    terminal.prompt()
    terminal.ask("sent")
    assert terminal.asked() == ["sent"]
    terminal.send(CTRL_C)
    terminal.wait(lambda: "Ctrl-D to quit" in terminal.text())
    assert terminal.leave(CTRL_C) == 0


def history_is_kept_between_runs():
    terminal = chat()
    terminal.ask("first of all")
    terminal.ask("/history")
    assert terminal.leave() == 0
    again = chat(home=terminal.home)
    again.send(UP + UP)
    again.wait(lambda: "> first of all" in again.text())
    again.ask(" again")
    assert again.leave() == 0 and again.asked() == ["first of all again"]


def signals_leave_the_terminal_sane():
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        for answering in (False, True):
            terminal = Terminal("chat", "box", "-n", "-1")
            terminal.prompt()
            if answering and number == signal.SIGINT:
                continue
            if answering:
                seen = len(terminal.raw)
                terminal.send("ROMEO:\r")
                terminal.wait(lambda: len(terminal.raw) > seen + 100)
            else:
                terminal.send("half a li")
            os.kill(terminal.pid, number)
            assert terminal.leave(None) == 128 + number, (number, answering, terminal.code)
            assert terminal.raw.rfind(b"\x1b[?2004l") > terminal.raw.rfind(b"\x1b[?2004h")


def the_modes_are_what_they_were():
    for leave in (CTRL_D, b"/quit\r", CTRL_C + CTRL_C, b"SIGTERM"):
        terminal = Terminal("chat", "box", "-n", "5")
        holder = terminal.holder()
        terminal.prompt()
        assert not terminal.modes()[3] & termios.ICANON
        if leave == b"SIGTERM":
            os.kill(terminal.pid, signal.SIGTERM)
            terminal.leave(None)
        else:
            terminal.leave(leave)
        assert terminal.modes()[3] & termios.ICANON and terminal.modes()[3] & termios.ECHO
        assert terminal.modes()[:4] == terminal.before[:4], leave
        os.close(holder)


def a_failing_start_leaves_the_modes():
    terminal = Terminal("chat", "/nowhere.gguf")
    holder = terminal.holder()
    assert terminal.leave(None) == 1 and terminal.modes()[3] & termios.ECHO
    assert "nowhere" in terminal.text()
    os.close(holder)


def a_resized_window_is_drawn_again():
    terminal = chat(columns=60, rows=12)
    words = " ".join(f"word{i}" for i in range(20))
    terminal.send(words)
    terminal.wait(lambda: "word19" in terminal.text())
    terminal.screen.resize(12, 30)
    terminal.resize(30, 12)
    terminal.pump(0.6)
    shown = "".join(line.ljust(29)[:29] for line in terminal.lines())
    assert all(f"word{i}" in shown for i in range(20)), terminal.text()
    terminal.ask("")
    assert terminal.leave() == 0 and terminal.asked() == [words]


def an_idle_prompt_is_left_alone():
    """What is drawn again and again cannot be marked with the mouse."""
    terminal = chat()
    terminal.send("half")
    terminal.wait(lambda: "> half" in terminal.text())
    terminal.pump(0.3)
    seen = len(terminal.raw)
    terminal.pump(1.5)
    assert len(terminal.raw) == seen, terminal.raw[seen:]
    os.kill(terminal.pid, signal.SIGSTOP)
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.wait(lambda: b"half" in terminal.raw[seen:])
    terminal.send(b"\x15")
    assert terminal.leave() == 0


def long_texts_are_seen_around_the_cursor():
    terminal = chat(rows=8)
    terminal.send("\x1b[200~" + "\n".join(f"row {i}" for i in range(30)) + "\x1b[201~")
    terminal.wait(lambda: "row 29" in terminal.text() and "row 23" in terminal.text())
    terminal.send(UP * 29)
    terminal.wait(lambda: "> row 0" in terminal.text())
    terminal.ask("X")
    assert terminal.leave() == 0 and terminal.asked()[0].count("row") == 30


def colours_and_escapes_are_left_out_where_asked():
    plain = chat(environment={"NO_COLOR": "1"})
    plain.ask("hi")
    plain.leave()
    assert b"\x1b[1m" not in plain.raw and b"\x1b[2m" not in plain.raw
    coloured = chat(environment={"NO_COLOR": ""})
    coloured.leave()
    assert b"\x1b[1m" in coloured.raw
    dumb = Terminal("chat", "box", "-n", "5", environment={"TERM": "dumb"})
    dumb.wait(dumb.at_prompt)
    dumb.send("hellx\x7fo " + "z" * 6000)
    dumb.pump(0.5)
    dumb.send("\r")
    dumb.pump(0.5)
    assert dumb.leave() == 0 and b"\x1b" not in dumb.raw, dumb.raw[:200]
    assert dumb.asked() == ["hello " + "z" * 6000]


def typing_ahead_is_kept():
    terminal = Terminal("chat", "box", "-n", "40")
    terminal.send("first\rsecond\r")
    terminal.wait(lambda: os.path.exists(terminal.home + "/.martlet/chat/last.json") and len(terminal.last()) == 4)
    assert terminal.leave() == 0 and terminal.asked() == ["first", "second"]


def commands_do_what_they_say():
    terminal = chat("--seed", "3")
    terminal.ask("/retyr")
    assert "did you mean /retry" in terminal.text()
    terminal.ask("/etc/hosts is what?")
    assert "/etc/hosts is not a command" in " ".join(terminal.text().split())
    terminal.ask(" /etc/hosts is what?")
    assert terminal.asked() == ["/etc/hosts is what?"]
    answers = {terminal.last()[1]["content"]}
    for _ in range(4):
        terminal.ask("/retry")
        answers.add(terminal.last()[1]["content"])
    assert len(answers) > 2, answers
    before = terminal.last()[1]["content"]
    terminal.ask("/continue")
    assert terminal.last()[1]["content"].startswith(before) and len(terminal.last()) == 2
    terminal.ask("second")
    terminal.ask("/undo")
    assert len(terminal.last()) == 2
    path = terminal.home + "/c.json"
    terminal.ask("/save " + path)
    assert json.load(open(path))["messages"] == terminal.last()
    terminal.ask("/edit 1 other words")
    assert terminal.asked() == ["other words"]
    terminal.ask("/load " + path)
    assert terminal.asked() == ["/etc/hosts is what?"]
    terminal.ask("/set temperature -3")
    assert "temperature must be" in terminal.text()
    assert terminal.leave() == 0
    again = Terminal("chat", "box", "-n", "3", "--continue", home=terminal.home)
    again.wait(lambda: "2 messages" in again.text())
    again.prompt()
    again.ask("more")
    assert again.leave() == 0 and again.asked() == ["/etc/hosts is what?", "more"]


def a_full_context_ends_nothing():
    terminal = chat("--ctx-size", "200", "--system", "Told.", rows=40)
    for turn in range(6):
        terminal.ask(f"turn {turn} " + "w" * 40)
    assert terminal.said("are left out"), terminal.text()
    assert len(terminal.last()) == 13
    terminal.ask("y" * 300)
    assert terminal.said("the context ends at 200")
    assert len(terminal.last()) == 13
    terminal.ask("/history")
    assert terminal.said("left out, the context is full")
    terminal.ask("short")
    assert terminal.leave() == 0 and terminal.asked()[-1] == "short"


CASES = [value for name, value in list(globals().items()) if callable(value) and value.__module__ == __name__
         and not isinstance(value, type) and name not in ("chat",)]

if __name__ == "__main__":
    failed = 0
    wanted = sys.argv[2:]
    for case in CASES:
        if wanted and case.__name__ not in wanted:
            continue
        started = time.time()
        try:
            case()
            print(f"ok    {case.__name__} ({time.time() - started:.1f} s)", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL  {case.__name__}\n{traceback.format_exc()}", flush=True)
    sys.exit(1 if failed else 0)
