//! Small things kept in the browser: drafts for this tab, settings for all.

use web_sys::Storage;

fn local() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}

fn session() -> Option<Storage> {
    web_sys::window()?.session_storage().ok()?
}

fn set(storage: Option<Storage>, key: &str, value: &str) {
    if let Some(storage) = storage {
        // Fails when the storage is full: then nothing is kept.
        let _ = if value.is_empty() {
            storage.remove_item(key)
        } else {
            storage.set_item(key, value)
        };
    }
}

/// Something kept for all tabs.
#[must_use]
pub fn kept(key: &str) -> Option<String> {
    local()?.get_item(key).ok()?
}

/// Keeps something for all tabs; an empty value removes it.
pub fn keep(key: &str, value: &str) {
    set(local(), key, value);
}

/// Something kept for this tab.
#[must_use]
pub fn of_tab(key: &str) -> Option<String> {
    session()?.get_item(key).ok()?
}

/// Keeps something for this tab; an empty value removes it.
pub fn keep_for_tab(key: &str, value: &str) {
    set(session(), key, value);
}

/// The text that was begun and not sent by this account in this tab.
#[must_use]
pub fn draft(account: &str) -> String {
    of_tab(&draft_key(account)).unwrap_or_default()
}

/// Keeps a text that was begun, for this account and this tab.
pub fn keep_draft(account: &str, text: &str) {
    keep_for_tab(&draft_key(account), text);
}

fn draft_key(account: &str) -> String {
    format!("p2pchat.draft.{account}")
}
