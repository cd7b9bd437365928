//! One member: whether he is there, what he has to hear, what is on its way to him.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use p2pchat_model::{LeaveReason, MessageId, PeerAddr};
use p2pchat_protocol::Message;

use super::super::{Acknowledgement, SendId};
use super::notify::{MOST_UNREAD, NOTIFY_PAUSE};

/// How long to wait for a member's program to say, by closing, that it took something.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same, once it is known that his program does: then it is the network that is slow,
/// and one that loses three packets of ten may take that long.
const LONG_PATIENCE: Duration = Duration::from_secs(30);
/// The same, once it is known that his program does not.
const SHORT_PATIENCE: Duration = Duration::from_millis(300);

/// A member of the chat, or somebody who was one.
#[derive(Debug)]
pub(in super::super) struct Member {
    pub(in super::super) standing: Standing,
    /// Who told of him, until he has been heard or has taken something: that there is
    /// anybody at his address is hearsay until then.
    pub(in super::super) brought_by: Option<PeerAddr>,
    /// When he joined or came back.
    pub(in super::super) since: Duration,
    /// Whether his program has taken a text since then: it has us in its chat.
    pub(in super::super) has_taken: bool,
    /// Whom he is not believed to know.
    pub(super) untold: BTreeSet<PeerAddr>,
    /// Whether his list lacks somebody, or may have somebody whom ours lacks, so that he
    /// is to get ours. Any notify carries it.
    pub(super) wants_list: bool,
    /// Whether he ever sent a list with a notify.
    pub(super) sends_lists: bool,
    /// The notify that is on its way to him, and of whom it tells.
    pub(super) notifying: Option<(SendId, PeerAddr)>,
    pub(super) notify_tries: u32,
    pub(super) notify_after: Option<Duration>,
    /// How many notifies in a row went out without a word from his program.
    unread: u32,
    /// What he has yet to be sent, in order.
    pub(in super::super) outbox: VecDeque<Part>,
    /// The first of it, if it is on its way.
    pub(in super::super) sending: Option<SendId>,
    /// A packet that was on its way when he was lost. Nothing follows it before its
    /// result is there, so that the order holds if he is back in a moment.
    pub(in super::super) abandoned: Option<SendId>,
    pub(in super::super) attempt: Attempt,
    /// Whether his program tells that it took a text; `None` until it is known.
    pub(in super::super) confirms: Option<bool>,
}

/// Whether somebody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Standing {
    /// He is in the chat_list.
    Present,
    /// He left it, not by the user's wish.
    Lost {
        since: Duration,
        reason: LeaveReason,
    },
}

/// One packet of a text.
#[derive(Debug)]
pub(in super::super) struct Part {
    pub(in super::super) id: MessageId,
    pub(in super::super) message: Message,
    /// Whether the text ends with it.
    pub(in super::super) is_last: bool,
    /// Whether nobody is told if it is lost: it was said while he was out of reach and
    /// others were there.
    pub(in super::super) is_quiet: bool,
}

/// How the sending of the first part goes.
#[derive(Debug, Default)]
pub(in super::super) struct Attempt {
    pub(in super::super) tries: u32,
    pub(in super::super) again_at: Option<Duration>,
    /// Whether a part of this text went out without a word from his program.
    pub(in super::super) unconfirmed: bool,
}

impl Member {
    pub(super) fn new(now: Duration) -> Self {
        Self {
            standing: Standing::Present,
            brought_by: None,
            since: now,
            has_taken: false,
            untold: BTreeSet::new(),
            wants_list: false,
            sends_lists: false,
            notifying: None,
            notify_tries: 0,
            notify_after: None,
            unread: 0,
            outbox: VecDeque::new(),
            sending: None,
            abandoned: None,
            attempt: Attempt::default(),
            confirms: None,
        }
    }

    pub(in super::super) fn is_present(&self) -> bool {
        self.standing == Standing::Present
    }

    /// Whether he may come back by himself, and is tried with each text.
    pub(in super::super) fn is_out_of_reach(&self) -> bool {
        let reason = LeaveReason::Unreachable;
        matches!(self.standing, Standing::Lost { reason: known, .. } if known == reason)
    }

    pub(super) fn return_at(&mut self, now: Duration) {
        self.standing = Standing::Present;
        self.since = now;
        self.has_taken = false;
        self.notify_tries = 0;
        self.notify_after = None;
        self.unread = 0;
    }

    /// A notify went out. If his program did not say that it read it, he may not have
    /// heard: he gets our list, now or when his program proves to be one that reads lists.
    pub(super) fn is_told(&mut self, now: Duration, taken: Acknowledgement) {
        self.wants_list = taken == Acknowledgement::Unconfirmed;
        self.unread = match taken {
            Acknowledgement::Confirmed => 0,
            Acknowledgement::Unconfirmed => self.unread + 1,
        };
        if self.unread > 0 && self.reads_lists() {
            let pause = NOTIFY_PAUSE * 4_u32.pow((self.unread - 1).min(MOST_UNREAD));
            self.notify_after = Some(now + pause);
        }
    }

    /// How long to wait for his program to say, by closing, that it took something.
    pub(in super::super) fn patience(&self) -> Duration {
        match self.confirms {
            Some(false) => SHORT_PATIENCE,
            Some(true) => LONG_PATIENCE,
            None => PATIENCE,
        }
    }

    /// Whether his program is known not to be one of 2017, which read no lists.
    pub(super) fn reads_lists(&self) -> bool {
        self.sends_lists || self.confirms == Some(true)
    }

    /// Ends his presence, or changes why it has ended. What he has not been sent.
    pub(super) fn lose(&mut self, now: Duration, reason: LeaveReason) -> VecDeque<Part> {
        let since = match self.standing {
            Standing::Present => now,
            Standing::Lost { since, .. } => since,
        };
        self.standing = Standing::Lost { since, reason };
        self.abandoned = self.sending.take().or(self.abandoned);
        self.attempt = Attempt::default();
        std::mem::take(&mut self.outbox)
    }

    pub(super) fn may_be_notified(&self, now: Duration) -> bool {
        self.is_present()
            && self.notifying.is_none()
            && self.notify_after.is_none_or(|after| after <= now)
    }

    /// Whom the notify of this id told of; it is no longer on its way.
    pub(super) fn notified(&mut self, id: SendId) -> Option<PeerAddr> {
        let (_, newcomer) = self.notifying.take_if(|(sent, _)| *sent == id)?;
        Some(newcomer)
    }

    /// When something is to be sent to him; `has_news` is whether he has yet to hear of
    /// somebody who is present.
    pub(super) fn deadline(&self, has_news: impl FnOnce() -> bool) -> Option<Duration> {
        let notify = self
            .notify_after
            .filter(|_| self.is_present() && self.notifying.is_none() && has_news());
        [notify, self.attempt.again_at].into_iter().flatten().min()
    }
}
