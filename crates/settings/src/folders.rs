//! Where files are unless said otherwise: in the user's folders for such files.

use std::path::PathBuf;

use etcetera::BaseStrategy;

/// What the folder of p2pchat is called within the user's folders.
const NAME: &str = "p2pchat";

/// A file in the user's data folder (`~/.local/share`); `None` if he has no home.
#[must_use]
pub fn data_file(name: &str) -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.data_dir().join(NAME).join(name))
}

/// A file in the user's configuration folder (`~/.config`); `None` if he has no home.
#[must_use]
pub fn config_file(name: &str) -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.config_dir().join(NAME).join(name))
}
