//! What was said and changed, and whether it is there.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_model::{ConversationId, MessageId, Post, PostState, Problem, Username};
use p2pchat_testkit::{Screen, Shown};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::Report;

/// Which of the things that were said.
pub(super) type SaidId = usize;

/// See the module. The first word of each text is its tag, which no other text has; the second one
/// is the number of the edit.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    said: Vec<Said>,
    /// The tag of each message that was ever shown to anybody.
    shown: BTreeMap<(ConversationId, MessageId), String>,
    /// Messages that were shown with two tags.
    torn: BTreeSet<(MessageId, [String; 2])>,
    failures: BTreeMap<String, usize>,
    open_at_kills: usize,
    repeated: usize,
}

#[derive(Debug)]
struct Said {
    tag: String,
    by: Username,
    conversation: ConversationId,
    /// What the answer said.
    message: Option<MessageId>,
    /// The greatest number of an edit that was asked for, and of one that was answered.
    edits: [u32; 2],
}

impl Ledger {
    /// A new text.
    pub(super) fn say(&mut self, by: Username, conversation: ConversationId) -> (SaidId, String) {
        let number = self.said.len();
        let tag = format!("{by}-{number}");
        self.said.push(Said {
            tag: tag.clone(),
            by,
            conversation,
            message: None,
            edits: [0; 2],
        });
        (number, format!("{tag} 0"))
    }

    /// Another text for something that this person has said and was answered.
    pub(super) fn edit(
        &mut self,
        by: Username,
        conversation: ConversationId,
        random: &mut ChaCha8Rng,
    ) -> Option<(SaidId, MessageId, u32, String)> {
        let own = |said: &Said| said.by == by && said.conversation == conversation;
        let said = self.said.iter().enumerate();
        let said: Vec<_> = said
            .filter(|(_, said)| own(said) && said.message.is_some())
            .map(|(number, _)| number)
            .collect();
        let number = *said.get(random.random_range(0..said.len().max(1)))?;
        let said = &mut self.said[number];
        said.edits[0] += 1;
        let edit = said.edits[0];
        Some((number, said.message?, edit, format!("{} {edit}", said.tag)))
    }

    pub(super) fn answered(&mut self, said: SaidId, message: MessageId) {
        self.said[said].message = Some(message);
    }

    pub(super) fn edited(&mut self, said: SaidId, number: u32) {
        let answered = &mut self.said[said].edits[1];
        *answered = number.max(*answered);
    }

    pub(super) fn failed(&mut self, command: &str, problem: Problem) {
        let what = format!("{command}: {problem:?}");
        *self.failures.entry(what).or_default() += 1;
    }

    pub(super) fn repeated(&mut self) {
        self.repeated += 1;
    }

    pub(super) fn open_at_kill(&mut self, count: usize) {
        self.open_at_kills += count;
    }

    /// A message was shown to someone.
    pub(super) fn shown(&mut self, post: &Post) {
        if post.state == PostState::Shown {
            self.see(post.conversation, post.id, &post.text);
        }
    }

    fn see(&mut self, conversation: ConversationId, id: MessageId, text: &str) {
        let (tag, _) = parts(text);
        let known = self.shown.entry((conversation, id));
        let known = known.or_insert_with(|| tag.to_owned());
        if known != tag {
            self.torn.insert((id, [known.clone(), tag.to_owned()]));
        }
    }

    /// Checks what is on all screens of a conversation.
    pub(super) fn check(
        &mut self,
        id: ConversationId,
        screen: &Screen,
        when: &str,
        report: &mut Report,
    ) {
        for post in &screen.posts {
            self.see(id, post.id, &post.text);
        }
        let mut there: BTreeMap<&str, Vec<&Shown>> = BTreeMap::new();
        for post in &screen.posts {
            there.entry(parts(&post.text).0).or_default().push(post);
        }
        let seen: BTreeSet<&String> = self.shown.values().collect();
        for said in self.said.iter().filter(|said| said.conversation == id) {
            let posts = there.get(said.tag.as_str()).map_or(&[][..], Vec::as_slice);
            let has_to = said.message.is_some() || seen.contains(&said.tag);
            let is_right = match posts {
                [] => !has_to,
                [post] => said.is_right(post),
                _ => false,
            };
            report.check(is_right, format!("{when}: {said:?} is shown as {posts:?}"));
        }
        report.check(
            self.torn.is_empty(),
            format!("{when}: of two texts {:?}", self.torn),
        );
    }

    pub(super) fn figures(&self, report: &mut Report) {
        let answered = self.said.iter().filter(|said| said.message.is_some());
        report.figure("texts", self.said.len());
        report.figure("texts that were acknowledged", answered.count());
        report.figure("calls without an answer at kills", self.open_at_kills);
        report.figure("calls that were made again", self.repeated);
        report.figure("calls that failed", format!("{:?}", self.failures));
    }
}

impl Said {
    fn is_right(&self, post: &Shown) -> bool {
        let (_, edit) = parts(&post.text);
        let [asked, answered] = self.edits;
        post.from == self.by.to_string()
            && self.message.is_none_or(|message| message == post.id)
            && (answered..=asked).contains(&edit)
    }
}

/// The tag of a text, and the number of its edit.
fn parts(text: &str) -> (&str, u32) {
    let (tag, edit) = text.split_once(' ').unwrap_or((text, ""));
    (tag, edit.parse().unwrap_or_default())
}
