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
            "signed in, later",
            68,
            "SignedIn",
            serial=2**63 - 1,
            display_name="Bob B.",
            address=0xC0A80114,
            allows_version_1=True,
        ),
        simple("found", 69, "Found", **found),
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
        fault("longer than allowed without a session", frame(10, b"\x7a\xfe\x07" + b"\0" * 1022), "length", False),
        fault("longer than allowed in a session", frame(10, b"\x7a\xfe\x1f" + b"\0" * 4094), "length"),
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


def skipped():
    return [
        {"name": f"unknown kind {kind}", "hex": frame(kind, message).hex()}
        for kind, message in [(128, b""), (200, b"\xff" * 100), (255, b"what comes later")]
    ]


json.dump(
    {
        "to_registry": to_registry(),
        "from_registry": from_registry(),
        "odd_to_registry": odd(),
        "faults_to_registry": faults_to_registry(),
        "faults_from_registry": faults_from_registry(),
        "skipped": skipped(),
        **key_vectors(),
    },
    sys.stdout,
    indent=1,
    ensure_ascii=False,
)
print()
