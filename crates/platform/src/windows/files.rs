//! Files and folders for one user alone, and where a file is.
//!
//! Windows has no modes: a new file has the access list of the folder that it is in. The folders
//! that p2pchat uses without options are in `%APPDATA%`, which is its user's alone (and the
//! administrators', who may read everything on any system). Who names another folder chooses
//! its access list too.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Component, Path, Prefix};

/// Makes folders, with the access list of the folder above.
#[must_use]
pub fn private_folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    builder
}

/// Opens a file for reading and writing; one that this creates has the access list of its
/// folder.
#[must_use]
pub fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options
}

/// Whether other users may read or change a file: not looked at, which would take unsafe code.
///
/// # Errors
/// Never.
pub fn is_open_to_others(_: &File) -> io::Result<bool> {
    Ok(false)
}

/// Nothing: NTFS writes what changes in folders to its own journal, in order. SQLite relies on
/// that too.
///
/// # Errors
/// Never.
pub fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// What tells a file from its copies: the computer's name, the volume, and the file's number
/// there.
///
/// # Errors
/// If there is no such file.
pub fn identity(file: &Path) -> io::Result<String> {
    let machine = super::process::host_name();
    let found = winapi_util::file::information(File::open(file)?)?;
    let (volume, number) = (found.volume_serial_number(), found.file_index());
    Ok(format!("{machine}\n{volume} {number}\n"))
}

/// Whether the file is in a folder of another machine, by a name (`\\server\share`) or by a
/// letter that stands for one.
#[must_use]
pub fn is_on_network(file: &Path) -> bool {
    fs::canonicalize(file).is_ok_and(|path| {
        let first = path.components().next();
        matches!(first, Some(Component::Prefix(prefix)) if matches!(
            prefix.kind(),
            Prefix::UNC(..) | Prefix::VerbatimUNC(..)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_another_identity_and_a_change_none() {
        let folder = tempfile::tempdir().unwrap();
        let [one, copy] = ["one", "copy"].map(|name| folder.path().join(name));
        fs::write(&one, "1").unwrap();
        let before = identity(&one).unwrap();
        fs::write(&one, "2").unwrap();
        fs::copy(&one, &copy).unwrap();
        assert_eq!(identity(&one).unwrap(), before);
        assert_ne!(identity(&copy).unwrap(), before);
        assert!(!is_on_network(&one));
    }
}
