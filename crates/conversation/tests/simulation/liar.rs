//! What a member does who keeps to no rule: everything that their own keys can sign.

use p2pchat_conversation::log::TalkLog;
use p2pchat_conversation::replica::Replica;
use p2pchat_conversation::seal::{Next, Seal};
use p2pchat_conversation::sync::{Frame, Have, Heads, Item, SessionId, Short, Want, What};
use p2pchat_protocol::v2::conversation::roster::Act;
use p2pchat_protocol::v2::conversation::talk::{Header, Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId, JoinId};
use rand::RngExt;
use rand::seq::IndexedRandom;
use std::collections::{BTreeMap, BTreeSet};

use crate::keys::NOTHING;
use crate::world::{LIAR, World};

impl World {
    pub(crate) fn lie(&mut self) {
        if self.liar_is_quiet {
            return;
        }
        let Some((session, id)) = self.audience() else {
            return;
        };
        let what = match self.rng.random_range(0..10) {
            0 | 1 => self.fork(id),
            2 => self.break_rule(id),
            3 => self.flood(id),
            4 => self.claim(id),
            5 => Some(self.garbage()),
            6 => self.forge(id),
            7 => self.spoil(id),
            _ => self.roster_lie(id),
        };
        if let Some(what) = what {
            let conversation = id;
            self.send(LIAR, session, Frame { conversation, what });
        }
    }

    /// One of those that the liar is connected to, and a conversation.
    fn audience(&mut self) -> Option<(SessionId, ConversationId)> {
        let lines = self
            .lines
            .iter()
            .filter(|(_, line)| line.ends.contains(&LIAR));
        let lines: Vec<_> = lines.map(|(id, _)| *id).collect();
        let session = *lines.choose(&mut self.rng)?;
        let group = *self.groups.choose(&mut self.rng)?;
        Some((session, group))
    }

    fn own(&self, id: ConversationId) -> Option<&Replica> {
        self.devices[LIAR].sync.as_ref()?.get(&id)
    }

    /// One of the liar's logs.
    fn own_log(&mut self, id: ConversationId) -> Option<JoinId> {
        let key = self.devices[LIAR].key();
        let logs = &self.own(id)?.membership().logs;
        let own: Vec<_> = logs
            .iter()
            .filter(|(_, log)| log.device == key)
            .map(|(join, _)| *join)
            .collect();
        own.choose(&mut self.rng).copied()
    }

    fn text(&mut self) -> Talk {
        let number: u32 = self.rng.random();
        Talk::Message {
            text: format!("lie {number}"),
        }
    }

    /// The place behind some entry of a log, or behind the last.
    fn next(&mut self, id: ConversationId, join: JoinId, is_last: bool) -> Option<Next> {
        let replica = self.own(id)?;
        let held: Vec<_> = replica
            .log(&join)
            .into_iter()
            .flat_map(TalkLog::iter)
            .copied()
            .collect();
        let lowest = if is_last { held.len() } else { 0 };
        let at = self.rng.random_range(lowest..=held.len());
        let before = at.checked_sub(1).map(|at| held[at]);
        let clock = before.map_or(Clock::from_millis(crate::device::BEGIN), |before| {
            before.header.clock
        });
        let clock = clock.next(self.now(LIAR).clock).unwrap_or(Clock::MAX);
        Some(Next {
            conversation: id,
            join,
            position: before.map_or(0, |before| before.header.position + 1),
            previous: before.map_or(NOTHING, |before| before.id),
            clock,
        })
    }

    /// A second entry for a position, and what follows it.
    fn fork(&mut self, id: ConversationId) -> Option<What> {
        let join = self.own_log(id)?;
        let mut next = self.next(id, join, false)?;
        let keys = self.keys(LIAR);
        let mut stretch = Vec::new();
        for _ in 0..self.rng.random_range(1..6) {
            let entry = keys.speak(next, &self.text());
            next = Next {
                position: next.position + 1,
                previous: entry.id,
                clock: next.clock.next(Clock::ZERO)?,
                ..next
            };
            stretch.push(entry);
        }
        self.note("forked");
        Some(What::Talk { join, stretch })
    }

    /// An entry that breaks a rule which its log shows, or one of the year 2099, or of a kind that
    /// nobody knows.
    fn break_rule(&mut self, id: ConversationId) -> Option<What> {
        let join = self.own_log(id)?;
        let next = self.next(id, join, true)?;
        let keys = self.keys(LIAR);
        let entry = keys.speak(next, &self.text());
        let mut header = entry.header;
        let mut body = entry.body.map(<[u8]>::into_vec);
        match self.rng.random_range(0..7) {
            0 => header.clock = Clock::from_number(1 << 63),
            1 => header.clock = Clock::ZERO,
            2 => header.position += 3,
            3 => header.previous = EntryId([7; 32]),
            4 => header.clock = Clock::from_millis(4_070_908_800_000),
            5 => {
                // What comes next would fork here, and hide it.
                header.kind = 77;
                self.liar_is_quiet = true;
            }
            _ => {
                header.body_len = u32::MAX;
                body = None;
            }
        }
        self.note("broke a rule");
        let stretch = vec![keys.sign_header(header, body)];
        Some(What::Talk { join, stretch })
    }

    /// An entry in the log of someone else.
    fn forge(&mut self, id: ConversationId) -> Option<What> {
        let logs: Vec<_> = self.own(id)?.membership().logs.keys().copied().collect();
        let join = *logs.choose(&mut self.rng)?;
        let next = self.next(id, join, false)?;
        self.note("forged");
        let stretch = vec![self.keys(LIAR).speak(next, &self.text())];
        Some(What::Talk { join, stretch })
    }

    /// Entries of others, of which all signatures but the last are spoiled: nobody has to look at
    /// them.
    fn spoil(&mut self, id: ConversationId) -> Option<What> {
        let replica = self.own(id)?;
        let logs: Vec<_> = replica.membership().logs.keys().copied().collect();
        let join = *logs.choose(&mut self.rng)?;
        let stretch = self.own(id)?.log(&join)?.stretches().newest(u64::MAX)?;
        let stored = &self.devices[LIAR].disk[&id];
        let mut stretch: Vec<_> = stretch
            .filter_map(|at| stored.entry(join, at).cloned())
            .collect();
        stretch
            .iter_mut()
            .rev()
            .skip(1)
            .for_each(|entry| entry.signature.0[3] ^= 1);
        self.note("spoiled");
        Some(What::Talk { join, stretch })
    }

    fn flood(&mut self, id: ConversationId) -> Option<What> {
        let join = self.own_log(id)?;
        let mut next = self.next(id, join, true)?;
        let keys = self.keys(LIAR);
        let mut stretch = Vec::new();
        for _ in 0..300 {
            let entry = keys.speak(next, &self.text());
            next.position += 1;
            next.previous = entry.id;
            next.clock = next.clock.next(Clock::ZERO)?;
            stretch.push(entry);
        }
        self.note("flooded");
        Some(What::Talk { join, stretch })
    }

    /// Heads that nobody has.
    fn claim(&mut self, id: ConversationId) -> Option<What> {
        let logs: Vec<_> = self.own(id)?.membership().logs.keys().copied().collect();
        let items = logs.into_iter().map(|join| Item {
            join,
            lowest: 0,
            has_older: true,
            next: self.rng.random_range(1..50),
            newest: Short(self.rng.random()),
            clock: Clock::MAX,
            end: None,
        });
        let items = items.collect();
        self.note("claimed");
        Some(What::Have(Have {
            people: None,
            roster: Short(self.rng.random()),
            heads: Heads::Items(items),
            asks: true,
        }))
    }

    fn garbage(&mut self) -> What {
        self.note("sent garbage");
        let header = Header {
            conversation: ConversationId(self.rng.random()),
            join: EntryId(self.rng.random()),
            position: self.rng.random_range(0..4),
            previous: EntryId(self.rng.random()),
            clock: Clock::from_number(self.rng.random()),
            kind: self.rng.random(),
            body_len: 20,
            body_hash: self.rng.random(),
        };
        let entry: TalkEntry = self.keys(LIAR).sign_header(header, Some(vec![0; 20]));
        match self.rng.random_range(0..4) {
            0 => What::Want(Want::Log {
                join: header.join,
                range: 0..u64::MAX,
            }),
            1 => What::Done,
            2 => What::Answer(EntryId(self.rng.random())),
            _ => What::Proof {
                join: header.join,
                entries: vec![entry],
            },
        }
    }

    /// What only owners may, acts against others, and acts that are dated back.
    fn roster_lie(&mut self, id: ConversationId) -> Option<What> {
        let under = self.own_log(id)?;
        let victim = self.rng.random_range(0..self.devices.len());
        let victim = self.devices[victim].person();
        let clock = if self.rng.random() {
            Clock::from_millis(1)
        } else {
            self.now(LIAR).clock
        };
        let replica = self.own(id)?;
        let ids: BTreeSet<_> = replica.roster_ids().copied().collect();
        let act = match self.rng.random_range(0..7) {
            0 => Act::Remove {
                person: victim,
                keeps: BTreeSet::new(),
                cut: BTreeMap::new(),
            },
            1 => Act::Owner { person: victim },
            2 => Act::Rename {
                name: "mine".parse().ok()?,
            },
            3 => Act::Resign {
                keeps: BTreeSet::new(),
            },
            4 => Act::Add {
                person: self.devices[LIAR].person(),
                from: Clock::ZERO,
                after: ids,
            },
            5 => Act::Add {
                person: victim,
                from: Clock::ZERO,
                after: ids,
            },
            _ => Act::Leave {
                keeps: BTreeSet::new(),
                cut: BTreeMap::new(),
            },
        };
        self.note("lied about the roster");
        let sealed = self.keys(LIAR).seal(Some(id), Some(under), clock, act);
        Some(What::Roster(vec![sealed]))
    }
}
