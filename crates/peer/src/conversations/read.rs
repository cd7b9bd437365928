//! Entries to serve, and messages to show.

use std::collections::BTreeMap;
use std::ops::Range;

use p2pchat_conversation::message::{Message, Place, Written, message};
use p2pchat_conversation::replica::Replica;
use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::talk::{Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId, JoinId};
use rusqlite::types::ToSql;
use rusqlite::{OptionalExtension, Row, params};

use super::schema::{
    behind, entry_of, first_place, kind, number, person_of, place_bytes, place_of, well_formed,
};
use super::store::{Store, StoreError};

/// What of a conversation is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Visible {
    /// The logs that count, and how many entries of each do.
    pub limits: BTreeMap<JoinId, u64>,
    /// Entries with a greater clock.
    pub from: Clock,
    /// And none with a greater clock than this one: they are ahead of the time.
    pub latest: Clock,
}

impl Visible {
    /// What this device's person sees of a conversation: also of a time in which they were in it
    /// before, as they hold that.
    #[must_use]
    pub fn of(replica: &Replica, latest: Clock) -> Self {
        let logs = &replica.membership().logs;
        let own = logs.values().filter(|log| log.person == replica.person());
        Self {
            limits: logs
                .keys()
                .map(|join| (*join, replica.limit(join)))
                .collect(),
            from: own.map(|log| log.from).min().unwrap_or_default(),
            latest,
        }
    }

    pub(super) fn has(&self, entry: &Entry) -> bool {
        let Place {
            clock, position, ..
        } = entry.place;
        let limit = self.limits.get(&entry.join);
        limit.is_some_and(|limit| position < *limit) && clock > self.from && clock <= self.latest
    }
}

/// A talk entry as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub id: EntryId,
    /// Its log.
    pub join: JoinId,
    /// Where it stands.
    pub place: Place,
    /// Who wrote it.
    pub author: PersonKey,
    /// Its kind. Of one that is not known here, a newer program may know it.
    pub kind: u8,
    /// What it says. `None` if its body is not there, or cannot be read here.
    pub talk: Option<Talk>,
    /// When it was stored here, in milliseconds since 1970.
    pub came: u64,
}

/// The columns of [`Entry::read`].
pub(super) const COLUMNS: &str = "talk.id, log.id, place, person, kind, body, came";

impl Entry {
    /// How many [`COLUMNS`] there are.
    pub(super) const COLUMNS: usize = 7;

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let kind = row.get(4)?;
        let body: Option<Vec<u8>> = row.get(5)?;
        Ok(Self {
            id: EntryId(row.get(0)?),
            join: EntryId(row.get(1)?),
            place: place_of(&row.get(2)?),
            author: person_of(row.get(3)?),
            kind,
            talk: body.and_then(|body| Talk::decode(kind, &body).ok()),
            came: u64::try_from(row.get::<_, i64>(6)?).unwrap_or_default(),
        })
    }

    /// The entry for [`message`].
    #[must_use]
    pub fn written(&self) -> Written<'_> {
        Written {
            id: self.id,
            place: self.place,
            author: self.author,
            talk: self.talk.as_ref(),
        }
    }
}

/// A message: the entry that began it, and those that change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// A message, a reply, or what needs a newer program.
    pub entry: Entry,
    /// The edits, erases and reactions that name it and are visible, in their order.
    pub naming: Vec<Entry>,
}

impl Post {
    /// What is shown for it.
    #[must_use]
    pub fn message(&self) -> Option<Message<'_>> {
        let naming: Vec<_> = self.naming.iter().map(Entry::written).collect();
        message(&self.entry.written(), &naming)
    }
}

/// A page of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Oldest first.
    pub posts: Vec<Post>,
    /// Whether there are older ones.
    pub more: bool,
}

impl Store {
    /// The entries of a range of a log that are held, to be sent: with their bodies, as far as
    /// these are kept.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn entries(
        &self,
        conversation: &ConversationId,
        join: &JoinId,
        range: &Range<u64>,
    ) -> Result<Vec<TalkEntry>, StoreError> {
        let (start, end) = (number(range.start), number(range.end));
        self.talk(
            "log.id = ?2 AND position >= ?3 AND position < ?4 ORDER BY position",
            params![conversation.0, join.0, start, end],
        )
    }

    /// An entry. Also one that does not count any more and has to be written once more.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn entry(
        &self,
        conversation: &ConversationId,
        id: &EntryId,
    ) -> Result<Option<TalkEntry>, StoreError> {
        let found = self.talk("talk.id = ?2", params![conversation.0, id.0])?;
        Ok(found.into_iter().next())
    }

    fn talk(&self, condition: &str, params: &[&dyn ToSql]) -> Result<Vec<TalkEntry>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT talk.id, sealed, body
             FROM conversation JOIN log ON log.conversation = conversation.row
                 JOIN talk ON log = log.row
             WHERE conversation.id = ?1 AND {condition}"
        ))?;
        let mut rows = statement.query(params)?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            let body: Option<Vec<u8>> = row.get(2)?;
            let sealed: Vec<u8> = row.get(1)?;
            entries.extend(well_formed(
                row.get(0)
                    .and_then(|id| entry_of(id, &sealed, body.as_deref())),
            )?);
        }
        Ok(entries)
    }

    /// The messages just before a place; the newest if `None`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn page(
        &self,
        conversation: &ConversationId,
        before: Option<Place>,
        count: usize,
        visible: &Visible,
    ) -> Result<Page, StoreError> {
        let mut firsts = Vec::new();
        let mut more = false;
        self.walk_back(conversation, None, before, visible, |entry| {
            more = firsts.len() >= count;
            if !more {
                firsts.push(entry);
            }
            !more
        })?;
        let oldest_first = firsts.into_iter().rev();
        let posts = oldest_first.map(|entry| self.with_naming(conversation, entry, visible));
        let posts = posts.collect::<Result<_, _>>()?;
        Ok(Page { posts, more })
    }

    /// The messages from a place on.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn page_from(
        &self,
        conversation: &ConversationId,
        from: &Place,
        count: usize,
        visible: &Visible,
    ) -> Result<Page, StoreError> {
        let mut firsts = Vec::new();
        let mut more = false;
        let (from, latest) = (place_bytes(from), first_place(behind(visible.latest)));
        self.walk(conversation, from..latest, "ASC", visible, |entry| {
            more = firsts.len() >= count;
            if !more {
                firsts.push(entry);
            }
            !more
        })?;
        let firsts = firsts.into_iter();
        let posts = firsts.map(|entry| self.with_naming(conversation, entry, visible));
        let posts = posts.collect::<Result<_, _>>()?;
        Ok(Page { posts, more })
    }

    /// The last message that is shown.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn last(
        &self,
        conversation: &ConversationId,
        visible: &Visible,
    ) -> Result<Option<Post>, StoreError> {
        let page = self.page(conversation, None, 1, visible)?;
        Ok(page.posts.into_iter().next())
    }

    /// A message, if it is visible.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn post(
        &self,
        conversation: &ConversationId,
        id: &EntryId,
        visible: &Visible,
    ) -> Result<Option<Post>, StoreError> {
        let Some(row) = self.conversation(conversation)? else {
            return Ok(None);
        };
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM talk JOIN log ON log.row = log
             WHERE talk.conversation = ?1 AND talk.id = ?2"
        ))?;
        let found = statement.query_row(params![row, id.0], Entry::read);
        let found = well_formed(found.optional())?.flatten();
        let found = found.filter(|entry| visible.has(entry) && begins_message(entry.kind));
        let post = found.map(|entry| self.with_naming(conversation, entry, visible));
        post.transpose()
    }

    /// Gives the entries that begin a message and are visible, the newest first, until it is told
    /// to stop.
    pub(crate) fn walk_back(
        &self,
        conversation: &ConversationId,
        behind_place: Option<Place>,
        below: Option<Place>,
        visible: &Visible,
        each: impl FnMut(Entry) -> bool,
    ) -> Result<(), StoreError> {
        let latest = first_place(behind(visible.latest));
        let below = below.map_or(latest, |below| place_bytes(&below).min(latest));
        let above = behind_place.map_or([0; 48], |place| next_place(&place));
        self.walk(conversation, above..below, "DESC", visible, each)
    }

    /// The same of a range of places, in this order.
    fn walk(
        &self,
        conversation: &ConversationId,
        places: Range<[u8; 48]>,
        order: &str,
        visible: &Visible,
        mut each: impl FnMut(Entry) -> bool,
    ) -> Result<(), StoreError> {
        let Some(row) = self.conversation(conversation)? else {
            return Ok(());
        };
        let from = places.start.max(first_place(behind(visible.from)));
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM talk JOIN log ON log.row = log
             WHERE talk.conversation = ?1 AND place >= ?2 AND place < ?3
                 AND kind NOT IN (3, 4, 5)
             ORDER BY place {order}"
        ))?;
        let mut rows = statement.query(params![row, from, places.end])?;
        while let Some(row) = rows.next()? {
            let entry = well_formed(Entry::read(row))?;
            if let Some(entry) = entry.filter(|entry| visible.has(entry))
                && !each(entry)
            {
                break;
            }
        }
        Ok(())
    }

    pub(crate) fn with_naming(
        &self,
        conversation: &ConversationId,
        entry: Entry,
        visible: &Visible,
    ) -> Result<Post, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM conversation
                 JOIN talk ON talk.conversation = conversation.row JOIN log ON log.row = log
             WHERE conversation.id = ?1 AND target = ?2 AND kind IN (3, 4, 5)
             ORDER BY place"
        ))?;
        let mut rows = statement.query(params![conversation.0, entry.id.0])?;
        let mut naming = Vec::new();
        while let Some(row) = rows.next()? {
            let read = well_formed(Entry::read(row))?;
            naming.extend(read.filter(|entry| visible.has(entry)));
        }
        Ok(Post { entry, naming })
    }
}

/// The first place behind one, in bytes.
fn next_place(place: &Place) -> [u8; 48] {
    let mut bytes = place_bytes(place);
    for byte in bytes.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
    bytes
}

fn begins_message(kind: u8) -> bool {
    !matches!(kind, kind::EDIT | kind::ERASE | kind::REACTION)
}
