#!/usr/bin/env python3
"""A bot that lets everyone into its chat and answers them: to `!time` and `!who`.

    answer.py [OPTION…]     options of p2pchat, such as --profile bot

It runs `p2pchat --json`, which uses the p2pchat of the profile if one runs already.
"""

import json
import subprocess
import sys
import time


class Chat:
    """A `p2pchat --json`: calls go in, updates come out."""

    def __init__(self, options):
        self.process = subprocess.Popen(
            ["p2pchat", "--json", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self.calls = 0

    def call(self, command, **fields):
        """Sends a command, and returns its id."""
        self.calls += 1
        line = json.dumps({"command": command, "id": self.calls, **fields})
        print(line, file=self.process.stdin, flush=True)
        return self.calls

    def updates(self):
        """What happens, until p2pchat ends."""
        for line in self.process.stdout:
            yield json.loads(line)


def answer(text, members):
    """The answer to a message; None if it is not for the bot."""
    words = text.split()
    if words[:1] == ["!time"]:
        return time.strftime("It is %H:%M on this machine.")
    if words[:1] == ["!who"]:
        names = sorted(name or "unknown person" for name in members.values())
        return "In this chat: " + ", ".join(names)
    return None


def main(options):
    chat = Chat(options)
    members = {}  # their names, by address
    for update in chat.updates():
        event = update["event"]
        if event == "view":
            # The first update; it comes again if some were missed.
            view = update["view"]
            chats = [c for c in view["conversations"] if c["id"] == "open"]
            members = {m["address"]: m["name"] for c in chats for m in c["members"]}
            if view["incoming"]:
                accept(chat, view["incoming"])
        elif event == "request_received":
            accept(chat, update)
        elif event == "member_joined":
            members[update["member"]["address"]] = update["member"]["name"]
        elif event == "member_left":
            members.pop(update["member"]["address"], None)
        elif event == "chat_left":
            members.clear()
        elif event == "message" and update["deliveries"] is None:
            # A message of another user: `deliveries` is a list for those of this user.
            text = answer(update["text"], members)
            if text:
                chat.call("say", conversation=update["conversation"], text=text)
            chat.call("read", conversation=update["conversation"], message=update["id"])
        elif event == "failed":
            print(f"{update['command']}: {update['message']}; {update['advice']}", file=sys.stderr)
        # All other events are of no interest, and later versions may have new ones.
    return chat.process.wait()


def accept(chat, request):
    chat.call("accept", conversation=request["conversation"], **{"from": request["from"]["address"]})


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        pass
