"""Makes vectors-2.json, the golden vectors of version 2, without any code of ours.

    pip install protobuf grpcio-tools cryptography argon2-cffi
    python3 crates/protocol/tests/make_vectors_2.py > crates/protocol/tests/vectors-2.json

docs/protocol-2.md is all that it was written from. Its output never changes for what is there
already: add what is new.
"""

import base64
import hashlib
import importlib
import json
import pathlib
import sys
import tempfile

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from grpc_tools import protoc

DOCS = pathlib.Path(__file__).resolve().parents[3] / "docs"


def compiled():
    """The messages of docs/protocol-2.proto."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["", f"-I{DOCS}", f"--python_out={folder}", "protocol-2.proto"]
        assert protoc.main(arguments) == 0
        sys.path.insert(0, folder)
        return importlib.import_module("protocol_2_pb2")


PB = compiled()


# Keys


def public(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def argon2id(secret, salt, length):
    return hash_secret_raw(secret, salt, 3, 64 * 1024, 1, length, Type.ID)


DOMAIN = b"p2pchat device certificate"


def certificate(device, person, signer=None, domain=DOMAIN, version=b"\x01"):
    head = version + public(device) + public(person)
    return head + (signer or person).sign(domain + head)


def fingerprint(key):
    text = base64.b32encode(hashlib.sha256(key).digest()[:16]).decode().rstrip("=")
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def code(key):
    number = int.from_bytes(argon2id(key, b"p2pchat person code 1", 16), "big")
    text = f"{number % 10**20:020}"
    return " ".join(text[at : at + 4] for at in range(0, 20, 4))


MARK = b"p2pchat-person-1 "


def exported(seed, password, salt=b"s" * 16, nonce=b"n" * 12, mark=MARK):
    key = argon2id(password.encode(), salt, 32)
    sealed = ChaCha20Poly1305(key).encrypt(nonce, seed, mark)
    return (MARK + base64.b64encode(salt + nonce + sealed)).decode() + "\n"


SEEDS = {"device": bytes(range(32)), "person": bytes(range(32, 64)), "other": b"\x07" * 32}
KEYS = {name: Ed25519PrivateKey.from_private_bytes(seed) for name, seed in SEEDS.items()}
DEVICE, PERSON, OTHER = KEYS["device"], KEYS["person"], KEYS["other"]
CERTIFICATE = certificate(DEVICE, PERSON)


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def with_greater_s(data):
    """The same signature with S + L for S, which RFC 8032 does not allow."""
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(data[-32:], "little") + order
    return data[:-32] + s.to_bytes(32, "little")


def key_vectors():
    texts = [public(key) for key in KEYS.values()] + [b"\x00" * 32, b"\xff" * 32]
    exports = [("secret", PERSON), ("pass wörd" * 23, PERSON), ("x" * 256, OTHER)]
    seed = SEEDS["person"]
    good = exported(seed, "secret")
    return {
        "keys": [
            {"seed": SEEDS[name].hex(), "public": public(key).hex()} for name, key in KEYS.items()
        ],
        "fingerprints": [{"key": key.hex(), "text": fingerprint(key)} for key in texts],
        "codes": [{"key": key.hex(), "text": code(key)} for key in texts],
        "certificates": [
            {"device_seed": SEEDS[d].hex(), "person_seed": SEEDS[p].hex(), "hex": c.hex()}
            for d, p, c in [
                ("device", "person", CERTIFICATE),
                ("other", "person", certificate(OTHER, PERSON)),
            ]
        ],
        "false_certificates": [
            {"name": name, "hex": data.hex()}
            for name, data in [
                ("another device", flipped(CERTIFICATE, 1)),
                ("another person", flipped(CERTIFICATE, 33)),
                ("first half of the signature", flipped(CERTIFICATE, 65)),
                ("second half of the signature", flipped(CERTIFICATE, 97)),
                ("signed by the device", certificate(DEVICE, PERSON, DEVICE)),
                ("signed by someone else", certificate(DEVICE, PERSON, OTHER)),
                ("signed without a domain", certificate(DEVICE, PERSON, domain=b"")),
                ("S that is too great", with_greater_s(CERTIFICATE)),
            ]
        ],
        "malformed_certificates": [
            {"name": name, "hex": data.hex()}
            for name, data in [
                ("empty", b""),
                ("one byte short", CERTIFICATE[:-1]),
                ("one byte more", CERTIFICATE + b"\0"),
                ("version 0", certificate(DEVICE, PERSON, version=b"\0")),
                ("version 2", certificate(DEVICE, PERSON, version=b"\2")),
            ]
        ],
        "exported": [
            {
                "seed": key.private_bytes_raw().hex(),
                "password": password,
                "salt": (b"s" * 16).hex(),
                "nonce": (b"n" * 12).hex(),
                "text": exported(key.private_bytes_raw(), password),
            }
            for password, key in exports
        ],
        "false_exports": [
            {"name": name, "password": password, "text": text, "error": error}
            for name, password, text, error in [
                ("another password", "Secret", good, "password"),
                ("another nonce", "secret", replaced(good, 20), "password"),
                ("another salt", "secret", replaced(good, 0), "password"),
                ("a changed seed", "secret", replaced(good, 30), "password"),
                ("a changed tag", "secret", replaced(good, 75), "password"),
                ("another mark within", "secret", exported(seed, "secret", mark=b""), "password"),
                ("nothing", "secret", "", "form"),
                ("another version", "secret", good.replace("-1 ", "-2 "), "form"),
                ("no mark", "secret", good[len(MARK) :], "form"),
                ("cut", "secret", good[:-5], "form"),
                ("longer", "secret", replaced(good, None), "form"),
                ("no base64", "secret", good.replace("c", "-"), "form"),
            ]
        ],
    }


def replaced(text, at):
    """With another byte at a place, or a byte more."""
    data = base64.b64decode(text[len(MARK) :])
    data = data + b"\0" if at is None else flipped(data, at)
    return (MARK + base64.b64encode(data)).decode() + "\n"


# Frames


def frame(kind, message):
    return len(message).to_bytes(4, "big") + bytes([kind]) + message


def entry(name, kind, message, /, **fields):
    return {"name": name, "kind": kind, "fields": fields, "hex": frame(kind, message).hex()}


def encoded(message, /, **fields):
    return getattr(PB, message)(**fields).SerializeToString(deterministic=True)


def simple(name, kind, message, /, **fields):
    """A frame whose fields are those of its message."""
    shown = {key: as_json(value) for key, value in fields.items()}
    return entry(name, kind, encoded(message, **fields), **shown)


def as_json(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value


LONG = "correct horse battery staple"
LONGEST = "ä" * 128


def to_registry():
    sign_in = dict(name="bob", certificate=CERTIFICATE, port=5858, version_1=True, status=0)
    return [
        simple(
            "sign up",
            1,
            "SignUp",
            name="bob",
            password=LONG,
            certificate=CERTIFICATE,
            display_name="Bob B.",
        ),
        simple(
            "sign up, longest",
            1,
            "SignUp",
            name="abcdefghij",
            password=LONGEST,
            certificate=CERTIFICATE,
            display_name="x" * 64,
        ),
        simple(
            "sign up, shortest",
            1,
            "SignUp",
            name="b",
            password="p",
            certificate=CERTIFICATE,
            display_name="",
        ),
        simple("sign in by key", 2, "SignIn", **sign_in),
        simple("sign in by password", 2, "SignIn", **{**sign_in, "password": LONG}),
        simple(
            "sign in, away at another port, without version 1",
            2,
            "SignIn",
            **{**sign_in, "name": "zoë", "port": 65535, "version_1": False, "status": 2},
        ),
        simple("subscribe", 3, "Empty"),
        simple("lookup", 4, "Name", name="carol"),
        simple("lookup of bob", 4, "Name", name="bob"),
        simple("lookup of a legacy name", 4, "Name", name="10.0.0.1 x"),
        simple("available", 5, "Number", number=0),
        simple("busy", 5, "Number", number=1),
        simple("away", 5, "Number", number=2),
        simple("display name", 6, "Name", name="Zoë van der Berg"),
        simple("no display name", 6, "Name", name=""),
        simple("change password", 7, "ChangePassword", old="secret", new=LONGEST),
        simple("allow version 1", 8, "Number", number=1),
        simple("allow version 1 no more", 8, "Number", number=0),
        simple("sign out", 9, "Empty"),
        simple("ping", 10, "Empty"),
        simple("lookup of a person", 129, "LookupKey", person=public(PERSON)),
        simple("lookup of another person", 129, "LookupKey", person=public(OTHER)),
    ]


def users(name, kind, listed, /, **fields):
    message = encoded("Users", users=[PB.User(**user) for user in listed], **fields)
    return entry(name, kind, message, users=listed, **fields)


def device(byte):
    return int.from_bytes(bytes([byte]) * 8, "big")


LAPTOP = dict(
    name="bob",
    device=device(1),
    address=0x0A000009,
    port=5858,
    status=0,
    version_1=True,
    serial=3,
    display_name="Bob B.",
)
LEGACY = dict(name="carol", address=0x7F000002, port=5858, version_1=True)
PHONE_GONE = dict(name="bob", device=device(2))
LONGEST_USER = dict(
    name="abcdefghij",
    device=2**64 - 1,
    address=0xDFFFFFFF,
    port=65535,
    status=2,
    version_1=True,
    serial=2**63 - 1,
    display_name="x" * 64,
)


# What a registry on the same machine tells of the device of the certificate.
AT_HOME = dict(
    name="bob",
    device=int.from_bytes(public(DEVICE)[:8], "big"),
    address=0x7F000001,
    port=5858,
    status=0,
    version_1=True,
    serial=1,
    display_name="Bob B.",
)
BUSY_AT_HOME = {key: value for key, value in AT_HOME.items() if key != "display_name"} | dict(
    status=1
)


def from_registry():
    devices = [CERTIFICATE, certificate(OTHER, PERSON)]
    found = dict(
        name="bob", serial=3, person=public(PERSON), display_name="Bob B.", devices=devices
    )
    signed_in = dict(serial=1, display_name="", address=0x0A000009, allows_version_1=False)
    return [
        simple("welcome", 65, "Welcome", time=1_795_910_400_000),
        simple("done", 66, "Empty"),
        *(simple(f"refused {number}", 67, "Number", number=number) for number in range(1, 15)),
        simple("signed in", 68, "SignedIn", **signed_in),
        simple(
            "signed in at home",
            68,
            "SignedIn",
            serial=1,
            display_name="Bob B.",
            address=0x7F000001,
            allows_version_1=False,
        ),
        simple(
            "signed in, later",
            68,
            "SignedIn",
            serial=2**63 - 1,
            display_name="Bob B.",
            address=0xC0A80114,
            allows_version_1=True,
        ),
        simple("found", 69, "Found", **found),
        simple("found at home", 69, "Found", **{**found, "serial": 1, "devices": [CERTIFICATE]}),
        simple("found, most devices", 69, "Found", **{**found, "devices": [CERTIFICATE] * 16}),
        simple(
            "found, nobody",
            69,
            "Found",
            name="bob",
            serial=4,
            person=b"",
            display_name="Bob B.",
            devices=[],
        ),
        users("snapshot of nobody", 70, [], begins=True, ends=True),
        users("snapshot, first part", 70, [LAPTOP, LEGACY], begins=True, ends=False),
        users("snapshot, a part", 70, [LONGEST_USER] * 3, begins=False, ends=False),
        users("snapshot, last part", 70, [LAPTOP], begins=False, ends=True),
        users("snapshot at home", 70, [AT_HOME], begins=True, ends=True),
        users("delta, busy at home", 71, [BUSY_AT_HOME]),
        users("delta", 71, [LAPTOP, PHONE_GONE]),
        users("delta, a name taken away", 71, [{**LAPTOP, "display_name": ""}]),
        users("delta, a login of version 1 that is gone", 71, [dict(name="carol")]),
        simple("pong", 72, "Empty"),
        *(simple(f"goodbye {number}", 73, "Number", number=number) for number in range(1, 5)),
    ]


# What is odd and good: other bytes for the same frame.


def odd():
    away = {"number": 2}
    return [
        entry("a varint that is longer than needed", 5, b"\x08\x82\x80\x00", **away),
        entry("a field twice, the last counts", 5, b"\x08\x01\x08\x02", **away),
        entry("an unknown field", 5, b"\x08\x02\x7a\x03new\xf9\x01" + b"\x07" * 8, **away),
        entry("a default that is written out", 5, b"\x08\x00", number=0),
        entry(
            "fields in another order",
            7,
            b"\x12\x03new\x0a\x03old",
            old="old",
            new="new",
        ),
    ]


# What is not good.


def fault(name, data, error, session=True):
    return {"name": name, "hex": data.hex(), "error": error, "session": session}


def long_ping(length):
    """A ping with an unknown field, so that its message has this length."""
    field = length - 3
    return frame(10, bytes([0x7A, field & 0x7F | 0x80, field >> 7]) + bytes(field))


def faults_to_registry():
    def kind(name, number):
        return fault(name, frame(number, b""), "kind")

    def bad(name, number, message):
        return fault(name, frame(number, message), "message")

    def sign_in(name, /, **changes):
        fields = dict(name="bob", certificate=CERTIFICATE, port=5858)
        fields = {key: value for key, value in {**fields, **changes}.items() if value is not None}
        return bad(name, 2, encoded("SignIn", **fields))

    def sign_up(name, /, **changes):
        fields = dict(name="bob", password="secret", certificate=CERTIFICATE)
        fields = {key: value for key, value in {**fields, **changes}.items() if value is not None}
        return bad(name, 1, encoded("SignUp", **fields))

    return [
        fault("longer than allowed without a session", long_ping(1025), "length", False),
        fault("longer than allowed in a session", long_ping(4097), "length"),
        fault("a length of 4 GiB", b"\xff\xff\xff\xff\x0a", "length"),
        kind("unknown kind 0", 0),
        kind("unknown kind 11", 11),
        kind("unknown kind 127", 127),
        kind("a kind of the other direction", 66),
        bad("a message that ends too early", 4, b"\x0a\x05bob"),
        bad("a varint without an end", 5, b"\x08" + b"\xff" * 10 + b"\x01"),
        bad("a field of another type", 4, b"\x08\x02"),
        bad("a field with the number 0", 10, b"\x02\x00"),
        bad("a name that is not UTF-8", 4, b"\x0a\x02\xff\xfe"),
        bad("no name", 4, b""),
        bad("a name of 11 bytes", 4, encoded("Name", name="abcdefghijk")),
        bad("a name with a control character", 4, encoded("Name", name="b\nb")),
        bad("an unknown status", 5, encoded("Number", number=3)),
        bad("neither yes nor no", 8, encoded("Number", number=2)),
        bad("a display name of 65 bytes", 6, encoded("Name", name="x" * 65)),
        bad("a display name with a control character", 6, encoded("Name", name="b\x1bb")),
        bad("a display name with a space at its end", 6, encoded("Name", name="bob ")),
        bad("no new password", 7, encoded("ChangePassword", old="secret")),
        bad("no old password", 7, encoded("ChangePassword", new="secret")),
        bad("a password that is not UTF-8", 7, b"\x0a\x01o\x12\x02\xc3\x28"),
        sign_in("sign in without a name", name=None),
        sign_in("sign in without a certificate", certificate=None),
        sign_in("sign in with a short certificate", certificate=CERTIFICATE[:-1]),
        sign_in("sign in with a long certificate", certificate=CERTIFICATE + b"\0"),
        sign_in(
            "sign in with a certificate of version 2",
            certificate=certificate(DEVICE, PERSON, version=b"\2"),
        ),
        sign_in("sign in without a port", port=None),
        sign_in("sign in with port 65536", port=65536),
        sign_in("sign in with an empty password", password=""),
        sign_in("sign in with an unknown status", status=3),
        sign_up("sign up without a password", password=None),
        sign_up("sign up with a password of 257 bytes", password="x" * 257),
        sign_up("sign up with a NUL in the password", password="a\0b"),
        sign_up("sign up without a certificate", certificate=None),
        bad("a lookup of no person", 129, b""),
        bad("a short person to be looked up", 129, encoded("LookupKey", person=b"\x01" * 31)),
        bad("a long person to be looked up", 129, encoded("LookupKey", person=b"\x01" * 33)),
    ]


def faults_from_registry():
    def bad(name, number, message):
        return fault(name, frame(number, message), "message")

    def listed(name, *listed, kind=71):
        return bad(name, kind, encoded("Users", users=[PB.User(**user) for user in listed]))

    found = dict(name="bob", serial=3, person=public(PERSON))
    return [
        fault("longer than allowed", b"\x00\x01\x00\x01\x46", "length"),
        fault("unknown kind 0", frame(0, b""), "kind"),
        fault("unknown kind 74", frame(74, b""), "kind"),
        fault("a kind of the other direction", frame(10, b""), "kind"),
        bad("longer than all but lists may be", 72, b"\x7a\xfe\x1f" + b"\0" * 4094),
        bad("refusal 0", 67, b""),
        bad("refusal 15", 67, encoded("Number", number=15)),
        bad("goodbye 0", 73, b""),
        bad("goodbye 5", 73, encoded("Number", number=5)),
        bad("signed in at no address", 68, encoded("SignedIn", serial=1)),
        bad("17 devices", 69, encoded("Found", **found, devices=[CERTIFICATE] * 17)),
        bad("a short device", 69, encoded("Found", **found, devices=[CERTIFICATE[:-1]])),
        bad("a short person", 69, encoded("Found", **{**found, "person": b"\x01" * 31})),
        listed("513 users", *[PHONE_GONE] * 513),
        listed("a user without a name", {**LAPTOP, "name": ""}),
        listed("a user without a port", {**LAPTOP, "port": 0}),
        listed("a user at a group's address", {**LAPTOP, "address": 0xE0000001}),
        listed("a user with an unknown status", {**LAPTOP, "status": 3}),
        listed("a user with a display name of 65 bytes", {**LAPTOP, "display_name": "x" * 65}),
        listed("a snapshot with a user who is gone", LAPTOP, PHONE_GONE, kind=70),
    ]


def longest_ping():
    """The longest that a client may send, without a session and within one."""
    return [{"session": session, "hex": long_ping(length).hex()} for session, length in LONGEST_PING]


LONGEST_PING = [(False, 1024), (True, 4096)]


def skipped():
    return [
        {"name": f"unknown kind {kind}", "hex": frame(kind, message).hex()}
        for kind, message in [(128, b""), (200, b"\xff" * 100), (255, b"what comes later")]
    ]


# Entries of conversations


def seeded(byte):
    return Ed25519PrivateKey.from_private_bytes(bytes([byte]) * 32)


# The owner is the person of the certificate above.
BOB, BOB_LAPTOP = seeded(8), seeded(9)
BOB_CERTIFICATE = certificate(BOB_LAPTOP, BOB)
ZERO = bytes(32)
ROSTER_DOMAIN, TALK_DOMAIN = b"p2pchat roster entry", b"p2pchat talk entry"
ROSTER_KINDS = ["create", "add", "join", "owner", "resign", "remove", "leave", "rename"]
NOON = 1_795_910_400_000 << 16


def number(value, size):
    return value.to_bytes(size, "big")


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def id_of(entry):
    return sha256(ROSTER_DOMAIN, entry[:-64])


def signed(unsigned, signer, domain=ROSTER_DOMAIN, hashed=None):
    return unsigned + signer.sign(domain + sha256(hashed or domain, unsigned))


def named(text):
    data = text if isinstance(text, bytes) else text.encode()
    return number(len(data), 1) + data


def ids(*listed):
    return number(len(listed), 2) + b"".join(listed)


def cut(*pairs):
    return number(len(pairs), 2) + b"".join(join + number(count, 8) for join, count in pairs)


def unsigned_roster(kind, body, conversation=ZERO, under=ZERO, clock=NOON, version=1):
    kind = ROSTER_KINDS.index(kind) + 1 if isinstance(kind, str) else kind
    return bytes([version, kind]) + conversation + under + number(clock, 8) + body


def roster(kind, body, signer=DEVICE, **place):
    return signed(unsigned_roster(kind, body, **place), signer)


CREATE = roster("create", CERTIFICATE + b"s" * 16 + named("Lunch"))
GROUP = id_of(CREATE)
HERE = dict(conversation=GROUP, under=GROUP)
IDS = sorted(sha256(bytes([byte])) for byte in range(3))
ADD_BODY = public(BOB) + number(0, 8) + ids()
ADD = roster("add", ADD_BODY, **HERE)


JOIN_SALT = b"j" * 16


def joining(
    add,
    conversation=GROUP,
    of=BOB_CERTIFICATE,
    signer=BOB_LAPTOP,
    under=ZERO,
    salt=JOIN_SALT,
    length=None,
):
    """A join of this add, which is told to have this length."""
    body = of + salt + number(len(add) if length is None else length, 2) + add
    return roster("join", body, signer, conversation=conversation, under=under, clock=NOON + 1)


JOIN = joining(ADD)
DIRECT = sha256(b"p2pchat direct conversation", *sorted([public(PERSON), public(BOB)]))


def roster_entry(name, kind, data, signer=DEVICE, **fields):
    is_create, is_join = kind == "create", kind in ("create", "join")
    return {
        "name": name,
        "id": id_of(data).hex(),
        "conversation": (id_of(data) if is_create else data[2:34]).hex(),
        "under": None if is_join else data[34:66].hex(),
        "clock": int.from_bytes(data[66:74], "big"),
        "signer_seed": signer.private_bytes_raw().hex(),
        "kind": kind,
        "fields": {key: as_json(value) for key, value in fields.items()},
        "hex": data.hex(),
    }


def roster_entries():
    def here(name, kind, body, /, clock=NOON, **fields):
        return roster_entry(name, kind, roster(kind, body, **HERE, clock=clock), **fields)

    def create(name, salt, title):
        data = roster("create", CERTIFICATE + salt + named(title), clock=NOON)
        return roster_entry(
            name, "create", data, certificate=CERTIFICATE, salt=salt, group_name=title
        )

    def joined(name, data, salt, add):
        return roster_entry(
            name, "join", data, BOB_LAPTOP, certificate=BOB_CERTIFICATE, salt=salt, add=add
        )

    pairs = list(zip(IDS, [0, 1, 2**64 - 1]))
    shown = [[join.hex(), count] for join, count in pairs]
    bob = public(BOB)
    most_ids = sorted(sha256(number(at, 2)) for at in range(100))
    return [
        create("create", b"s" * 16, "Lunch"),
        create("create without a name", b"t" * 16, ""),
        create("create with the longest name", b"u" * 16, "ä" * 32),
        here("add", "add", ADD_BODY, person=bob, **{"from": 0}, after=[]),
        here(
            "add after others, to see some",
            "add",
            bob + number(2**63 - 1, 8) + ids(*most_ids),
            person=bob,
            **{"from": 2**63 - 1},
            after=most_ids,
        ),
        joined("join", JOIN, JOIN_SALT, ADD),
        joined(
            "join by the same add at the same moment",
            joining(ADD, salt=b"k" * 16),
            b"k" * 16,
            ADD,
        ),
        joined("join of a direct conversation", joining(b"", DIRECT), JOIN_SALT, b""),
        here("owner", "owner", bob, person=bob, clock=0),
        here("owner at the last moment", "owner", bob, person=bob, clock=2**63 - 1),
        here("resign", "resign", ids(*IDS), keeps=IDS),
        here("resign, nothing stays", "resign", ids(), keeps=[]),
        here(
            "remove",
            "remove",
            bob + ids(*IDS) + cut(*pairs),
            person=bob,
            keeps=IDS,
            cut=shown,
        ),
        here("remove all", "remove", bob + ids() + cut(), person=bob, keeps=[], cut=[]),
        here("leave", "leave", ids(*IDS[:1]) + cut(*pairs), keeps=IDS[:1], cut=shown),
        here("leave without a word", "leave", ids() + cut(), keeps=[], cut=[]),
        here("rename", "rename", named("Mittag ☕"), group_name="Mittag ☕"),
        here("rename to nothing", "rename", named(""), group_name=""),
    ]


def false_roster_entries():
    """Well-formed, and not signed by the device of the owner's certificate as they should be."""
    unsigned = ADD[:-64]
    listed = [
        ("another clock", flipped(ADD, 73)),
        ("another person", flipped(ADD, 74)),
        ("first half of the signature", flipped(ADD, len(ADD) - 64)),
        ("second half of the signature", flipped(ADD, len(ADD) - 32)),
        ("signed by the person", signed(unsigned, PERSON)),
        ("signed by someone else", signed(unsigned, BOB_LAPTOP)),
        ("signed as a talk entry", signed(unsigned, DEVICE, TALK_DOMAIN, ROSTER_DOMAIN)),
        ("signed under an id of a talk entry", signed(unsigned, DEVICE, hashed=TALK_DOMAIN)),
        ("signed without a domain", signed(unsigned, DEVICE, b"", ROSTER_DOMAIN)),
        ("signed without the id", unsigned + DEVICE.sign(ROSTER_DOMAIN + unsigned)),
        ("S that is too great", with_greater_s(ADD)),
    ]
    return [
        {"name": name, "signer": public(DEVICE).hex(), "hex": data.hex()} for name, data in listed
    ]


def entry_fault(name, error, data):
    return {"name": name, "error": error, "hex": data.hex()}


def too_long(name, data, length, /, **fields):
    """These bytes, and then zeros up to a length."""
    return {"name": name, **fields, "hex": data.hex(), "zeros": length - len(data)}


def roster_faults():
    bob = public(BOB)
    first, second, third = IDS

    def here(name, error, kind, body, /, **place):
        return entry_fault(name, error, roster(kind, body, **{**HERE, **place}))

    def create(name, error, body, /, **place):
        return entry_fault(name, error, roster("create", body, **place))

    def join(name, error, add, /, **fields):
        return entry_fault(name, error, joining(add, **fields))

    def renamed(name, text, /):
        return here(name, "text", "rename", named(text))

    head = CERTIFICATE + b"s" * 16
    other_add = roster("add", public(PERSON) + number(0, 8) + ids(), **HERE)
    elsewhere = roster("add", ADD_BODY, conversation=first, under=GROUP)
    newer_add = roster("add", ADD_BODY, **HERE, version=2)
    unordered_add = roster("add", ADD_BODY[:-2] + ids(second, first), **HERE)
    return [
        entry_fault("nothing", "short", b""),
        entry_fault("less than a signature", "short", bytes(63)),
        entry_fault("a signature alone", "short", bytes(64)),
        too_long(
            "a byte more than allowed",
            unsigned_roster("rename", b"", **HERE),
            32_768 + 1,
            error="length",
        ),
        too_long(
            "an add with a byte more than allowed",
            unsigned_roster("add", b"", **HERE),
            32_483 + 1,
            error="length",
        ),
        here("version 0", "version", "owner", bob, version=0),
        here("version 2", "version", "owner", bob, version=2),
        here("kind 0", "kind", 0, bob),
        here("kind 9", "kind", 9, b"what comes later"),
        here("kind 255", "kind", 255, b""),
        here("an entry without a conversation", "place", "owner", bob, conversation=ZERO),
        here("an entry without a join", "place", "owner", bob, under=ZERO),
        create("a create with a conversation", "place", head + named(""), conversation=first),
        create("a create with a join", "place", head + named(""), under=first),
        join("a join without a conversation", "place", b"", conversation=ZERO),
        join("a join with a join", "place", ADD, under=GROUP),
        here("a clock of 2^63", "clock", "owner", bob, clock=2**63),
        here("a greatest clock", "clock", "owner", bob, clock=2**64 - 1),
        here("from 2^63", "clock", "add", bob + number(2**63, 8) + ids()),
        create(
            "a certificate of version 2",
            "certificate",
            certificate(DEVICE, PERSON, version=b"\2") + head[129:] + named(""),
        ),
        join(
            "a certificate of version 0",
            "certificate",
            b"",
            of=certificate(BOB_LAPTOP, BOB, version=b"\0"),
        ),
        create("a short name", "short", head + named("Lunch")[:-1]),
        create("a byte behind the name", "left over", head + named("Lunch") + b"!"),
        create("no name", "short", head),
        here("a short person", "short", "owner", bob[:-1]),
        here("a byte behind the person", "left over", "owner", bob + b"\0"),
        here("fewer ids than counted", "short", "resign", number(4, 2) + ids(*IDS)[2:]),
        here("more ids than counted", "left over", "resign", number(2, 2) + ids(*IDS)[2:]),
        here("no count of ids", "short", "resign", b""),
        here("half a count of ids", "short", "resign", b"\0"),
        here("a count of all ids and none of them", "short", "resign", b"\xff\xff"),
        here("fewer cuts than counted", "short", "leave", ids() + number(2, 2) + cut((first, 1))[2:]),
        here("no cut", "short", "remove", bob + ids()),
        here("a byte behind the cut", "left over", "leave", ids() + cut() + b"\0"),
        here("after, descending", "order", "add", bob + bytes(8) + ids(second, first)),
        here("after, one twice", "order", "add", bob + bytes(8) + ids(first, first)),
        here("keeps, descending", "order", "resign", ids(first, third, second)),
        here("keeps, one twice", "order", "remove", bob + ids(first, second, second) + cut()),
        here("a cut that descends", "order", "leave", ids() + cut((second, 1), (first, 2))),
        here(
            "a cut with a log twice",
            "order",
            "remove",
            bob + ids() + cut((first, 1), (first, 2)),
        ),
        renamed("a name that is not UTF-8", b"Lunch\xff"),
        renamed("a name with half a letter", b"Lunch\xc3"),
        renamed("a name with a surrogate", b"\xed\xa0\x80"),
        renamed("a name of 65 bytes", "x" * 65),
        renamed("a name with a control character", "Lu\nch"),
        renamed("a name with a space at its end", "Lunch "),
        renamed("a name with a wide space before it", "\u3000Lunch"),
        join("an add for another person", "add", other_add),
        join("an add of another conversation", "add", elsewhere),
        join("a join of a direct conversation with an add", "add", ADD, conversation=DIRECT),
        join("an owner for an add", "add", roster("owner", bob, **HERE)),
        join("a join for an add", "add", JOIN),
        join("an add of version 2", "add", newer_add),
        join("an add that is not in order", "add", unordered_add),
        join("an add with a byte behind it", "add", ADD[:-64] + b"\0" + ADD[-64:]),
        join("an add that is cut", "add", ADD[:100]),
        entry_fault(
            "an add that is longer than told",
            "left over",
            joining(ADD + b"\0", length=len(ADD)),
        ),
        entry_fault(
            "an add that is shorter than told",
            "short",
            joining(ADD, length=len(ADD) + 1),
        ),
    ]


SALT = bytes(range(16))
BOBS_LOG = dict(conversation=GROUP, join=id_of(JOIN))


def header(kind, body, position=0, previous=ZERO, clock=NOON + 2, version=1, **changes):
    of = {**BOBS_LOG, "body_len": len(body), "body_hash": sha256(body), **changes}
    return (
        number(version, 1)
        + of["conversation"]
        + of["join"]
        + number(position, 8)
        + previous
        + number(clock, 8)
        + number(kind, 1)
        + number(of["body_len"], 4)
        + of["body_hash"]
    )


def signed_header(head, signer=BOB_LAPTOP):
    return signed(head, signer, TALK_DOMAIN)


def talk_id(data):
    return sha256(TALK_DOMAIN, data[:150])


def talk_entry(name, kind, body, has_body=True, talk=None, **changes):
    """A talk entry as it should be: `talk` is what its body says, where that is known."""
    head = header(kind, body, **changes)
    data = signed_header(head) + (body if has_body else b"")
    return {
        "name": name,
        "id": talk_id(head).hex(),
        "signer_seed": BOB_LAPTOP.private_bytes_raw().hex(),
        "conversation": head[1:33].hex(),
        "join": head[33:65].hex(),
        "position": int.from_bytes(head[65:73], "big"),
        "previous": head[73:105].hex(),
        "clock": int.from_bytes(head[105:113], "big"),
        "kind": kind,
        "body_len": int.from_bytes(head[114:118], "big"),
        "body_hash": head[118:150].hex(),
        "body": body.hex() if has_body else None,
        "talk": talk,
        "hex": data.hex(),
    }


HELLO = SALT + "Hello, wörld".encode()


def talk_entries():
    def said(name, kind, number_of_kind, target=None, text=None, **changes):
        body = SALT + (target or b"") + (text or "").encode()
        talk = {"kind": kind, "salt": SALT.hex()}
        if target is not None:
            talk["target"] = target.hex()
        if text is not None:
            talk["text"] = text
        return talk_entry(name, number_of_kind, body, talk=talk, **changes)

    first = talk_id(header(1, HELLO))
    second = dict(position=1, previous=first, clock=NOON + 3)
    return [
        said("message", "message", 1, text="Hello, wörld"),
        said("reply", "reply", 2, first, "at one", **second),
        said("edit", "edit", 3, first, "at noon", **second),
        said("erase", "erase", 4, first, **second),
        said("reaction", "reaction", 5, first, "👩🏽‍💻", **second),
        said("reaction taken back", "reaction", 5, first, "", **second),
        said("message of one byte", "message", 1, text="."),
        said("message of several lines", "message", 1, text="a\n\n\tb\0"),
        said("message far on", "message", 1, text="x", **{**second, "position": 2**64 - 1}),
        said("message at the last moment", "message", 1, text="x", **{**second, "clock": 2**63 - 1}),
        talk_entry("kind 0", 0, SALT),
        talk_entry("kind 6", 6, SALT + b"what comes later", **second),
        talk_entry("kind 255", 255, SALT + bytes(16), **second),
        talk_entry("an erased message", 1, HELLO, has_body=False),
        talk_entry("a longest body that is gone", 1, bytes(32_816), has_body=False, **second),
    ]


def talk_entries_that_end_a_log():
    """Behind the first message: its log ends at position 1, or at 0 where they claim that."""
    first = talk_id(header(1, HELLO))
    good = dict(position=1, previous=first, clock=NOON + 3)

    def ends(name, body=HELLO, has_body=True, /, **changes):
        return talk_entry(name, 1, body, has_body, **{**good, **changes})

    return [
        ends("a position too far", position=2),
        ends("position 0 behind another", position=0),
        ends("no entry before it at position 1", previous=ZERO),
        ends("another entry before it", previous=sha256(b"another")),
        ends("the clock of the entry before it", clock=NOON + 2),
        ends("a clock of 0", clock=0),
        ends("a clock of 2^63", clock=2**63),
        ends("the greatest clock", clock=2**64 - 1),
        ends("no body", b"", False),
        ends("a body shorter than its salt", SALT[:-1]),
        ends("a body that is too long by one", bytes(32_817), False),
        ends("a body of 4 GiB", HELLO, False, body_len=2**32 - 1),
    ]


def false_talk_entries():
    """Well-formed, and not signed by Bob's laptop as they should be."""
    head = header(1, HELLO)
    good = signed_header(head)
    listed = [
        ("another clock", flipped(good, 112)),
        ("another kind", flipped(good, 113)),
        ("first half of the signature", flipped(good, 150)),
        ("second half of the signature", flipped(good, 182)),
        ("signed by the person", signed_header(head, BOB)),
        ("signed by someone else", signed_header(head, DEVICE)),
        ("signed as a roster entry", signed(head, BOB_LAPTOP, ROSTER_DOMAIN, TALK_DOMAIN)),
        ("signed without a domain", signed(head, BOB_LAPTOP, b"", TALK_DOMAIN)),
        ("signed without the id", head + BOB_LAPTOP.sign(TALK_DOMAIN + head)),
        ("S that is too great", with_greater_s(good)),
    ]
    return [
        {"name": name, "signer": public(BOB_LAPTOP).hex(), "hex": data.hex()}
        for name, data in listed
    ]


def talk_faults():
    good = signed_header(header(1, HELLO))
    longest = SALT + bytes(32_801)
    return [
        entry_fault("nothing", "short", b""),
        entry_fault("half a header", "short", good[:75]),
        entry_fault("a header without its signature", "short", good[:150]),
        entry_fault("a short signature", "short", good[:-1]),
        entry_fault("version 0", "version", signed_header(header(1, HELLO, version=0)) + HELLO),
        entry_fault("version 2", "version", signed_header(header(1, HELLO, version=2)) + HELLO),
        too_long(
            "a byte more than allowed",
            signed_header(header(1, longest)) + SALT,
            150 + 64 + len(longest),
            error="length",
        ),
        entry_fault("a body that is cut", "body", good + HELLO[:-1]),
        entry_fault("a byte behind the body", "body", good + HELLO + b"\0"),
        entry_fault("another body", "body", good + flipped(HELLO, 20)),
        entry_fault("another salt", "body", good + flipped(HELLO, 0)),
        entry_fault(
            "a body where there is none", "body", signed_header(header(1, b"")) + b"\0"
        ),
    ]


def body_faults():
    target = IDS[0]

    def bad(name, error, kind, body):
        return {"name": name, "error": error, "kind": kind, "hex": body.hex()}

    return [
        bad("a salt alone", "text", 1, SALT),
        bad("a short salt", "short", 1, SALT[:-1]),
        bad("a message that is not UTF-8", "text", 1, SALT + b"\xff"),
        bad("a message with a surrogate", "text", 1, SALT + b"\xed\xa0\x80"),
        bad("a message with a letter in too many bytes", "text", 1, SALT + b"\xc0\xaf"),
        too_long(
            "a message that is too long by one", SALT, 16 + 32_769, error="text", kind=1
        ),
        bad("a reply without a text", "text", 2, SALT + target),
        bad("a reply to half an id", "short", 2, SALT + target[:-1]),
        bad("a reply that is not UTF-8", "text", 2, SALT + target + b"ok\xc3"),
        bad("an edit without a text", "text", 3, SALT + target),
        bad("an edit of nothing", "short", 3, SALT),
        bad("an edit that is not UTF-8", "text", 3, SALT + target + b"\x80"),
        bad("an erase of nothing", "short", 4, SALT),
        bad("an erase with a text", "left over", 4, SALT + target + b"x"),
        bad("a reaction to nothing", "short", 5, SALT + b"+"),
        bad("a reaction of 65 bytes", "text", 5, SALT + target + b"+" * 65),
        bad("a reaction that is not UTF-8", "text", 5, SALT + target + b"\xf0\x9f\x91"),
        bad("kind 0", "kind", 0, SALT),
        bad("kind 6", "kind", 6, SALT + b"what comes later"),
    ]


def entry_vectors():
    pairs = [(PERSON, BOB), (BOB, PERSON)]
    return {
        "direct_conversations": [
            {"people": [public(key).hex() for key in pair], "id": DIRECT.hex()} for pair in pairs
        ],
        "roster_entries": roster_entries(),
        "false_roster_entries": false_roster_entries(),
        "roster_faults": roster_faults(),
        "talk_entries": talk_entries(),
        "talk_entries_that_end_a_log": talk_entries_that_end_a_log(),
        "false_talk_entries": false_talk_entries(),
        "talk_faults": talk_faults(),
        "body_faults": body_faults(),
    }


# Frames between peers


def about(name, kind, message, /, **fields):
    """A frame about the group, whose fields are those of its message."""
    return simple(name, kind, message, conversation=GROUP, **fields)


def with_entries(name, kind, /, *listed):
    message = entries_of(*listed)
    return entry(name, kind, message, conversation=GROUP.hex(), entries=as_json(list(listed)))


def entries_of(*listed, conversation=GROUP):
    listed = [PB.Entry(entry=item) for item in listed]
    return encoded("Entries", conversation=conversation, entries=listed)


def have(name, /, listed=None, conversation=GROUP, people=(), **fields):
    """`listed` are the items; without them there is a digest."""
    fields = {"conversation": conversation, "roster": ROSTER_HASH, "asks": False, **fields}
    shown = {**fields, "people": list(people)}
    if listed is not None:
        items = [PB.Item(**{**item, "end": ending(item.get("end"))}) for item in listed]
        fields["items"] = items
        shown["items"] = [{key: as_json(value) for key, value in item.items()} for item in listed]
    message = encoded("Have", people=b"".join(people), **fields)
    shown = {key: as_json(value) if key != "items" else value for key, value in shown.items()}
    return entry(name, 16, message, **shown)


def ending(end):
    return None if end is None else PB.Ending(**end)


ROSTER_HASH = sha256(*sorted([GROUP, id_of(ADD), id_of(JOIN)]))[:16]
HEADS_HASH = sha256(b"heads")[:16]
FIRST = signed_header(header(1, HELLO)) + HELLO
SECOND_BODY = SALT + b"at noon"
SECOND_HEAD = header(1, SECOND_BODY, 1, talk_id(FIRST), NOON + 3)
SECOND = signed_header(SECOND_HEAD) + SECOND_BODY
OTHER_SECOND = signed_header(header(1, HELLO, 1, talk_id(FIRST), NOON + 4))
ITEM = dict(
    join=id_of(JOIN),
    lowest=0,
    has_older=False,
    next=2,
    newest=talk_id(SECOND)[:16],
    clock=NOON + 3,
)
GREATEST = 2**64 - 1
LONGEST_ITEM = dict(
    join=b"\xff" * 32,
    lowest=GREATEST,
    has_older=True,
    next=GREATEST,
    newest=b"\xff" * 16,
    clock=2**63 - 1,
    end=dict(position=GREATEST, is_lowest=True),
)
NOTHING_HELD = dict(
    join=id_of(JOIN),
    lowest=0,
    has_older=False,
    next=0,
    newest=bytes(16),
    clock=0,
    end=dict(position=0, is_lowest=False),
)
PLACE = dict(clock=NOON + 3, device=public(BOB_LAPTOP), position=1)


def to_peer():
    people = sorted([public(PERSON), public(BOB)])
    shorts = [one[:16] for one in IDS]
    bob_join = id_of(JOIN)
    return [
        simple("hello", 1, "Hello", certificate=CERTIFICATE, time=1_795_910_400_000),
        simple("hello at the first moment", 1, "Hello", certificate=BOB_CERTIFICATE, time=0),
        simple("hello at the last moment", 1, "Hello", certificate=CERTIFICATE, time=GREATEST),
        simple("ping", 2, "Empty"),
        simple("pong", 3, "Empty"),
        *(simple(f"bye {number}", 4, "Number", number=number) for number in range(1, 5)),
        have("have, digest", digest=HEADS_HASH),
        have("have, digest, asks", digest=HEADS_HASH, asks=True),
        have("have, direct", digest=HEADS_HASH, conversation=DIRECT, people=people),
        have("have, nothing", []),
        have("have, an item", [ITEM]),
        have("have, items", [ITEM, LONGEST_ITEM, NOTHING_HELD], asks=True),
        have("have, an end", [{**ITEM, "end": dict(position=2, is_lowest=True)}]),
        about("want roster, all", 17, "WantRoster", held=b""),
        about("want roster", 17, "WantRoster", held=b"".join(shorts)),
        about("want newest", 18, "About"),
        about("want log", 19, "WantLog", join=bob_join, begin=0, end=2),
        about("want log, all of it", 19, "WantLog", join=bob_join, begin=0, end=GREATEST),
        about("want proof", 20, "AboutEntry", id=bob_join),
        with_entries("roster", 21, CREATE, ADD, JOIN),
        with_entries("talk", 22, FIRST),
        with_entries("talk, two entries", 22, FIRST, SECOND),
        with_entries("talk, without a body", 22, FIRST[:214], SECOND),
        with_entries("proof of a fork", 23, SECOND[:214], OTHER_SECOND),
        with_entries("proof by one entry", 23, signed_header(header(1, b"", 1, ZERO))),
        about("done", 24, "About"),
        about("answer", 25, "AboutEntry", id=id_of(ADD)),
        about("typing", 128, "About"),
        about("read", 129, "Read", **PLACE),
    ]


def odd_to_peer():
    """Other bytes for the same frame, and roster frames of which something is left out."""

    def left_out(name, /, *listed, stay):
        message = entries_of(*listed)
        return entry(name, 21, message, conversation=GROUP.hex(), entries=as_json(stay)) | {
            "dropped": len(listed) - len(stay)
        }

    bob = public(BOB)
    newer_kind = roster(9, b"what comes later", **HERE)
    newer = roster("owner", bob, **HERE, version=2)
    field = b"\x7a\x03new"
    group = b"\x0a\x20" + GROUP
    clock = PLACE["clock"].to_bytes(8, "little")
    return [
        left_out("an entry that is cut", CREATE, ADD[:100], JOIN, stay=[CREATE, JOIN]),
        left_out("an entry of a newer kind", newer_kind, ADD, stay=[ADD]),
        left_out("an entry of a newer version", ADD, newer, stay=[ADD]),
        left_out("nothing but empty entries", b"", b"", stay=[]),
        entry("an unknown field of a frame", 24, group + field, conversation=GROUP.hex()),
        entry(
            "an unknown field of an entry",
            21,
            group + b"\x12" + varint(len(ADD) + 8) + b"\x0a" + varint(len(ADD)) + ADD + field,
            conversation=GROUP.hex(),
            entries=[ADD.hex()],
        ),
        entry(
            "a conversation twice, the last counts",
            18,
            b"\x0a\x01x" + group,
            conversation=GROUP.hex(),
        ),
        entry("a ping with something in it", 2, field),
        entry(
            "a position that is written though it is 0",
            129,
            group + b"\x11" + clock + b"\x1a\x20" + public(BOB_LAPTOP) + b"\x20\x00",
            conversation=GROUP.hex(),
            clock=PLACE["clock"],
            device=PLACE["device"].hex(),
            position=0,
        ),
    ]


def varint(value):
    data = b""
    while value > 127:
        data += bytes([value & 127 | 128])
        value >>= 7
    return data + bytes([value])


def faults_to_peer():
    def kind(name, number):
        return fault(name, frame(number, b""), "kind")

    def bad(name, number, message):
        return fault(name, frame(number, message), "message")

    def of(name, number, message, /, **fields):
        fields = {"conversation": GROUP, **fields}
        return bad(name, number, encoded(message, **fields))

    def bad_have(name, /, listed=None, **fields):
        made = have(name, listed, **fields)
        return {"name": name, "hex": made["hex"], "error": "message", "session": True}

    def long(name, number, length, error, session=True):
        """A message of one unknown field, of zeros that are counted."""
        field = next(
            size for size in range(length - 2, 0, -1) if 1 + len(varint(size)) + size == length
        )
        begin = length.to_bytes(4, "big") + bytes([number]) + b"\x7a" + varint(field)
        return too_long(name, begin, 5 + length, error=error, session=session)

    bob_join = id_of(JOIN)
    other_log = signed_header(header(1, HELLO, join=IDS[0])) + HELLO
    other_group = signed_header(header(1, HELLO, conversation=IDS[0])) + HELLO
    item = {**ITEM, "newest": bytes(16)}
    return [
        long("longer than allowed before a hello", 2, 1025, "length", False),
        long("longer than allowed", 17, 524_289, "length"),
        fault("a length of 4 GiB", b"\xff\xff\xff\xff\x02", "length"),
        long("longer than all but a want of a roster may be", 2, 131_073, "message"),
        kind("unknown kind 0", 0),
        kind("unknown kind 5", 5),
        kind("unknown kind 15", 15),
        kind("unknown kind 26", 26),
        kind("unknown kind 127", 127),
        bad("a message that ends too early", 24, b"\x0a\x20" + GROUP[:31]),
        bad("hello without a certificate", 1, encoded("Hello", time=5)),
        bad(
            "hello with a short certificate",
            1,
            encoded("Hello", certificate=CERTIFICATE[:-1], time=5),
        ),
        bad(
            "hello with a certificate of version 2",
            1,
            encoded("Hello", certificate=certificate(DEVICE, PERSON, version=b"\2")),
        ),
        bad("bye 0", 4, b""),
        bad("bye 5", 4, encoded("Number", number=5)),
        of("a conversation of 31 bytes", 18, "About", conversation=GROUP[:31]),
        bad("no conversation", 24, b""),
        bad_have("have without a roster", [], roster=b""),
        bad_have("have with a short digest", digest=HEADS_HASH[:15]),
        bad_have("have with an empty digest", digest=b""),
        bad_have("have with a digest and items", [item], digest=HEADS_HASH),
        bad_have("have of one person", digest=HEADS_HASH, people=[public(BOB)]),
        bad_have("have of three people", digest=HEADS_HASH, people=[public(BOB)] * 3),
        bad_have("an item without a log", [{**item, "join": b""}]),
        bad_have("an item with a short hash", [{**item, "newest": bytes(15)}]),
        bad_have("an item that ends before it begins", [{**item, "lowest": 3}]),
        bad_have("an item with a clock of 2^63", [{**item, "clock": 2**63}]),
        of("want roster, half an id", 17, "WantRoster", held=IDS[0][:8]),
        want_of_too_many(),
        of("want log, no positions", 19, "WantLog", join=bob_join, begin=2, end=2),
        of("want log, backwards", 19, "WantLog", join=bob_join, begin=2, end=1),
        of("want log, no log", 19, "WantLog", begin=0, end=1),
        of("want proof of half a log", 20, "AboutEntry", id=bob_join[:16]),
        bad("472 entries and one more", 21, entries_of(*[b""] * 473)),
        bad("roster without a conversation", 21, entries_of(ADD, conversation=b"")),
        bad("no talk", 22, entries_of()),
        bad("talk that is cut", 22, entries_of(FIRST, SECOND[:-1])),
        bad("talk with another body", 22, entries_of(FIRST[:214] + HELLO[:-1] + b"D")),
        bad("talk of version 2", 22, entries_of(signed_header(header(1, HELLO, version=2)))),
        bad("talk of two logs", 22, entries_of(FIRST, other_log)),
        bad("talk of another conversation", 22, entries_of(other_group)),
        bad("no proof", 23, entries_of()),
        bad("a proof of three entries", 23, entries_of(*[OTHER_SECOND] * 3)),
        bad("a proof with a body", 23, entries_of(FIRST)),
        of("answer to nothing", 25, "AboutEntry"),
        of("read by half a device", 129, "Read", **{**PLACE, "device": bytes(16)}),
        of("read up to a clock of 2^63", 129, "Read", **{**PLACE, "clock": 2**63}),
    ]


MOST_IDS = 4 * 1024 * 1024 // 139


def want_of_too_many():
    held = 16 * (MOST_IDS + 1)
    message = b"\x0a\x20" + GROUP + b"\x12" + varint(held)
    begin = (len(message) + held).to_bytes(4, "big") + b"\x11" + message
    return too_long(
        "want roster, an id too many", begin, len(begin) + held, error="message", session=True
    )


def skipped_by_peers():
    return [
        {"name": f"unknown kind {kind}", "hex": frame(kind, message).hex()}
        for kind, message in [(130, b""), (200, b"\xff" * 100), (255, b"what comes later")]
    ]


json.dump(
    {
        "to_registry": to_registry(),
        "from_registry": from_registry(),
        "odd_to_registry": odd(),
        "faults_to_registry": faults_to_registry(),
        "faults_from_registry": faults_from_registry(),
        "longest_to_registry": longest_ping(),
        "skipped": skipped(),
        **key_vectors(),
        **entry_vectors(),
        "to_peer": to_peer(),
        "odd_to_peer": odd_to_peer(),
        "faults_to_peer": faults_to_peer(),
        "skipped_by_peers": skipped_by_peers(),
    },
    sys.stdout,
    indent=1,
    ensure_ascii=False,
)
print()
