//! Examples of commands.

use p2pchat_model::{Command, ConversationId, MessageId, Passphrase, Target};

use crate::chats::{self, TEAM, key, post_id, team};
use crate::parts::{EXPORTED, OPEN, address, code, fingerprint, name};

every! {
    targets: Target {
        Target::Name(_) => [Target::Name(name("bob"))],
        Target::Address(_) => [Target::Address(address(21))],
    }
}

fn password() -> Passphrase {
    "correct horse".parse().unwrap()
}

every! {
    all: Command {
        Command::UseRegistry { .. } => [Command::UseRegistry {
            registry: "192.168.1.10#ALGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU".to_owned(),
        }],
        Command::StartRegistry => [Command::StartRegistry],
        Command::Register { .. } => ["", "Alice Adams"].map(|display_name| Command::Register {
            name: name("alice"),
            password: password(),
            display_name: display_name.parse().unwrap(),
        }),
        Command::Login { .. } => [Some(password()), None].map(|password| Command::Login {
            name: name("alice"),
            password,
        }),
        Command::Logout => [Command::Logout],
        Command::Refresh => [Command::Refresh],
        Command::Search { .. } => [Command::Search { name: name("bob") }],
        Command::Request { .. } => targets()
            .into_iter()
            .map(|to| Command::Request { conversation: OPEN, to })
            .collect::<Vec<_>>(),
        Command::Cancel { .. } => [Command::Cancel { conversation: OPEN, to: address(21) }],
        Command::Accept { .. } => [Command::Accept { conversation: OPEN, from: address(21) }],
        Command::Reject { .. } => [Command::Reject { conversation: OPEN, from: address(21) }],
        Command::AcceptKey { .. } => [false, true].map(|although_verified| Command::AcceptKey {
            conversation: chats::with_bob(),
            although_verified,
        }),
        Command::AllowOpen { .. } => [Command::AllowOpen { names: vec![name("bob")] }],
        Command::Chat { .. } => [Command::Chat { with: name("bob") }],
        Command::Group { .. } => ["", TEAM].map(|group| Command::Group {
            name: group.parse().unwrap(),
            members: vec![name("bob"), name("carol")],
        }),
        Command::Add { .. } => [false, true].map(|sees_all| Command::Add {
            conversation: team(),
            members: vec![name("carol")],
            sees_all,
        }),
        Command::Join { .. } => [Command::Join { conversation: team() }],
        Command::Decline { .. } => [Command::Decline { conversation: team() }],
        Command::Remove { .. } => [Command::Remove { conversation: team(), who: key(b'c') }],
        Command::MakeOwner { .. } => [Command::MakeOwner { conversation: team(), who: key(b'c') }],
        Command::Resign { .. } => [Command::Resign { conversation: team() }],
        Command::Rename { .. } => ["", TEAM].map(|name| Command::Rename {
            conversation: team(),
            name: name.parse().unwrap(),
        }),
        Command::Say { .. } => [
            Command::say(OPEN, "lunch at noon?"),
            Command::say(team(), "lunch at noon?"),
            Command::Say {
                conversation: team(),
                text: "fine with me".to_owned(),
                reply_to: Some(post_id(41)),
            },
        ],
        Command::Edit { .. } => [Command::Edit {
            conversation: team(),
            message: post_id(41),
            text: "lunch at one?".to_owned(),
        }],
        Command::Delete { .. } => [Command::Delete { conversation: team(), message: post_id(41) }],
        Command::React { .. } => ["👍", ""].map(|emoji| Command::React {
            conversation: team(),
            message: post_id(41),
            emoji: emoji.to_owned(),
        }),
        Command::Typing { .. } => [Command::Typing { conversation: team() }],
        Command::Alert { .. } => chats::alerts()
            .into_iter()
            .map(|of| Command::Alert { conversation: team(), of })
            .collect::<Vec<_>>(),
        Command::Pin { .. } => [Command::Pin { conversation: team(), on: true }],
        Command::Archive { .. } => [Command::Archive { conversation: team(), on: true }],
        Command::Leave { .. } => [OPEN, team()].map(|conversation| Command::Leave { conversation }),
        Command::Busy { .. } => [Command::Busy { on: true }],
        Command::Away { .. } => [Command::Away { on: true }],
        Command::Active => [Command::Active],
        Command::DisplayName { .. } => [Command::DisplayName {
            display_name: "Alice Adams".parse().unwrap(),
        }],
        Command::ChangePassword { .. } => [Command::ChangePassword {
            old: password(),
            new: "an even longer one of several words".parse().unwrap(),
        }],
        Command::LegacyLogin { .. } => [Command::LegacyLogin { on: true }],
        Command::Code { .. } => [Command::Code { name: name("bob") }],
        Command::Trust { .. } => [Command::Trust {
            name: name("bob"),
            code: code(),
            verified: true,
        }],
        Command::ExportIdentity { .. } => [Command::ExportIdentity { password: password() }],
        Command::ImportIdentity { .. } => [Command::ImportIdentity {
            identity: EXPORTED.to_owned(),
            password: password(),
        }],
        Command::Registries => [Command::Registries],
        Command::TrustRegistry { .. } => [Command::TrustRegistry { fingerprint: fingerprint('B') }],
        Command::ForgetRegistry { .. } => [Command::ForgetRegistry {
            registry: "192.168.1.10".to_owned(),
        }],
        Command::Block { .. } => targets()
            .into_iter()
            .map(|who| Command::Block { who })
            .collect::<Vec<_>>(),
        Command::Unblock { .. } => [Command::Unblock { who: Target::Name(name("bob")) }],
        Command::Undo => [Command::Undo],
        Command::Read { .. } => [
            Command::Read { conversation: OPEN, message: MessageId::new(42) },
            Command::Read { conversation: team(), message: post_id(42) },
        ],
        Command::Draft { .. } => [Command::Draft {
            conversation: OPEN,
            text: "see you at".to_owned(),
        }],
        Command::History { .. } => [
            (OPEN, None),
            (OPEN, Some(MessageId::new(41))),
            (team(), Some(post_id(41))),
        ]
        .map(|(conversation, before)| Command::History { conversation, before }),
        Command::HistoryFrom { .. } => [Command::HistoryFrom {
            conversation: team(),
            from: post_id(41),
        }],
        Command::Find { .. } => [None, Some(ConversationId::OPEN)].map(|conversation| {
            Command::Find { conversation, text: "lunch noon".to_owned() }
        }),
    }
}
