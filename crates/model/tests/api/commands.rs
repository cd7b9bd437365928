//! Examples of commands.

use p2pchat_model::{Command, MessageId, Target};

use crate::parts::{address, name};

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
            .map(|to| Command::Request { to })
            .collect::<Vec<_>>(),
        Command::Cancel { .. } => [Command::Cancel { to: address(21) }],
        Command::Accept { .. } => [Command::Accept { from: address(21) }],
        Command::Reject { .. } => [Command::Reject { from: address(21) }],
        Command::Say { .. } => [Command::Say { text: "lunch at noon?".to_owned() }],
        Command::Leave => [Command::Leave],
        Command::Busy { .. } => [Command::Busy { on: true }],
        Command::Block { .. } => targets()
            .into_iter()
            .map(|who| Command::Block { who })
            .collect::<Vec<_>>(),
        Command::Unblock { .. } => [Command::Unblock { who: Target::Name(name("bob")) }],
        Command::Undo => [Command::Undo],
        Command::History { .. } => [
            Command::History { before: None },
            Command::History { before: Some(MessageId(41)) },
        ],
        Command::Find { .. } => [Command::Find { text: "lunch noon".to_owned() }],
    }
}
