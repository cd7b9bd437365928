"""A second implementation of the roster rules, from their wording alone, and random groups.

Prints one group a line, as JSON: its entries, who is in with what they may see, the owners, and
the owners in force. Three members collude and write whatever they like. Usage: COUNT [MISTAKE],
where a mistake makes the model judge wrongly, to show that a comparison notices it.
"""

import json
import random
import sys

MISTAKES = ("leaving-ends-adds", "removal-keeps-nothing", "from-is-not-bounded", "anybody-brings-back")
MISTAKE = sys.argv[2] if len(sys.argv) > 2 else None
HONEST, LIARS = ("o", "a", "b"), ("m", "s1", "s2")


class Entry:
    count = 0

    def __init__(self, kind, by, **more):
        Entry.count += 1
        self.clock, self.kind, self.by = Entry.count, kind, by
        # As a hash: it says nothing about the time.
        self.id = random.getrandbits(40) << 16 | self.clock
        self.person = self.add = self.under = None
        self.after = self.keeps = frozenset()
        self.sees_from = 0
        self.__dict__.update(more)

    def as_json(self):
        return {
            "id": self.id,
            "clock": self.clock,
            "kind": self.kind,
            "by": self.by,
            "person": self.person,
            "under": self.under.id if self.under else None,
            "add": self.add.id if self.add else None,
            "after": sorted(self.after),
            "keeps": sorted(self.keeps),
            "from": self.sees_from,
        }


def evaluate(entries):
    # Who wrote what hangs on a join that is not there is not known.
    entries = [e for e in entries if e.under is None or e.under in entries]
    create = next(e for e in entries if e.kind == "create")
    quits = {}
    for e in entries:
        if e.kind in ("resign", "leave"):
            quits.setdefault(e.by, []).append(e)

    def is_kept(e):
        return all(e.id in q.keeps for q in quits.get(e.by, []))

    owners = {create.by}
    while True:
        made = {e.person for e in entries if e.kind == "owner" and e.by in owners and is_kept(e)}
        if made <= owners:
            break
        owners |= made
    in_force = {p for p in owners if p not in quits}
    removals = [
        e
        for e in entries
        if e.kind == "remove" and e.by in owners and is_kept(e) and e.person not in in_force
    ]
    # Of one who is no owner, the leaving with the smallest id counts for an add.
    leavings = {}
    for e in sorted((e for e in entries if e.kind == "leave"), key=lambda e: e.id):
        add = e.under.add.id if e.under.add else None
        leavings.setdefault(e.id if e.by in owners else (e.by, add), e)
    leavings = list(leavings.values())
    known = {}

    def removals_of(p):
        return [r for r in removals if r.person == p]

    def join_counts(j):
        return j is create or (add_counts(j.add) and j.add.person == j.by)

    def add_counts(a):
        if a.id not in known:
            known[a.id] = judge(a)
        return known[a.id]

    def judge(a):
        w = a.under
        if w is not create and not (w.kind == "join" and w.by == a.by and w in entries):
            return False
        if not join_counts(w) or (w is create and a.by != create.by):
            return False
        named = frozenset() if w is create else w.add.after
        keeps_nothing = MISTAKE == "removal-keeps-nothing"
        if any(keeps_nothing or a.id not in r.keeps for r in removals_of(a.by) if r.id not in named):
            return False
        if MISTAKE == "leaving-ends-adds" and any(q.by == a.by and q.id not in named for q in leavings):
            return False
        brings_back = any(r.id in a.after for r in removals_of(a.person))
        return MISTAKE == "anybody-brings-back" or not brings_back or (a.by in owners and is_kept(a))

    def ends(p):
        return removals_of(p) + [e for e in leavings if e.by == p]

    def sees_from(j):
        if MISTAKE == "from-is-not-bounded" and j is not create:
            return j.add.sees_from
        return 0 if j is create else max(j.add.sees_from, sees_from(j.add.under))

    members = {}
    if not ends(create.by):
        members[create.by] = 0
    for j in entries:
        if j.kind == "join" and join_counts(j) and all(x.id in j.add.after for x in ends(j.by)):
            members[j.by] = min(members.get(j.by, sees_from(j)), sees_from(j))
    return members, owners, in_force


class Group:
    def __init__(self, rng):
        create = Entry("create", "o")
        self.rng, self.entries, self.joins = rng, [create], {"o": [create]}

    def write(self, kind, by, **more):
        self.entries.append(Entry(kind, by, **more))
        return self.entries[-1]

    def accept(self, person):
        adds = [e for e in self.entries if e.kind == "add" and e.person == person]
        if adds:
            join = self.write("join", person, add=self.rng.choice(adds))
            self.joins.setdefault(person, []).append(join)

    def ends(self, p):
        return frozenset(
            e.id
            for e in self.entries
            if (e.kind == "remove" and e.person == p) or (e.kind == "leave" and e.by == p)
        )

    def history(self, clock):
        """Honest members keep the rules of their view, liars write anything."""
        rng = self.rng
        by = rng.choice(HONEST + LIARS if rng.random() < 0.5 else sorted(self.joins))
        kind = rng.choice(["add", "add", "add", "join", "join", "remove", "leave", "owner", "resign"])
        if kind == "join":
            return self.accept(by)
        members, _, in_force = evaluate(self.entries)
        if by not in self.joins or (by in HONEST and by not in members):
            return None
        under, person = rng.choice(self.joins[by]), rng.choice(HONEST + LIARS)
        mine = {e.id for e in self.entries if e.by == by}
        if kind == "add":
            after = self.ends(person) if rng.random() < 0.8 else frozenset()
            self.write("add", by, under=under, person=person, after=after, sees_from=rng.choice([0, clock]))
        elif kind == "remove" and (by in in_force or by in LIARS):
            keeps = frozenset(e.id for e in self.entries if e.by == person and rng.random() < 0.7)
            self.write("remove", by, under=under, person=person, keeps=keeps)
        elif kind == "leave" and rng.random() < (0.05 if by == "o" else 0.5):
            self.write("leave", by, under=under, keeps=frozenset(mine))
        elif kind == "owner" and (by in LIARS or (by in in_force and rng.random() < 0.4)):
            self.write("owner", by, under=under, person=person)
        elif kind == "resign" and (by in LIARS or rng.random() < 0.1):
            keeps = frozenset(i for i in mine if rng.random() < 0.8)
            self.write("resign", by, under=under, keeps=keeps)
        return None

    def lie(self):
        rng = self.rng
        by = rng.choice(LIARS)
        kind = rng.choice(["add", "add", "join", "remove", "leave", "owner", "resign"])
        if kind == "join":
            return self.accept(by)
        if by in self.joins:
            every = frozenset(e.id for e in self.entries)
            self.write(
                kind,
                by,
                under=rng.choice(self.joins[by]),
                person=rng.choice(HONEST + LIARS),
                after=rng.choice([frozenset(), every]),
                keeps=rng.choice([frozenset(), every]),
            )
        return None


def main(count):
    assert MISTAKE is None or MISTAKE in MISTAKES, MISTAKE
    random.seed(1)
    rng = random.Random(2)
    for _ in range(count):
        Entry.count = 0
        group = Group(rng)
        for step in range(40):
            group.history(step + 1)
        for _ in range(16):
            group.lie()
        if rng.random() < 0.2:
            # What others write under it waits for it.
            lost = rng.choice(group.entries[1:] or group.entries)
            if lost.kind == "join":
                group.entries.remove(lost)
        members, owners, in_force = evaluate(group.entries)
        line = {
            "entries": [e.as_json() for e in group.entries],
            "members": members,
            "owners": sorted(owners),
            "in_force": sorted(in_force),
        }
        print(json.dumps(line))


main(int(sys.argv[1]))
