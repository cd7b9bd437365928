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
/// The sentence above the sign-in form.
pub const LEAD: &str = "Messages go directly between computers. Messages and your password are \
                        not encrypted: use p2pchat on networks you trust.";
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

/// State of a user who was sent a chat request.
pub const ASKED: &str = "asked";
/// State of a member whose program does not answer.
pub const OFFLINE: &str = "offline";
/// A person whose name the registry does not know.
pub const UNKNOWN_PERSON: &str = "Unknown person";
/// The user.
pub const YOU: &str = "you";

/// State: the user is there.
pub const AVAILABLE: &str = "Available";
/// Switch and state: the user does not use the program now.
pub const AWAY: &str = "Away";
/// Switch and state: chat requests are answered with BUSY.
pub const BUSY: &str = "Do not disturb";
/// What the switch means while it is on.
pub const BUSY_ON: &str = "nobody can ask you for a chat";
/// What the switch means while it is off.
pub const BUSY_OFF: &str = "others can ask you for a chat";

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
