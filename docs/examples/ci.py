#!/usr/bin/env python3
"""A bridge from a CI system: takes webhooks, and posts the results of builds in the chat.

    CI_TOKEN=… ci.py [PORT]

A build is a POST of {"build": "4711", "project": "web", "status": "failed", "url": "…"} with the
token in the header X-Token. The answer is 200 once the message is in the history. A webhook that
comes a second time, as after a timeout, posts nothing more: its text is its id.

It listens on this machine alone, and sends with the p2pchat that runs for this user already.
"""

import hashlib
import hmac
import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = os.environ.get("CI_TOKEN", "")
# The name or the id of a conversation: by default the open chat, which is not encrypted.
CHAT = os.environ.get("CI_CONVERSATION", "open")
MARKS = {"success": "✔", "failed": "✘"}
MAX_BODY = 64 * 1024

# What an exit code of `p2pchat send` means to the CI system.
STATUS = {0: 200, 5: 409, 6: 504}


def post(build):
    """Sends the result of a build, and returns the HTTP status and words for it."""
    mark = MARKS.get(build["status"], "•")
    text = f"{mark} {build['project']} build {build['build']}: {build['status']} {build.get('url', '')}"
    text = text.strip()
    name = hashlib.sha256(text.encode()).hexdigest()[:32]
    sent = subprocess.run(
        ["p2pchat", "send", "--conversation", CHAT, "--wait", "stored", "--id", f"ci-{name}"],
        input=text,
        encoding="utf-8",
        stderr=subprocess.PIPE,
    )
    return STATUS.get(sent.returncode, 503), sent.stderr.strip()


class Webhook(BaseHTTPRequestHandler):
    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY:
            return self.answer(413, "too long, or of unknown length")
        body = self.rfile.read(int(length))
        if not hmac.compare_digest(self.headers.get("X-Token", "").encode(), TOKEN.encode()):
            return self.answer(403, "wrong token")
        try:
            status, words = post(json.loads(body))
        except (ValueError, KeyError, TypeError) as error:
            status, words = 400, f"not a build: {error!r}"
        self.answer(status, words)

    def answer(self, status, words):
        body = (words + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    if not TOKEN:
        sys.exit("set CI_TOKEN to a secret that the CI system sends as X-Token")
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    server = ThreadingHTTPServer(("127.0.0.1", port), Webhook)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
