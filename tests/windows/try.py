#!/usr/bin/env python3
"""Tries the Windows programs as users have them: on Windows, or elsewhere in wine.

    try.py FOLDER      with p2pchat.exe, p2pchat-bridge.exe and p2pchat-registry.exe

Two people sign up and chat encrypted; a second front end and a bridge attach to their peers;
the page is served and its WebSocket opens; a killed peer is taken over; Ctrl-C ends a program in
order; what was said is there after a restart. Needs Python 3 without any package. The programs of
another system can be tried too: FOLDER may hold any that can be run.
"""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from http.client import HTTPConnection
from pathlib import Path

IS_WINDOWS = os.name == "nt"
# How long anything may take, in seconds: wine starts a program in some.
LIMIT = 60


class Program:
    """A program with its lines: what it writes is read all the time."""

    def __init__(self, folder, name, *options, console=False):
        self.name = name
        found = next(path for path in (folder / f"{name}.exe", folder / name) if path.exists())
        self.is_wine = found.suffix == ".exe" and not IS_WINDOWS
        line = ["wine"] * self.is_wine + [str(found), *map(self.path, options)]
        self.console = None
        stdin, flags = subprocess.PIPE, 0
        if console and IS_WINDOWS:
            flags = subprocess.CREATE_NEW_PROCESS_GROUP
        elif console:
            # A terminal of its own, on which Ctrl-C can be typed.
            self.console, stdin = os.openpty()
        self.process = subprocess.Popen(
            line, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            creationflags=flags, start_new_session=console and not IS_WINDOWS,
            preexec_fn=take_terminal if self.console else None)
        self.lines = queue.Queue()
        self.errors = []
        for stream, take in ((self.process.stdout, self.lines.put),
                             (self.process.stderr, self.errors.append)):
            threading.Thread(target=self.read, args=(stream, take), daemon=True).start()

    def path(self, option):
        """An option, with a path as the program's system writes it."""
        if isinstance(option, Path) and self.is_wine:
            return "Z:" + str(option).replace("/", "\\")
        return str(option)

    def read(self, stream, take):
        for line in stream:
            take(line.decode("utf-8").rstrip("\r\n"))
        if stream is self.process.stdout:
            take(None)

    def line(self):
        try:
            line = self.lines.get(timeout=LIMIT)
        except queue.Empty:
            sys.exit(f"{self.name} says nothing; before: {self.errors}")
        if line is None:
            sys.exit(f"{self.name} has ended: {self.errors}")
        return line

    def interrupt(self):
        """Types Ctrl-C on its terminal, or Ctrl-Break where a program is started by another."""
        if IS_WINDOWS:
            self.process.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            os.write(self.console, b"\x03")

    def kill(self):
        self.process.kill()
        self.process.wait(LIMIT)

    def end(self):
        """Waits for its end, and returns its exit code."""
        if self.process.stdin:
            self.process.stdin.close()
        return self.process.wait(LIMIT)


def take_terminal():
    """Makes standard input the terminal of this session."""
    import fcntl
    import termios
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Chat(Program):
    """A `p2pchat --json`: calls go in, events come out."""

    def __init__(self, folder, *options):
        super().__init__(folder, "p2pchat", "--json", *options)
        self.calls = 0

    def call(self, command, **fields):
        self.calls += 1
        line = json.dumps({"command": command, "id": self.calls, **fields}) + "\n"
        self.process.stdin.write(line.encode("utf-8"))
        self.process.stdin.flush()
        return self.wait(lambda event: event.get("re") == self.calls)

    def wait(self, condition):
        """The next event for which the condition holds."""
        while True:
            event = json.loads(self.line())
            if event["event"] == "failed":
                sys.exit(f"{event}")
            if condition(event):
                return event

    def post(self, text):
        """Waits for a message with this text, that came or is in the view."""
        def is_there(event):
            if event["event"] == "view":
                chats = event["view"]["conversations"]
                return any(line.get("text") == text for chat in chats for line in chat["lines"])
            return event["event"] == "post" and event["text"] == text
        return self.wait(is_there)


def step(what):
    print(what, flush=True)


def registry(folder, work):
    # Port 0: no test fixes a port.
    program = Program(folder, "p2pchat-registry", "--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0",
                      "--store", work / "accounts.sqlite3", console=True)
    line = program.line()
    tcp, udp, name = re.search(r"tcp \S+:(\d+) and udp \S+:(\d+), .*--registry ([^\s,]+)", line).groups()
    step(line)
    return program, ("--registry", name, "--hello-port", udp, "--unprivileged")


def person(folder, work, name, network, address):
    password = work / f"{name}.password"
    password.write_text("correct horse battery\n", encoding="utf-8")
    chat = Chat(folder, "--profile", work / name, *network, "--user", name, "--password-file", password,
                "--register", "--address", address)
    chat.wait(lambda event: event["event"] == "logged_in")
    step(f"{name} has signed up, at {address}")
    return chat


def page(url):
    """Loads the page of a bridge, and opens its WebSocket."""
    with urllib.request.urlopen(url, timeout=LIMIT) as answer:
        html = answer.read().decode("utf-8")
    assert answer.status == 200 and "<html" in html.lower(), html
    host = url.split("/")[2]
    socket = HTTPConnection(host, timeout=LIMIT)
    socket.request("GET", "/ws", headers={
        "Origin": f"http://{host}", "Connection": "Upgrade", "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "p2pchat.v2"})
    answer = socket.getresponse()
    # The answer to the key of RFC 6455.
    assert answer.status == 101, answer.status
    assert answer.headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    socket.close()
    step(f"the page has {len(html)} bytes, and its WebSocket opens")


def main(folder, work):
    server, network = registry(folder, work)
    # Not those that a peer takes by itself.
    alice = person(folder, work, "alice", network, "127.0.77.1")
    bob = person(folder, work, "bob", network, "127.0.77.2")

    conversation = alice.call("chat", **{"with": "bob"})["conversation"]
    bob.wait(lambda event: event["event"] == "chat" and "asked" in event["chat"]["standing"])
    bob.call("join", conversation=conversation)
    alice.call("say", conversation=conversation, text="lunch at noon?")
    bob.post("lunch at noon?")
    bob.call("say", conversation=conversation, text="fine with me ☕")
    alice.post("fine with me ☕")
    step("they have chatted")

    second = Chat(folder, "--profile", work / "alice")
    second.post("fine with me ☕")
    assert any("attached to p2pchat" in line for line in second.errors), second.errors
    second.call("say", conversation=conversation, text="from a second window")
    bob.post("from a second window")
    step("a second front end is attached")

    bridge = Program(folder, "p2pchat-bridge", "--profile", work / "bob", "--listen", "127.0.0.1:0", console=True)
    page(re.search(r"open (\S+)", bridge.line())[1])

    alice.kill()
    # The second front end's process runs a peer now, and signs in by the key.
    second.wait(lambda event: event["event"] == "logged_in")
    second.call("say", conversation=conversation, text="after the kill")
    bob.post("after the kill")
    step("a killed peer is taken over")
    codes = {"the second front end": second.end()}
    bridge.interrupt()
    codes["the bridge"] = bridge.end()
    codes["bob"] = bob.end()

    again = Chat(folder, "--profile", work / "alice", *network)
    again.wait(lambda event: event["event"] == "logged_in")
    posts = again.call("history", conversation=conversation, before=None)["posts"]
    texts = [post["text"] for post in posts if post["text"]]
    assert texts == ["lunch at noon?", "fine with me ☕", "from a second window", "after the kill"], texts
    step("after a restart everything is there")
    codes["alice"] = again.end()
    server.interrupt()
    codes["the registry"] = server.end()
    assert set(codes.values()) == {0}, codes
    step("all have ended in order")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        main(Path(sys.argv[1]).resolve(), Path(work).resolve())
