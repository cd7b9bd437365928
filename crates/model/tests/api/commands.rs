//! Examples of commands.

use p2pchat_model::{Command, ConversationId, MessageId, Passphrase, Target};

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
        Command::Say { .. } => [Command::Say {
            conversation: OPEN,
            text: "lunch at noon?".to_owned(), reply_to: None }],
        Command::Leave { .. } => [Command::Leave { conversation: OPEN }],
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
        Command::Read { .. } => [Command::Read { conversation: OPEN, message: MessageId::new(42) }],
        Command::Draft { .. } => [Command::Draft {
            conversation: OPEN,
            text: "see you at".to_owned(),
        }],
        Command::History { .. } => [None, Some(MessageId::new(41))]
            .map(|before| Command::History { conversation: OPEN, before }),
        Command::Find { .. } => [None, Some(ConversationId::OPEN)].map(|conversation| {
            Command::Find { conversation, text: "lunch noon".to_owned() }
        }),
    }
}
