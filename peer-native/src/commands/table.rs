//! The table of all commands.

use p2pchat_model::wording::first;
use p2pchat_model::{Command, ConversationId, DisplayName, Username, action};

use super::arguments::{
    asked, find, needed, pending, registries, say, sign_in, status, switch, target, verify,
};
use super::chats;
use super::{Entry, Typed, When, entry};

/// All commands, in the order in which a new user needs them.
pub const COMMANDS: &[Entry] = &[
    entry(&["/help", "/?"], "", "show this help", |_, _| {
        Ok(Typed::Help)
    }),
    entry(
        &["/registry"],
        "ADDRESS|start",
        "go to a registry, or start one on this computer",
        |registry, _| {
            let typed = needed(registry, "/registry 192.168.1.10")?;
            Ok(Typed::Command(match typed {
                "start" => Command::StartRegistry,
                typed => Command::UseRegistry {
                    registry: first::registry_in(typed).to_owned(),
                },
            }))
        },
    )
    .when(When::SignedOut),
    entry(
        &["/register"],
        "[NAME]",
        "create an account and sign in",
        |name, _| sign_in(true, name),
    )
    .when(When::SignedOut),
    entry(&["/login"], "[NAME]", "sign in", |name, _| {
        sign_in(false, name)
    })
    .when(When::SignedOut),
    entry(
        &["/who", "/whois"],
        "[NAME]",
        "show who is here and online; of NAME, the address",
        |name, _| {
            let name = (!name.is_empty()).then(|| Username::new(name));
            Ok(Typed::Who(name.transpose()?))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/chat"],
        "NAME",
        "begin a chat with a user, or go to it",
        |with, shown| chats::begin(with, shown.view),
    )
    .when(When::SignedIn),
    entry(
        &["/invite"],
        "",
        "show what to send to a colleague, so that they join you",
        |_, _| Ok(Typed::Invite),
    )
    .when(When::SignedIn),
    entry(
        &["/group"],
        "NAME USERS",
        "begin a group: /group \"Release team\" bob carol",
        chats::group,
    )
    .when(When::SignedIn),
    entry(
        &["/go"],
        "NAME|NUMBER",
        "show another chat of the list, or that with a user",
        chats::go,
    )
    .when(When::SignedIn),
    entry(
        &["/join"],
        "[NAME]",
        "accept to be in a chat: of who asks, or of this name",
        chats::join,
    )
    .when(When::SignedIn),
    entry(
        &["/decline", "/reject"],
        "[NAME]",
        "decline to be in a chat, or a request for the open chat",
        chats::decline,
    )
    .when(When::SignedIn),
    entry(
        &["/reply"],
        "TEXT",
        "reply to the newest message of others",
        |text, shown| {
            let text = needed(text, "/reply on my way")?.to_owned();
            let (conversation, message) = chats::newest_of_others(shown)?;
            let reply_to = Some(message);
            Ok(Typed::Command(Command::Say {
                conversation,
                text,
                reply_to,
            }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/react"],
        "EMOJI",
        "react to the newest message of others",
        |emoji, shown| {
            let emoji = needed(emoji, "/react 👍")?.to_owned();
            let (conversation, message) = chats::newest_of_others(shown)?;
            Ok(Typed::Command(Command::React {
                conversation,
                message,
                emoji,
            }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/add"],
        "USERS [--all]",
        "add users to the group; with --all they see what was written before",
        chats::add,
    )
    .when(When::SignedIn),
    entry(
        &["/rename"],
        "[NAME]",
        "give the group another name; without NAME, none",
        |name, shown| {
            let (conversation, _) = chats::chat(shown)?;
            let name = DisplayName::new(name)?;
            Ok(Typed::Command(Command::Rename { conversation, name }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/remove"],
        "NAME",
        "remove a user from the group",
        |name, shown| {
            let (conversation, who) = chats::member(name, true, "/remove mallory", shown)?;
            Ok(Typed::Command(Command::Remove { conversation, who }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/owner"],
        "NAME",
        "make a user an owner of the group",
        |name, shown| {
            let (conversation, who) = chats::member(name, false, "/owner bob", shown)?;
            Ok(Typed::Command(Command::MakeOwner { conversation, who }))
        },
    )
    .when(When::SignedIn),
    entry(&["/resign"], "", "be no owner any more", |_, shown| {
        let (conversation, _) = chats::chat(shown)?;
        Ok(Typed::Command(Command::Resign { conversation }))
    })
    .when(When::SignedIn),
    entry(
        &["/mute"],
        "all|mentions|nothing",
        "set what of this chat you are alerted of",
        chats::alert,
    )
    .when(When::SignedIn),
    entry(
        &["/pin"],
        "",
        "keep this chat at the top of the list, or no longer",
        |_, shown| {
            let (conversation, chat) = chats::chat(shown)?;
            let on = !chat.pinned;
            Ok(Typed::Command(Command::Pin { conversation, on }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/archive"],
        "",
        "put this chat away, or bring it back",
        |_, shown| {
            let (conversation, chat) = chats::chat(shown)?;
            let on = !chat.archived;
            Ok(Typed::Command(Command::Archive { conversation, on }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/request", "/ask"],
        "NAME|ADDRESS",
        "ask a user into the open chat, which older programs have too",
        |to, _| {
            let to = target(to, "/request bob")?;
            let conversation = ConversationId::OPEN;
            Ok(Typed::Command(Command::Request { conversation, to }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/allow"],
        "NAME",
        "agree to have a user in the open chat whose p2pchat is encrypted",
        |name, _| {
            let names = vec![Username::new(needed(name, "/allow bob")?)?];
            Ok(Typed::Command(Command::AllowOpen { names }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/cancel"],
        "[NAME|ADDRESS]",
        "withdraw a request for the open chat",
        |to, shown| {
            let request = asked(to, shown.view)?;
            Ok(Typed::Command(Command::Cancel {
                conversation: request.conversation,
                to: request.to.address,
            }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/accept"],
        "",
        "accept the request for the open chat",
        |_, shown| {
            let request = pending(shown.view)?;
            Ok(Typed::Command(Command::Accept {
                conversation: request.conversation,
                from: request.from.address,
            }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/me"],
        "ACTION",
        "send what you do: * waves",
        |what, shown| Ok(say(&action(needed(what, "/me waves")?), shown)),
    )
    .when(When::SignedIn),
    entry(&["/leave"], "", "leave this chat", |_, shown| {
        let conversation = shown.id;
        Ok(Typed::Command(Command::Leave { conversation }))
    })
    .when(When::SignedIn),
    entry(
        &["/busy"],
        "[on|off]",
        "reject chat requests as busy, or no longer",
        |argument, shown| {
            let on = switch(argument, shown.view.busy)?;
            Ok(Typed::Command(Command::Busy { on }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/away"],
        "[on|off]",
        "be shown as away, or no longer",
        |argument, shown| {
            let on = switch(argument, shown.view.away)?;
            Ok(Typed::Command(Command::Away { on }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/status"],
        "[available|busy|away]",
        "set how you are shown to others, or show it",
        |argument, _| status(argument),
    )
    .when(When::SignedIn),
    entry(
        &["/name"],
        "[NAME]",
        "set the name that others see beside yours; without NAME, none",
        |name, _| {
            let display_name = DisplayName::new(name)?;
            Ok(Typed::Command(Command::DisplayName { display_name }))
        },
    )
    .when(When::SignedIn),
    entry(&["/password"], "", "change your password", |_, _| {
        Ok(Typed::Password)
    })
    .when(When::SignedIn),
    entry(
        &["/legacy"],
        "[on|off]",
        "let older programs sign in to your account, unencrypted",
        |argument, shown| {
            let on = switch(argument, shown.view.legacy_login)?;
            Ok(Typed::Command(Command::LegacyLogin { on }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/code"],
        "[NAME]",
        "show the code of a user, to compare it with them; yours without NAME",
        |name, _| {
            if name.is_empty() {
                return Ok(Typed::Identity);
            }
            let name = Username::new(name)?;
            Ok(Typed::Command(Command::Code { name }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/verify"],
        "NAME CODE",
        "mark a user as verified whose code you have compared",
        |argument, _| verify(argument),
    )
    .when(When::SignedIn),
    entry(
        &["/anyway"],
        "[yes]",
        "send to someone whose code has changed; `yes` if you had compared codes",
        |argument, shown| {
            let (conversation, _) = chats::chat(shown)?;
            let although_verified = match argument {
                "" => false,
                "yes" => true,
                _ => return Err(super::CommandError::NotYes),
            };
            Ok(Typed::Command(Command::AcceptKey {
                conversation,
                although_verified,
            }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/identity"],
        "",
        "show your code, your keys and the line to the registry",
        |_, _| Ok(Typed::Identity),
    ),
    entry(
        &["/registries"],
        "[trust|forget WHICH]",
        "show the registries that are known by their key, or change that",
        |argument, _| registries(argument),
    ),
    entry(
        &["/block"],
        "[NAME|ADDRESS]",
        "block a user, or who sent the chat request",
        |who, shown| {
            let who = match (who, &shown.view.incoming) {
                ("", Some(request)) => request.from.to_block(),
                _ => target(who, "/block mallory")?,
            };
            Ok(Typed::Command(Command::Block { who }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/undo"],
        "",
        "take back the last /block, or /leave of the open chat, within 10 s",
        |_, _| Ok(Typed::Command(Command::Undo)),
    )
    .when(When::SignedIn),
    entry(&["/unblock"], "NAME|ADDRESS", "unblock a user", |who, _| {
        let who = target(who, "/unblock mallory")?;
        Ok(Typed::Command(Command::Unblock { who }))
    })
    .when(When::SignedIn),
    entry(&["/blocked"], "", "show who is blocked", |_, _| {
        Ok(Typed::Blocked)
    })
    .when(When::SignedIn),
    entry(
        &["/search"],
        "NAME",
        "look up a user in the registry",
        |name, _| {
            let name = Username::new(needed(name, "/search bob")?)?;
            Ok(Typed::Command(Command::Search { name }))
        },
    )
    .when(When::SignedIn),
    entry(&["/history"], "", "show earlier messages", |_, shown| {
        Ok(Typed::Command(Command::History {
            conversation: shown.id,
            before: shown.conversation().oldest_message(),
        }))
    })
    .when(When::SignedIn),
    entry(
        &["/find"],
        "[--all] WORDS",
        "search this chat for words; with --all, every chat",
        find,
    )
    .when(When::SignedIn),
    entry(
        &["/logout"],
        "",
        "leave the open chat and sign out",
        |_, _| Ok(Typed::Command(Command::Logout)),
    )
    .when(When::SignedIn),
    entry(
        &["/quit", "/exit"],
        "",
        "end the program; the last one that is open signs out",
        |_, _| Ok(Typed::Quit),
    ),
];
