//! Calls and updates: what front ends and the peer send each other, a line of JSON each.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::command::Command;
use crate::event::{Event, Failure};
use crate::time::Timestamp;

/// The version of the contract: of commands, events and the view, as JSON. Within a version
/// there are additions only.
pub const CONTRACT_VERSION: u32 = 2;

/// The longest id of a call or a front end, in bytes.
pub(crate) const MAX_ID: usize = 64;
/// The greatest number that is an id, 2^53 - 1: every JSON reader can hold it.
pub(crate) const MAX_NUMBER: u64 = (1 << 53) - 1;

/// A command, and the id that its answers carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The id, unique among the calls of its front end. Without one there is no `done`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<CallId>,
    /// The command.
    #[serde(flatten)]
    pub command: Command,
}

/// The id of a [`Call`]: a string of 1 to 64 bytes, or a whole number below 2^53.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged, try_from = "RawId")]
pub enum CallId {
    /// A number.
    Number(u64),
    /// A string.
    Text(Box<str>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawId {
    Number(u64),
    Text(Box<str>),
}

/// A JSON value is not a [`CallId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an id is a string of 1 to {MAX_ID} bytes, or a whole number from 0 to {MAX_NUMBER}")]
pub struct BadId;

impl TryFrom<RawId> for CallId {
    type Error = BadId;

    fn try_from(raw: RawId) -> Result<Self, BadId> {
        match raw {
            RawId::Number(number @ ..=MAX_NUMBER) => Ok(Self::Number(number)),
            RawId::Text(text) if (1..=MAX_ID).contains(&text.len()) => Ok(Self::Text(text)),
            RawId::Number(_) | RawId::Text(_) => Err(BadId),
        }
    }
}

impl FromStr for CallId {
    type Err = BadId;

    /// A string, also where it has digits only.
    fn from_str(text: &str) -> Result<Self, BadId> {
        RawId::Text(text.into()).try_into()
    }
}

impl From<u64> for CallId {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

/// A line that is not a [`Call`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct BadCall {
    /// Its id, if that could be read.
    pub id: Option<CallId>,
    /// What is wrong, without the values in the line: one of them may be a password.
    pub reason: String,
}

impl Call {
    /// A call without an id.
    #[must_use]
    pub fn new(command: Command) -> Self {
        Self { id: None, command }
    }

    /// A call with this id.
    #[must_use]
    pub fn with_id(id: impl Into<CallId>, command: Command) -> Self {
        Self {
            id: Some(id.into()),
            command,
        }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// If it is not JSON, not a command, or has a field that the command does not have.
    pub fn from_json(line: &str) -> Result<Self, BadCall> {
        let bad = |id: Option<&CallId>, reason: String| BadCall {
            id: id.cloned(),
            reason,
        };
        let mut fields: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| bad(None, no_object(&error)))?;
        let id = match fields.remove("id") {
            None | Some(Value::Null) => None,
            Some(id) => {
                let id = serde_json::from_value(id);
                Some(id.map_err(|_| bad(None, BadId.to_string()))?)
            }
        };
        let id = id.as_ref();
        let name = match fields.get("command") {
            None => return Err(bad(id, "the field `command` is missing".to_owned())),
            Some(Value::String(name)) => name.clone(),
            Some(_) => return Err(bad(id, "`command` has to be a string".to_owned())),
        };
        let given: Vec<String> = fields.keys().cloned().collect();
        let command: Command = serde_json::from_value(Value::Object(fields))
            .map_err(|error| bad(id, without_values(&name, &error)))?;
        // A command without fields would ignore those that it does not have.
        if command.has_no_fields()
            && let Some(extra) = given.iter().find(|name| *name != "command")
        {
            return Err(bad(id, format!("`{name}` has no field `{extra}`")));
        }
        Ok(Self {
            id: id.cloned(),
            command,
        })
    }
}

impl BadCall {
    /// The answer to the line.
    #[must_use]
    pub fn into_answer(self, at: Timestamp) -> Update {
        let failure = Failure::bad_command(at, self.reason);
        let event = Arc::new(Event::Failed(failure));
        Update { re: self.id, event }
    }
}

impl From<Command> for Call {
    fn from(command: Command) -> Self {
        Self::new(command)
    }
}

fn no_object(error: &serde_json::Error) -> String {
    if error.is_data() {
        "a command is a JSON object, such as {\"command\":\"refresh\"}".to_owned()
    } else {
        format!("this is not JSON: {error}")
    }
}

/// What is wrong with a command, without the values in it, and in the words of JSON.
fn without_values(command: &str, error: &serde_json::Error) -> String {
    let text = error.to_string();
    if let Some(unknown) = text.strip_prefix("unknown variant ") {
        let is_command = unknown.starts_with(&format!("`{command}`"));
        let what = if is_command { "command" } else { "value" };
        return format!("unknown {what} {unknown}");
    }
    match text.split_once(", expected ") {
        Some((start, expected)) if start.starts_with("invalid") => format!("expected {expected}"),
        _ => text,
    }
}

/// An event, and the call of this front end that it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Update {
    /// The id of the call; absent where no call of this front end caused the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub re: Option<CallId>,
    /// The event.
    #[serde(flatten)]
    pub event: Arc<Event>,
}

impl Update {
    /// Reads a line. An event of a later version is an error; a front end ignores it.
    ///
    /// # Errors
    /// If it is not an update.
    pub fn from_json(line: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Envelope {
            re: Option<CallId>,
        }
        // Read twice: a field beside those of the event would have all of them copied. The
        // first time is 6 of the 73 ms that a view of 7 MB takes.
        let Envelope { re } = serde_json::from_str(line)?;
        let event = serde_json::from_str(line)?;
        Ok(Self { re, event })
    }
}

impl From<Event> for Update {
    fn from(event: Event) -> Self {
        let event = Arc::new(event);
        Self { re: None, event }
    }
}

/// The id of a front end, by which its calls are told from those of others: 1 to 64 of
/// `0-9`, `A-Z`, `a-z` and `-`. It stays when the front end connects again.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FrontEndId(#[serde(deserialize_with = "checked_id")] Arc<str>);

/// A text is not a [`FrontEndId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the id of a front end is 1 to {MAX_ID} of the characters 0-9, A-Z, a-z and -")]
pub struct BadFrontEndId;

impl FrontEndId {
    /// Checks and wraps an id.
    ///
    /// # Errors
    /// If it is empty, too long, or has other characters.
    pub fn new(id: &str) -> Result<Self, BadFrontEndId> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if (1..=MAX_ID).contains(&id.len()) && id.bytes().all(is_allowed) {
            Ok(Self(id.into()))
        } else {
            Err(BadFrontEndId)
        }
    }

    /// An id of random bytes, which no other front end has.
    #[must_use]
    pub fn random(bytes: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(bytes)).into())
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for FrontEndId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrontEndId({})", self.0)
    }
}

fn checked_id<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    let id = <Box<str>>::deserialize(deserializer)?;
    let id = FrontEndId::new(&id).map_err(serde::de::Error::custom)?;
    Ok(id.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(line: &str) -> String {
        Call::from_json(line).unwrap_err().reason
    }

    #[test]
    fn a_call_is_its_command_with_an_id_beside_it() {
        let call = Call::from_json(r#"{"command":"busy","on":true,"id":7}"#).unwrap();
        assert_eq!(call, Call::with_id(7, Command::Busy { on: true }));
        let json = serde_json::to_string(&call).unwrap();
        assert_eq!(json, r#"{"id":7,"command":"busy","on":true}"#);
        let call = Call::from_json(r#"{"id":"a","command":"logout"}"#).unwrap();
        assert_eq!(call.id, Some(CallId::Text("a".into())));
        let call = Call::from_json(r#"{"id":null,"command":"logout"}"#).unwrap();
        assert_eq!(call.id, None);
    }

    #[test]
    fn what_is_wrong_is_said_without_values_and_with_the_id() {
        assert!(reason("{").starts_with("this is not JSON"));
        assert!(reason("\"leave\"").starts_with("a command is a JSON object"));
        assert!(reason(r#"{"id":1}"#).contains("`command` is missing"));
        for id in ["-1", "1.5", "9007199254740992", r#""""#, "[]", "true"] {
            let line = format!(r#"{{"id":{id},"command":"logout"}}"#);
            assert_eq!(reason(&line), BadId.to_string(), "{line}");
        }
        let error = Call::from_json(r#"{"id":3,"command":"logout","x":1}"#).unwrap_err();
        assert_eq!(error.id, Some(CallId::Number(3)));
        assert_eq!(error.reason, "`logout` has no field `x`");
        let text = reason(r#"{"command":"login","name":"a","password":31415926}"#);
        assert!(text.contains("expected a string"), "{text}");
        assert!(!text.contains("31415926"), "{text}");
        let secret = "much-too-long-a-secret".repeat(12);
        let text = reason(&format!(
            r#"{{"command":"login","name":"a","password":"{secret}"}}"#
        ));
        assert!(!text.contains("secret"), "{text}");
        assert!(reason(r#"{"command":"shout"}"#).contains("`shout`"));
        let text = reason(r#"{"command":"say","conversation":"open","text":"","x":1}"#);
        assert!(text.contains("unknown field `x`"), "{text}");
    }

    #[test]
    fn an_update_says_which_call_it_answers() {
        let update = Update {
            re: Some(7.into()),
            event: Arc::new(Event::Done),
        };
        let json = serde_json::to_string(&update).unwrap();
        assert_eq!(json, r#"{"re":7,"event":"done"}"#);
        assert_eq!(Update::from_json(&json).unwrap(), update);
        let update = Update::from(Event::Busy { on: true });
        let json = serde_json::to_string(&update).unwrap();
        assert_eq!(json, r#"{"event":"busy","on":true}"#);
        assert_eq!(Update::from_json(&json).unwrap(), update);
    }

    #[test]
    fn the_id_of_a_front_end_is_short_and_plain() {
        let id = FrontEndId::random([7; 16]);
        assert_eq!(FrontEndId::new(id.as_str()), Ok(id));
        for bad in ["", "a b", "ä", &"a".repeat(65)] {
            assert_eq!(FrontEndId::new(bad), Err(BadFrontEndId));
            let json = serde_json::to_string(bad).unwrap();
            assert!(serde_json::from_str::<FrontEndId>(&json).is_err());
        }
    }
}
