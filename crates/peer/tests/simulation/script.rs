//! Three people who do the same thing in every run: each step of the protocol comes up,
//! so that something can be struck at each.

use std::collections::BTreeSet;
use std::time::Duration;

use p2pchat_model::{Command, ConversationId, MessageId, PeerAddr, Target};

use super::crashes::{STEPS, Strike, Victim};
use super::mix::Mix;
use super::sabotage::Sabotage;
use super::schedule::SimEvent;
use super::trace::Detail;
use super::users::Act;
use super::world::{Report, Violation, World};

const OPEN: ConversationId = ConversationId::OPEN;

const ANN: usize = 0;
const BOB: usize = 1;
const CEM: usize = 2;

/// Plays it with this strike.
///
/// # Errors
/// With the first thing that does not hold.
pub(crate) fn play(
    strike: Strike,
    sabotage: Option<Sabotage>,
    detail: Detail,
) -> Result<Report, Box<Violation>> {
    World::run(1, detail, |mix| *mix = Mix::scripted(strike, sabotage))
}

/// A strike at every point there is, against each of those who are there.
pub(crate) fn strikes() -> Vec<Strike> {
    let never = Strike {
        point: usize::MAX,
        victim: Victim::Registry,
    };
    let whole = play(never, None, Detail::None).expect("without a strike all holds");
    let missing = STEPS.iter().filter(|step| !whole.steps.contains(*step));
    // A machine gives up a registry that errs, and here it does not.
    let expected = ["disconnect_registry"];
    assert!(missing.eq(&expected), "the script lacks a step");
    let seats = [ANN, BOB, CEM].into_iter();
    let victims: Vec<Victim> = seats
        .flat_map(|seat| {
            [(false, false), (true, false), (true, true)].map(|(journal_lags, is_taken_over)| {
                Victim::Seat {
                    seat,
                    journal_lags,
                    is_taken_over,
                }
            })
        })
        .chain([Victim::Registry])
        .collect();
    let at = |point| victims.iter().map(move |&victim| Strike { point, victim });
    (0..whole.points_until_quiet).flat_map(at).collect()
}

impl Mix {
    /// What the script needs: nothing goes wrong by rng.
    fn scripted(strike: Strike, sabotage: Option<Sabotage>) -> Self {
        let millis = Duration::from_millis;
        Self {
            peers: 3,
            span: Duration::from_secs(31),
            request_limit: Duration::from_secs(5),
            delay: (millis(5), millis(15)),
            leaves: true,
            logouts: true,
            script: true,
            strike: Some(strike),
            sabotage,
            ..Self::calm()
        }
    }
}

impl World {
    /// How long people take to get together again.
    const GATHER: Duration = Duration::from_secs(40);

    /// Plans who does what when.
    pub(crate) fn plan_script(&mut self) {
        for seat in 0..self.peers.len() {
            self.start(seat);
            self.plan(0, SimEvent::User(seat, Act::Enter));
        }
        let [ann, bob, cem] = [ANN, BOB, CEM].map(|seat| self.seats[seat]);
        let cems_name = self.peers[CEM].name;
        self.plan_command(2_000, CEM, request(bob));
        self.plan_command(
            2_500,
            BOB,
            Command::Reject {
                conversation: OPEN,
                from: cem,
            },
        );
        self.plan_command(2_600, CEM, request(bob));
        self.plan_command(
            2_800,
            CEM,
            Command::Cancel {
                conversation: OPEN,
                to: bob,
            },
        );
        self.plan_command(3_000, ANN, request(bob));
        self.plan_command(3_200, CEM, request(bob));
        self.plan_command(
            3_500,
            BOB,
            Command::Accept {
                conversation: OPEN,
                from: ann,
            },
        );
        self.plan_speech(4_000, ANN);
        self.plan_speech(4_000, BOB);
        self.plan_command(5_000, ANN, Command::Search { name: cems_name });
        self.plan_command(
            5_500,
            ANN,
            Command::Request {
                conversation: OPEN,
                to: Target::Name(cems_name),
            },
        );
        self.plan_command(
            6_000,
            CEM,
            Command::Accept {
                conversation: OPEN,
                from: ann,
            },
        );
        self.plan_speech(6_005, CEM);
        self.plan_speech(7_000, BOB);
        self.plan_speech(8_000, CEM);
        self.plan_command(9_000, CEM, Command::Leave { conversation: OPEN });
        self.plan_speech(9_500, ANN);
        // It is too late for an undo then.
        self.plan_command(19_300, CEM, request(ann));
        self.plan_command(
            19_600,
            ANN,
            Command::Accept {
                conversation: OPEN,
                from: cem,
            },
        );
        self.plan_speech(19_900, CEM);
        self.plan(20_100, SimEvent::CommandAgain(CEM));
        self.plan_command(
            20_200,
            CEM,
            Command::Read {
                conversation: OPEN,
                message: MessageId::new(1 << 52),
            },
        );
        let text = "what I was about to say".to_owned();
        self.plan_command(
            20_300,
            CEM,
            Command::Draft {
                conversation: OPEN,
                text,
            },
        );
        self.plan_speech(20_500, ANN);
        self.plan_command(21_000, BOB, Command::Logout);
        self.plan_speech(21_500, ANN);
        self.plan_command(
            22_000,
            CEM,
            Command::History {
                conversation: OPEN,
                before: None,
            },
        );
        let text = "ğ".to_owned();
        self.plan_command(
            22_000,
            CEM,
            Command::Find {
                conversation: None,
                text,
            },
        );
        let who = Target::Name("nobody".parse().expect("it is a name"));
        self.plan_command(22_500, CEM, Command::Block { who });
        self.plan_command(22_700, CEM, Command::Undo);
        self.plan_command(23_000, CEM, request(bob));
        // That waits until it runs out.
        self.plan(30_000, SimEvent::User(BOB, Act::Enter));
    }

    fn plan(&mut self, millis: u64, event: SimEvent) {
        self.schedule.after(Duration::from_millis(millis), event);
    }

    fn plan_command(&mut self, millis: u64, seat: usize, command: Command) {
        self.plan(millis, SimEvent::Command(seat, command));
    }

    fn plan_speech(&mut self, millis: u64, seat: usize) {
        self.plan(millis, SimEvent::User(seat, Act::Speak));
    }

    /// Whatever happened before: all three get together again, and each hears the others.
    pub(crate) fn chat_again(&mut self) {
        let [ann, bob, cem] = [ANN, BOB, CEM].map(|seat| self.seats[seat]);
        for (asker, asked, seat) in [(ANN, bob, BOB), (ANN, cem, CEM), (BOB, cem, CEM)] {
            if !self.members(asker).contains(&asked) {
                let from = self.seats[asker];
                self.command(asker, request(asked));
                self.run_for(Duration::from_secs(1));
                self.command(
                    seat,
                    Command::Accept {
                        conversation: OPEN,
                        from,
                    },
                );
                self.run_for(Duration::from_secs(1));
            }
        }
        let sent_before = self.sent();
        for seat in [ANN, BOB, CEM] {
            self.act(seat, Act::Speak);
        }
        self.run_for(Self::GATHER);
        let all = BTreeSet::from([ann, bob, cem]);
        for seat in [ANN, BOB, CEM] {
            let mut known = self.members(seat);
            known.insert(self.seats[seat]);
            if known != all {
                let name = self.peers[seat].name;
                self.fail("a_chat_can_be_had_again", &format!("{name} has {known:?}"));
            }
        }
        let sent = self.sent() - sent_before;
        if sent != 6 {
            self.fail("a_chat_can_be_had_again", &format!("{sent} of 6 were sent"));
        }
    }

    /// How many texts those who are here were told to be sent.
    fn sent(&self) -> usize {
        let running = self.peers.iter().filter_map(|peer| peer.running());
        running.map(|running| running.book.totals.sent).sum()
    }
}

fn request(to: PeerAddr) -> Command {
    Command::Request {
        conversation: OPEN,
        to: Target::Address(to),
    }
}
