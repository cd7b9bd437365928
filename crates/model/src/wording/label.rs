//! Buttons, headings and states that the page and the terminal share.

/// Button: sign in to an account.
pub const SIGN_IN: &str = "Sign in";
/// Button: sign out.
pub const SIGN_OUT: &str = "Sign out";
/// Button: create an account and sign in.
pub const CREATE_ACCOUNT: &str = "Create account";
/// Field of the sign-in form.
pub const NAME: &str = "Name";
/// Field of the sign-in form.
pub const PASSWORD: &str = "Password";
/// Field of the form for a new account: the password a second time.
pub const PASSWORD_AGAIN: &str = "Password again";
/// What is wrong with the two fields for a new password.
pub const PASSWORDS_DIFFER: &str = "The two passwords differ";
/// Question beside a refused sign-in, before the button [`CREATE_ACCOUNT`].
pub const NEW_HERE: &str = "New here?";
/// The registry has been asked and has not answered.
pub const WAITING: &str = "One moment…";
/// The sentence above the sign-in form: see [`Security::lead`](crate::Security::lead).
pub const LEAD: &str = "Messages go directly between computers. Those of the open chat are not \
                        encrypted: use it on networks you trust.";
/// The same where the line to the registry is not encrypted.
pub const LEAD_NOT_ENCRYPTED: &str = "Messages go directly between computers. Messages and your password are not encrypted: use \
     p2pchat on networks you trust.";
/// State of the chat, always in sight.
pub const NOT_ENCRYPTED: &str = "Not encrypted";
/// What [`NOT_ENCRYPTED`] means.
pub const NOT_ENCRYPTED_MEANS: &str =
    "Anyone on the network can read this chat. It works with older programs too.";

/// Button: accept a chat request.
pub const ACCEPT: &str = "Accept";
/// Button: accept an invitation to a chat with several members.
pub const JOIN: &str = "Join";
/// Button: decline a chat request.
pub const DECLINE: &str = "Decline";
/// Button: withdraw a chat request that the user sent.
pub const CANCEL_REQUEST: &str = "Cancel request";
/// Button: send a chat request a second time.
pub const ASK_AGAIN: &str = "Ask again";
/// Button: block a user, or decline a request and block who sent it.
pub const BLOCK: &str = "Block";
/// The same where a question follows.
pub const BLOCK_ASK: &str = "Block…";
/// Button: unblock a user.
pub const UNBLOCK: &str = "Unblock";
/// Button: leave the chat.
pub const LEAVE: &str = "Leave";
/// The same where a question follows.
pub const LEAVE_ASK: &str = "Leave…";
/// The question before leaving.
pub const LEAVE_QUESTION: &str =
    "Leave the chat? The others notice it when they write to you the next time.";
/// Button: take back the last block or leave.
pub const UNDO: &str = "Undo";
/// Button: not now.
pub const CANCEL: &str = "Cancel";

/// Heading: the members of the chat.
pub const MEMBERS: &str = "In your chat";
/// Below that heading, where there are none.
pub const NO_MEMBERS: &str = "no one yet";
/// Heading: the other users who are online.
pub const ONLINE: &str = "Online";
/// Below that heading, where there are none.
pub const NO_ONE_ONLINE: &str = "no one else";
/// In the field that finds chats and people.
pub const FIND: &str = "Search or go to";
/// The keys that lead to it, and from chat to chat.
pub const FIND_MEANS: &str = "Ctrl K; Alt ↑ ↓ go from chat to chat, with Shift to new messages";
/// Choice: a search goes through the conversation that is shown.
pub const THIS_CHAT: &str = "This chat";
/// Choice: a search goes through all conversations.
pub const ALL_CHATS: &str = "All chats";
/// Heading: the users and addresses that are blocked.
pub const BLOCKED: &str = "Blocked";
/// Below that heading, where there are none.
pub const NO_ONE_BLOCKED: &str = "no one is blocked";
/// Heading: what others sent or tried and was dropped.
pub const IGNORED: &str = "Ignored";
/// Separator above the first unread message.
pub const NEW: &str = "New messages";

/// The history has nothing before what is shown.
pub const NO_EARLIER: &str = "no earlier messages";

/// Before a date: show the conversation from that day on.
pub const GO_TO_DAY: &str = "Go to day";

/// State of a user who was sent a chat request.
pub const ASKED: &str = "asked";
/// A member who does not want to be in it.
pub const DECLINED: &str = "declined";
/// State of a member whose program does not answer.
pub const OFFLINE: &str = "offline";
/// A person whose name the registry does not know.
pub const UNKNOWN_PERSON: &str = "Unknown person";
/// The user.
pub const YOU: &str = "you";

/// State: no one sees the user, who is not signed in.
pub const NOT_SIGNED_IN: &str = "Not signed in";
/// State: no one sees the user, as the registry cannot be reached.
pub const NOT_CONNECTED: &str = "Not connected";
/// State: the user is there.
pub const AVAILABLE: &str = "Available";
/// Switch and state: the user does not use the program now.
pub const AWAY: &str = "Away";
/// Switch and state: chat requests are answered with BUSY.
pub const BUSY: &str = "Do not disturb";
/// What the switch means while it is on.
pub const BUSY_ON: &str = "nobody can ask you into the open chat";
/// What the switch means while it is off.
pub const BUSY_OFF: &str = "others can ask you into the open chat";

/// No one is in the chat.
pub const NO_CHAT: &str = "No chat yet";
/// What to do where no one is in the chat.
pub const NO_CHAT_HINT: &str = "Pick someone who is online to start one";
/// What goes on while the registry cannot be reached.
pub const WITHOUT_REGISTRY: &str = "Chats go on; the list of people may be old.";
/// Another program of this user was signed in and has ended; the user signs in again.
pub const PASSWORD_NEEDED: &str = "Sign in again so that people find you: the p2pchat that was \
                                   signed in has ended.";
/// What goes on meanwhile.
pub const WITHOUT_PASSWORD: &str = "Your chat goes on.";
/// The account is online at another address.
pub const ELSEWHERE: &str = "You are signed in on another computer; people reach you there.";
/// Button beside [`ELSEWHERE`].
pub const USE_THIS_ONE: &str = "Use this one";
/// The bridge does not answer its page.
pub const BRIDGE_STOPPED: &str = "p2pchat has stopped on this computer.";
/// What to do about [`BRIDGE_STOPPED`].
pub const START_BRIDGE: &str = "Start p2pchat-bridge again; what you typed is kept.";

/// Field: the name that others see beside that of the account.
pub const DISPLAY_NAME: &str = "Display name";
/// The same in the form for a new account.
pub const DISPLAY_NAME_OPTIONAL: &str = "Display name (optional)";
/// Field and button: what else the state of the user may be.
pub const STATUS: &str = "Status";
/// Mark: a user whose program speaks version 1 alone.
pub const OLDER_PROGRAM: &str = "older program";
/// Beside the password in the sign-in form.
pub const PASSWORD_OPTIONAL: &str = "Leave it empty if you have signed in on this computer before";
/// Button and heading: bring one's key from another computer.
pub const IMPORT_IDENTITY: &str = "Import identity";
/// What [`IMPORT_IDENTITY`] is for.
pub const IMPORT_IDENTITY_MEANS: &str = "Do you use p2pchat on another computer? Import your identity from there, and this computer \
     signs in as you.";
/// Heading: the key of the user.
pub const IDENTITY: &str = "Identity";
/// Menu item and heading: two people compare the codes of their keys.
pub const COMPARE_CODES: &str = "Compare codes";
/// How codes are compared; `{name}` reads out the other one.
pub const COMPARE_CODES_HOW: &str = "Read yours aloud, and listen to theirs.";
/// Button: the codes are the same.
pub const THEY_MATCH: &str = "They match";
/// Button: they are not.
pub const THEY_DO_NOT_MATCH: &str = "They do not match";
/// What to do after [`THEY_DO_NOT_MATCH`].
pub const DO_NOT_TRUST: &str = "Then someone else may be posing as them. Write nothing that is \
                                meant for them alone, and ask them in person.";
/// Button: a key that was compared is not trusted any more.
pub const NO_LONGER_TRUST: &str = "No longer trust";
/// Button: trust a new key without comparing codes.
pub const ACCEPT_NEW_CODE: &str = "Accept new code";
/// Heading and button.
pub const CHANGE_PASSWORD: &str = "Change password";
/// Switch: whether the account can be used by version 1 too.
pub const LEGACY_LOGIN: &str = "Allow older programs";
/// What [`LEGACY_LOGIN`] means.
pub const LEGACY_LOGIN_MEANS: &str = "They send your password unencrypted";
/// Heading: the registries whose keys are pinned.
pub const KNOWN_REGISTRIES: &str = "Known registries";
/// Button: take back the pin of a registry.
pub const FORGET: &str = "Forget";
/// A typed fingerprint is not that of the new key.
pub const NOT_THE_NEW_KEY: &str = "this is not the key that is seen now: do not trust it";
/// Button: trust that key.
pub const TRUST_NEW_KEY: &str = "Trust the new key";
/// What it means that the line to the registry is not encrypted.
pub const REGISTRY_NOT_ENCRYPTED_MEANS: &str = "This registry speaks the older protocol: anyone on the network can read your password and \
     see who you talk to.";
/// What it means that it is; the fingerprint of the registry's key follows.
pub const REGISTRY_ENCRYPTED_MEANS: &str = "Only this registry can read what you send to it. The fingerprint of its key, which its \
     operator can confirm:";
/// Menu item and heading: what else can be set of the account.
pub const ACCOUNT_AND_KEYS: &str = "Account and keys";
