//! Whether a text mentions the user.

use p2pchat_model::Username;

/// Whether a text mentions an account.
pub(super) fn mentions(text: &str, account: Username) -> bool {
    p2pchat_model::mentions(text, account).next().is_some()
}
