//! What went wrong in the runs, counted: a trouble that never came tried nothing.

use std::collections::BTreeMap;
use std::fmt;

use super::crashes::STEPS;

/// Something that went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// Hosts do not hear each other for a while.
    Partition,
    /// A process is killed; its system closes its connections.
    Crash,
    /// A process is killed just before it carries out such an output.
    CrashBefore(&'static str),
    /// A process is killed just after it carried out such an output.
    CrashAfter(&'static str),
    /// A host is switched off: nobody is told.
    PowerCut,
    /// Another process goes on where one was killed.
    Takeover,
    /// A connection of which one end is no more, and the other does not know it.
    HalfOpen,
    /// A process stands still while its clocks go on.
    ProcessStops,
    /// A host sleeps, and its steady clock with it.
    HostSleeps,
    /// A clock on a wall is set forwards.
    ClockForwards,
    /// A clock on a wall is set backwards.
    ClockBackwards,
    /// A clock on a wall shows the year 1970.
    ClockUnset,
    /// A packet comes long after its connection was made.
    LatePacket,
    /// A packet comes after one whose connection was made later.
    Overtaken,
    /// A chat request or a notify comes a second time.
    ContactCopied,
    /// A text comes a second time.
    TextCopied,
    /// The registry stops: it is started again and knows the accounts, no user is online.
    RegistryStops,
    /// The same, and no peer is told that the connections are gone.
    RegistryVanishes,
    /// The registry forgets all who are online.
    PresenceLost,
    /// The registry forgets every login, for a while.
    PresenceNotKept,
    /// The registry forgets one who is online.
    UserDropped,
    /// The registry's store fails.
    StoreFails,
    /// A connection to the registry breaks.
    LinkBreaks,
    /// The registry takes seconds to answer.
    AnswerSlow,
    /// The registry takes longer than its users wait.
    AnswerOverdue,
    /// The registry answers twice.
    AnswerTwice,
    /// The registry answers two questions in the wrong order.
    AnswersSwapped,
    /// The registry does not answer.
    AnswerMissing,
    /// The registry answers something that was not asked.
    AnswerUnasked,
    /// A stranger sends what is hostile.
    HostileStranger,
    /// A member sends what is hostile.
    HostileMember,
    /// An attacker sends many packets at once.
    Flood,
}

impl Trouble {
    /// Those that are not a crash at a step.
    const PLAIN: &[Self] = &[
        Self::Partition,
        Self::Crash,
        Self::PowerCut,
        Self::Takeover,
        Self::HalfOpen,
        Self::ProcessStops,
        Self::HostSleeps,
        Self::ClockForwards,
        Self::ClockBackwards,
        Self::ClockUnset,
        Self::LatePacket,
        Self::Overtaken,
        Self::ContactCopied,
        Self::TextCopied,
        Self::RegistryStops,
        Self::RegistryVanishes,
        Self::PresenceLost,
        Self::PresenceNotKept,
        Self::UserDropped,
        Self::StoreFails,
        Self::LinkBreaks,
        Self::AnswerSlow,
        Self::AnswerOverdue,
        Self::AnswerTwice,
        Self::AnswersSwapped,
        Self::AnswerMissing,
        Self::AnswerUnasked,
        Self::HostileStranger,
        Self::HostileMember,
        Self::Flood,
    ];

    /// Every trouble that there is.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let before = STEPS.iter().map(|step| Self::CrashBefore(step));
        let after = STEPS.iter().map(|step| Self::CrashAfter(step));
        Self::PLAIN.iter().copied().chain(before).chain(after)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CrashBefore(step) => write!(f, "crash before {step}"),
            Self::CrashAfter(step) => write!(f, "crash after {step}"),
            plain => write!(f, "{plain:?}"),
        }
    }
}

/// How often each came.
#[derive(Debug, Default, Clone)]
pub(crate) struct Troubles(BTreeMap<Trouble, usize>);

impl Troubles {
    /// It came once more.
    pub(crate) fn note(&mut self, trouble: Trouble) {
        *self.0.entry(trouble).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (trouble, count) in &other.0 {
            *self.0.entry(*trouble).or_default() += count;
        }
    }

    /// Those that never came.
    pub(crate) fn missing(&self) -> Vec<Trouble> {
        Trouble::all()
            .filter(|trouble| !self.0.contains_key(trouble))
            .collect()
    }
}

impl fmt::Display for Troubles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(trouble, count)| {
            writeln!(f, "  {:<30} {count:>9}", trouble.to_string())
        })
    }
}
