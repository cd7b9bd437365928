//! Messages by their ids, and by the entries that change them.

use std::ops::Range;

use p2pchat_conversation::message::Place;
use p2pchat_model::MessageId;
use p2pchat_protocol::v2::conversation::{ConversationId, EntryId, JoinId};
use rusqlite::{OptionalExtension, params};

use super::read::{COLUMNS, Entry, Post, Visible};
use super::schema::{behind, first_place, message_id, number, place_bytes, places_of, well_formed};
use super::store::{Store, StoreError};

/// For each message that is shown: it has to find the replies, and not to look at all messages.
const REPLIES: &str = "
    SELECT reply.id FROM conversation
        JOIN talk AS reply ON reply.conversation = conversation.row
    WHERE conversation.id = ?1 AND reply.kind = 2 AND reply.target = (
        SELECT CASE WHEN kind IN (3, 4) THEN target ELSE ?2 END FROM talk
        WHERE talk.conversation = conversation.row AND talk.id = ?2
    )
    ORDER BY reply.place DESC LIMIT ?3";

impl Entry {
    /// Its id for people and programs, if it begins a message.
    #[must_use]
    pub fn message_id(&self) -> MessageId {
        message_id(&self.place)
    }
}

impl Store {
    /// The newest replies to a message, which show the beginning of its text: `id` is that of the
    /// message, or of an edit or erase of it.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn replies_to(
        &self,
        conversation: &ConversationId,
        id: &EntryId,
        limit: usize,
    ) -> Result<Vec<EntryId>, StoreError> {
        let mut statement = self.connection.prepare_cached(REPLIES)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![conversation.0, id.0, limit], |row| row.get(0))?;
        rows.map(|id| Ok(EntryId(id?))).collect()
    }

    /// The newest messages that the entries of a log in a range began and that are visible, the
    /// newest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn begun_in(
        &self,
        conversation: &ConversationId,
        log: &JoinId,
        range: &Range<u64>,
        limit: usize,
        visible: &Visible,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM conversation
                 JOIN log ON log.conversation = conversation.row AND log.id = ?2
                 JOIN talk ON talk.log = log.row
             WHERE conversation.id = ?1 AND position >= ?3 AND position < ?4
                 AND kind NOT IN (3, 4, 5)
             ORDER BY position DESC LIMIT ?5"
        ))?;
        let (start, end) = (number(range.start), number(range.end));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![conversation.0, log.0, start, end, limit])?;
        let mut begun = Vec::new();
        while let Some(row) = rows.next()? {
            let read = well_formed(Entry::read(row))?;
            begun.extend(read.filter(|entry| visible.has(entry)));
        }
        Ok(begun)
    }

    /// What the entries of a log from a position on change, the newest: messages that they edit,
    /// erase or react to.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn changed_from(
        &self,
        conversation: &ConversationId,
        log: &JoinId,
        position: u64,
        limit: usize,
    ) -> Result<Vec<EntryId>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT target FROM conversation
                 JOIN log ON log.conversation = conversation.row AND log.id = ?2
                 JOIN talk ON talk.conversation = conversation.row AND talk.log = log.row
             WHERE conversation.id = ?1 AND position >= ?3 AND kind IN (3, 4, 5)
                 AND target IS NOT NULL
             ORDER BY position DESC LIMIT ?4",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let of = params![conversation.0, log.0, number(position), limit];
        let rows = statement.query_map(of, |row| row.get(0))?;
        rows.map(|id| Ok(EntryId(id?))).collect()
    }

    /// The message that an entry began or names, and whether it began it. `None` if that is not
    /// visible.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn post_of(
        &self,
        conversation: &ConversationId,
        id: &EntryId,
        visible: &Visible,
    ) -> Result<Option<(Post, bool)>, StoreError> {
        let target = self
            .connection
            .prepare_cached(
                "SELECT target FROM conversation
                     JOIN talk ON talk.conversation = conversation.row
                 WHERE conversation.id = ?1 AND talk.id = ?2 AND kind IN (3, 4, 5)",
            )?
            .query_row(params![conversation.0, id.0], |row| row.get(0))
            .optional()?;
        let (message, begins) = match target {
            None => (*id, true),
            Some(Some(target)) => (EntryId(target), false),
            // Of an edit that was erased since: the erase names the message.
            Some(None) => return Ok(None),
        };
        let post = self.post(conversation, &message, visible)?;
        Ok(post.map(|post| (post, begins)))
    }

    /// Whether an entry is not visible as it is ahead of the time.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn is_ahead(
        &self,
        conversation: &ConversationId,
        id: &EntryId,
        visible: &Visible,
    ) -> Result<bool, StoreError> {
        let first = first_place(behind(visible.latest));
        let mut statement = self.connection.prepare_cached(
            "SELECT 1 FROM conversation JOIN talk ON talk.conversation = conversation.row
             WHERE conversation.id = ?1 AND talk.id = ?2 AND place >= ?3",
        )?;
        Ok(statement.exists(params![conversation.0, id.0, first])?)
    }

    /// The id of the message at a place.
    #[must_use]
    pub fn id_of(place: &Place) -> MessageId {
        message_id(place)
    }

    /// A place with this id, for what stands before it: its device may be the wrong one.
    #[must_use]
    pub fn place_of(id: MessageId) -> Place {
        *places_of(id).start()
    }

    /// The entry that began the message with this id, whether or not it is visible.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn entry_of(
        &self,
        conversation: &ConversationId,
        id: MessageId,
    ) -> Result<Option<EntryId>, StoreError> {
        let places = places_of(id);
        let (start, end) = (place_bytes(places.start()), place_bytes(places.end()));
        let found = self
            .connection
            .prepare_cached(
                "SELECT talk.id FROM conversation
                     JOIN talk ON talk.conversation = conversation.row
                 WHERE conversation.id = ?1 AND place BETWEEN ?2 AND ?3 AND position = ?4
                     AND kind NOT IN (3, 4, 5)",
            )?
            .query_row(
                params![conversation.0, start, end, number(id.parts().2)],
                |row| Ok(EntryId(row.get(0)?)),
            );
        Ok(found.optional()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_found_by_what_they_reply_to() {
        let store = Store::in_memory().unwrap();
        let plan = format!("EXPLAIN QUERY PLAN {REPLIES}");
        let mut plan = store.connection.prepare(&plan).unwrap();
        let nothing = [None::<i64>; 3];
        let steps = plan.query_map(nothing, |row| row.get("detail")).unwrap();
        let steps: Vec<String> = steps.map(Result::unwrap).collect();
        let by_target = "SEARCH reply USING INDEX talk_target (conversation=? AND target=?)";
        assert!(steps.iter().any(|step| step == by_target), "{steps:?}");
        assert!(
            !steps.iter().any(|step| step.contains("B-TREE")),
            "{steps:?}"
        );
    }
}
