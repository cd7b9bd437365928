//! Examples of commands.

use p2pchat_model::{Command, ConversationId, MessageId, Target};

use crate::parts::{OPEN, address, name};

every! {
    targets: Target {
        Target::Name(_) => [Target::Name(name("bob"))],
        Target::Address(_) => [Target::Address(address(21))],
    }
}

every! {
    all: Command {
        Command::Register { .. } => [Command::Register {
            name: name("alice"),
            password: "correct horse".parse().unwrap(),
        }],
        Command::Login { .. } => [Command::Login {
            name: name("alice"),
            password: "correct horse".parse().unwrap(),
        }],
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
            text: "lunch at noon?".to_owned(),
        }],
        Command::Leave { .. } => [Command::Leave { conversation: OPEN }],
        Command::Busy { .. } => [Command::Busy { on: true }],
        Command::Block { .. } => targets()
            .into_iter()
            .map(|who| Command::Block { who })
            .collect::<Vec<_>>(),
        Command::Unblock { .. } => [Command::Unblock { who: Target::Name(name("bob")) }],
        Command::Undo => [Command::Undo],
        Command::Read { .. } => [Command::Read { conversation: OPEN, message: MessageId(42) }],
        Command::Draft { .. } => [Command::Draft {
            conversation: OPEN,
            text: "see you at".to_owned(),
        }],
        Command::History { .. } => [None, Some(MessageId(41))]
            .map(|before| Command::History { conversation: OPEN, before }),
        Command::Find { .. } => [None, Some(ConversationId::OPEN)].map(|conversation| {
            Command::Find { conversation, text: "lunch noon".to_owned() }
        }),
    }
}
