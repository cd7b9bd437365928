//! Where the sockets of profiles are: in a folder of the user's own that no one else can enter.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{BindError, MAX_PATH};

/// How many bytes of the hash are in a socket's name: enough that no two profiles share one.
const HASH_BYTES: usize = 16;
/// The permissions of the folder.
const MODE: u32 = 0o700;

/// The path for the socket of the profile in this folder, which has to be its canonical path.
/// Makes the folder of sockets.
///
/// # Errors
/// If that folder cannot be made or is not the user's own, or the path is too long.
pub(super) fn socket_path(profile: &Path) -> Result<PathBuf, BindError> {
    let from_environment = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    socket_path_in(from_environment, &std::env::temp_dir(), profile)
}

fn socket_path_in(
    runtime: Option<PathBuf>,
    temporary: &Path,
    profile: &Path,
) -> Result<PathBuf, BindError> {
    let us = rustix::process::geteuid().as_raw();
    // The variable of another user, which `su` and `sudo` may leave behind, does not count.
    let ours = |folder: &PathBuf| {
        folder.is_absolute() && fs::metadata(folder).is_ok_and(|found| found.uid() == us)
    };
    let folder = match runtime.filter(ours) {
        Some(runtime) => runtime.join("p2pchat"),
        None => temporary.join(format!("p2pchat-{us}")),
    };
    let path = folder.join(socket_name(profile));
    if path.as_os_str().len() > MAX_PATH {
        return Err(BindError::TooLong { path });
    }
    make_private(&folder, us)?;
    Ok(path)
}

/// A name that only this profile has.
fn socket_name(profile: &Path) -> String {
    let hash = Sha256::digest(profile.as_os_str().as_encoded_bytes());
    let digits: String = hash[..HASH_BYTES]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{digits}.sock")
}

/// Makes a folder that is the user's alone, or makes sure that it is.
fn make_private(path: &Path, us: u32) -> Result<(), BindError> {
    let failed = |reason| BindError::Folder {
        path: path.to_owned(),
        reason,
    };
    match DirBuilder::new().mode(MODE).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    let found = fs::symlink_metadata(path).map_err(failed)?;
    if !found.is_dir() {
        return Err(BindError::NotAFolder {
            path: path.to_owned(),
        });
    }
    if found.uid() != us {
        return Err(BindError::OtherUser {
            path: path.to_owned(),
            owner: found.uid(),
        });
    }
    if found.mode() & 0o777 != MODE {
        // Ours, and in a folder where no one else can replace it by a link.
        fs::set_permissions(path, PermissionsExt::from_mode(MODE)).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn the_runtime_folder_of_the_user_is_used_and_that_of_another_is_not() {
        let (runtime, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = |runtime: Option<&Path>| {
            let runtime = runtime.map(Path::to_owned);
            socket_path_in(runtime, temporary.path(), Path::new("/a")).unwrap()
        };
        let ours = path(Some(runtime.path()));
        assert_eq!(ours.parent(), Some(&*runtime.path().join("p2pchat")));
        assert_eq!(mode(ours.parent().unwrap()), 0o700);

        let us = rustix::process::geteuid().as_raw();
        let fallback = temporary.path().join(format!("p2pchat-{us}"));
        let missing = runtime.path().join("missing");
        for other in [None, Some(Path::new("relative")), Some(&*missing)] {
            assert_eq!(path(other).parent(), Some(&*fallback), "{other:?}");
        }
        assert_eq!(mode(&fallback), 0o700);
        if us == 0 {
            std::os::unix::fs::chown(runtime.path(), Some(12345), None).unwrap();
            assert_eq!(path(Some(runtime.path())).parent(), Some(&*fallback));
        }
    }

    #[test]
    fn each_profile_has_a_name_of_its_own() {
        let name = socket_name(Path::new("/home/ann/.local/share/p2pchat"));
        assert_eq!(name.len(), "0123456789abcdef0123456789abcdef.sock".len());
        assert_eq!(
            name,
            socket_name(Path::new("/home/ann/.local/share/p2pchat"))
        );
        assert_ne!(
            name,
            socket_name(Path::new("/home/ann/.local/share/p2pchat2"))
        );
    }

    #[test]
    fn a_path_too_long_for_a_socket_says_so_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("x".repeat(80));
        fs::create_dir(&long).unwrap();
        let error = socket_path_in(Some(long), folder.path(), Path::new("/a")).unwrap_err();
        let words = error.to_string();
        assert!(words.contains("107") || words.contains("103"), "{words}");
        assert!(
            words.ends_with("set XDG_RUNTIME_DIR to a shorter one"),
            "{words}"
        );
    }

    #[test]
    fn a_link_a_file_and_a_folder_of_another_user_are_refused() {
        let us = rustix::process::geteuid().as_raw();
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join(format!("p2pchat-{us}"));
        let words = || {
            let path = socket_path_in(None, temporary.path(), Path::new("/a"));
            path.unwrap_err().to_string()
        };
        std::os::unix::fs::symlink(std::env::temp_dir(), &folder).unwrap();
        assert!(words().contains("is no folder but a link"), "{}", words());
        fs::remove_file(&folder).unwrap();
        fs::write(&folder, "").unwrap();
        assert!(words().contains("is no folder"), "{}", words());
        fs::remove_file(&folder).unwrap();
        if us == 0 {
            fs::create_dir(&folder).unwrap();
            std::os::unix::fs::chown(&folder, Some(12345), None).unwrap();
            assert!(words().contains("another user (uid 12345)"), "{}", words());
        }
    }

    #[test]
    fn a_folder_that_others_could_enter_is_closed_to_them() {
        let us = rustix::process::geteuid().as_raw();
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join(format!("p2pchat-{us}"));
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
        socket_path_in(None, temporary.path(), Path::new("/a")).unwrap();
        assert_eq!(mode(&folder), 0o700);
    }

    #[test]
    fn a_full_disk_is_named_with_what_to_do() {
        let error = BindError::Folder {
            path: "/run/user/1000/p2pchat".into(),
            reason: io::ErrorKind::StorageFull.into(),
        };
        let words = error.to_string();
        assert!(words.contains("/run/user/1000/p2pchat"), "{words}");
        assert!(words.contains("free some space there"), "{words}");
    }
}
