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
/// The registry has been asked and has not answered.
pub const WAITING: &str = "One moment…";
/// The sentence above the sign-in form.
pub const LEAD: &str =
    "Messages go directly between computers, not encrypted. Use it on networks you trust.";

/// Button: accept a chat request.
pub const ACCEPT: &str = "Accept";
/// Button: reject a chat request.
pub const REJECT: &str = "Reject";
/// Button: block a user, or reject a request and block who sent it.
pub const BLOCK: &str = "Block";
/// Button: unblock a user.
pub const UNBLOCK: &str = "Unblock";
/// Button: leave the chat.
pub const LEAVE: &str = "Leave";

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

/// State of a user who was sent a chat request.
pub const ASKED: &str = "asked";
/// State of a member who cannot be reached.
pub const UNREACHABLE: &str = "unreachable";
/// State of a person whose name the registry does not know.
pub const UNKNOWN_NAME: &str = "unknown name";
/// The user.
pub const YOU: &str = "you";

/// Switch and state: chat requests are answered with BUSY.
pub const BUSY: &str = "Busy";
/// What the switch means while it is on.
pub const BUSY_ON: &str = "chat requests are rejected";
/// What the switch means while it is off.
pub const BUSY_OFF: &str = "others can send you chat requests";

/// No one is in the chat.
pub const NO_CHAT: &str = "No one is in your chat yet";
/// What to do where no one is in the chat.
pub const NO_CHAT_HINT: &str = "Send a chat request to a user who is online, or wait for one";
/// What goes on while the registry cannot be reached.
pub const WITHOUT_REGISTRY: &str = "Chats go on; the list of people may be out of date.";
