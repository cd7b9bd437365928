//! Words of the first minutes: which registry there is, and how others are invited to it.

use super::security::registry_name;
use crate::event::Link;
use crate::identity::Security;
use crate::view::View;

/// What p2pchat lacks at its first start.
pub const NEEDS_REGISTRY: &str = "p2pchat needs a registry: a small program on one computer of \
                                  your network that knows who is here. Messages do not go \
                                  through it.";
/// Before the field for a registry.
pub const HAS_ONE: &str = "Does a colleague use p2pchat? Type or paste what they sent you.";
/// Field: the registry.
pub const REGISTRY: &str = "Registry";
/// In that field, while it is empty.
pub const EXAMPLE: &str = "192.168.1.10 or 192.168.1.10#ABCD-…";
/// Button: go to the registry in the field.
pub const CONNECT: &str = "Connect";
/// Before the button [`START_HERE`].
pub const NO_ONE_HAS_ONE: &str =
    "Are you the first one here? Others on this network can use it too.";
/// Button: start a registry.
pub const START_HERE: &str = "Start a registry on this computer";
/// While it starts.
pub const STARTING: &str = "Starting a registry on this computer…";
/// The field is empty.
pub const NAME_IT: &str = "type its address, or start a registry on this computer";
/// A registry that runs on this machine already is in the field.
pub const USE_THAT: &str = "Use that one?";
/// Button: leave the sign-in form for the choice of a registry.
pub const OTHER_REGISTRY: &str = "Other registry";
/// What to do about a registry that cannot be reached.
pub const CHECK_ADDRESS: &str =
    "Is p2pchat-registry running there? Check the address and try again.";
/// A list of chats that is empty.
pub const NO_CHATS: &str = "No chats yet. Pick someone online, or invite a colleague.";
/// Before the invitation, where someone is looked for.
pub const NOT_HERE: &str = "Is someone not here yet? Send them this:";
/// Button: invite someone.
pub const INVITE: &str = "Invite";

/// While a registry is being reached.
#[must_use]
pub fn connecting(registry: &str) -> String {
    format!("Connecting to {}…", registry_name(registry))
}

/// What to send to a colleague, so that they come to the same registry. `None` as long as it has
/// not answered.
#[must_use]
pub fn invitation(view: &View) -> Option<String> {
    let registry = invited_to(view)?;
    Some(format!("Join me on p2pchat: p2pchat --registry {registry}"))
}

/// The registry of the invitation: its name, with the fingerprint of its key.
#[must_use]
pub fn invited_to(view: &View) -> Option<String> {
    let name = registry_name(&view.registry);
    match view.security {
        Security::Unknown => None,
        Security::NotEncrypted => Some(format!("{name} --allow-plaintext")),
        Security::Encrypted { fingerprint } => Some(format!("{name}#{fingerprint}")),
    }
}

/// The registry in what was typed or pasted: a name or an address, or a whole invitation.
#[must_use]
pub fn registry_in(text: &str) -> &str {
    let behind = text.split_once("--registry").map(|(_, registry)| registry);
    let registry = behind.unwrap_or(text).trim_start_matches([' ', '=']).trim();
    match behind {
        // Further options.
        Some(_) => registry.split_whitespace().next().unwrap_or_default(),
        None => registry,
    }
}

/// Why the registry that was chosen cannot be reached, in a sentence of its own.
#[must_use]
pub fn not_reached(view: &View) -> Option<String> {
    let Link::Down { reason, .. } = &view.link else {
        return None;
    };
    let name = registry_name(&view.registry);
    Some(format!("Cannot reach {name}: {reason}. {CHECK_ADDRESS}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_read_as_it_is_written() {
        let key = "ALGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU";
        let mut view = View {
            registry: format!("192.168.1.10#{}, other", key.replace('-', "")),
            ..View::default()
        };
        assert_eq!(invitation(&view), None);
        let fingerprint = key.parse().unwrap();
        view.security = Security::Encrypted { fingerprint };
        let text = invitation(&view).unwrap();
        let registry = format!("192.168.1.10#{key}");
        assert_eq!(
            text,
            format!("Join me on p2pchat: p2pchat --registry {registry}")
        );
        for typed in [
            &text,
            &registry,
            &format!("  {registry}\n"),
            &format!("{text} --plain"),
        ] {
            assert_eq!(registry_in(typed), registry);
        }
        assert_eq!(registry_in("a, b"), "a, b");
        assert_eq!(registry_in("p2pchat --registry=a:1"), "a:1");
        assert_eq!(registry_in(" "), "");
    }

    #[test]
    fn a_registry_that_is_not_reached_is_told_with_what_to_do() {
        let mut view = View {
            registry: "10.0.0.1#ABCD".to_owned(),
            ..View::default()
        };
        assert_eq!(not_reached(&view), None);
        view.link = Link::Down {
            reason: "nothing answers at 10.0.0.1, port 3131".to_owned(),
            retry_at: crate::Timestamp(0),
        };
        let words = not_reached(&view).unwrap();
        assert!(
            words.starts_with("Cannot reach 10.0.0.1: nothing"),
            "{words}"
        );
        assert!(words.ends_with("try again."), "{words}");
    }
}
