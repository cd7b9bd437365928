#!/usr/bin/env python3
"""A bot that is in every chat that it is asked to, and answers `!time` and `!who`.

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


class Bot:
    """What the bot knows and does."""

    def __init__(self, chat):
        self.chat = chat
        self.members = {}  # of the open chat: their names, by address
        self.chats = {}  # the encrypted conversations, by id
        self.last = {}  # the id of the last message, by conversation
        self.request = None  # the last one that was accepted

    def on_update(self, update):
        event = update["event"]
        if event == "view":
            self.on_view(update["view"])
        elif event == "request_received":
            self.accept(update)
        elif event == "chat":
            self.on_chat(update["conversation"], update["chat"])
        elif event == "member_joined":
            self.members[update["member"]["address"]] = update["member"]["name"]
        elif event == "online":
            for user in update["users"]:
                if user["address"] in self.members:
                    self.members[user["address"]] = user["name"]
        elif event == "member_left":
            self.members.pop(update["member"]["address"], None)
        elif event == "chat_left":
            self.members.clear()
        elif event in ("message", "post"):
            self.on_message(update)
        elif event == "history":
            # The newest page, after a login.
            self.skip("open", update["messages"])
        elif event == "posts":
            self.skip(update["conversation"], update["posts"])
        elif event == "failed" and update["code"] == "has_encrypted":
            # The open chat is not encrypted: whose p2pchat is, is in it only if that is wanted.
            self.chat.call("allow_open", names=update["names"])
            self.accept(self.request)
        elif event == "failed":
            print(f"{update['command']}: {update['message']}; {update['advice']}", file=sys.stderr)
        # All other events are of no interest, and later versions may have new ones.

    def on_view(self, view):
        """All there is to see: the first update. It comes again if some were missed."""
        for chat in view["conversations"]:
            if chat["chat"]:
                self.on_chat(chat["id"], chat["chat"])
            else:
                self.members = {member["address"]: member["name"] for member in chat["members"]}
            messages = [line for line in chat["lines"] if line["kind"] != "notice"]
            if chat["id"] not in self.last:
                self.skip(chat["id"], messages)
            for message in messages:
                if message["id"] > self.last[chat["id"]]:
                    self.on_message(message)
        if view["incoming"]:
            self.accept(view["incoming"])

    def on_chat(self, conversation, chat):
        """There is an encrypted conversation, or it has changed."""
        self.chats[conversation] = chat
        # Someone asks the bot to be in it.
        if "asked" in chat["standing"]:
            self.chat.call("join", conversation=conversation)

    def skip(self, conversation, messages):
        """What was said before the bot came is not for it."""
        first = 0 if conversation == "open" else ""
        known = [self.last.get(conversation, first)]
        self.last[conversation] = max(known + [message["id"] for message in messages])

    def accept(self, request):
        self.request = request
        to = {"conversation": request["conversation"], "from": request["from"]["address"]}
        self.chat.call("accept", **to)

    def on_message(self, message):
        conversation = message["conversation"]
        # One that comes late may belong before the last.
        self.skip(conversation, [message])
        # A list for messages of this user, in any of their programs.
        if message.get("deliveries") is not None or message.get("receipts") is not None:
            return
        text = self.answer(conversation, message["text"].split())
        if text:
            self.chat.call("say", conversation=conversation, text=text)
        self.chat.call("read", conversation=conversation, message=message["id"])

    def answer(self, conversation, words):
        """The answer to a message; None if it is not for the bot."""
        if words[:1] == ["!time"]:
            return time.strftime("It is %H:%M on this machine.")
        if words[:1] == ["!who"]:
            names = sorted(name or "unknown person" for name in self.names(conversation))
            return "In this chat: " + ", ".join(names)
        return None

    def names(self, conversation):
        """Who is in a conversation, without the bot."""
        if conversation == "open":
            return self.members.values()
        return [member["who"]["name"] for member in self.chats[conversation]["members"]]


def main(options):
    chat = Chat(options)
    bot = Bot(chat)
    for update in chat.updates():
        bot.on_update(update)
    return chat.process.wait()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        pass
