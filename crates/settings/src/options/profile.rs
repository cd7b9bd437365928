//! The option `--profile`: a folder, or the name of one among the user's data.

use std::ffi::OsStr;
use std::path::{Path, PathBuf, is_separator};

use clap::builder::{OsStringValueParser, TypedValueParser};

/// The name of the option. Its value is the folder, whichever way it is given.
pub(super) const OPTION: &str = "profile";

/// The folder of the profiles that have a name, in the user's data folder.
const NAMED: &str = "profiles";

/// The longest name, in bytes: far below what file systems take.
const LONGEST: usize = 64;

/// Parses a value to the folder of the profile. `data` is the folder of p2pchat among the
/// user's data.
pub(super) fn parser(data: Option<PathBuf>) -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(move |value| folder(&value, data.as_deref()))
}

fn folder(value: &OsStr, data: Option<&Path>) -> Result<PathBuf, &'static str> {
    let text = value.to_string_lossy();
    if text.contains(is_separator) || text == "." || text == ".." {
        return Ok(Path::new(value).components().collect());
    }
    check_name(&text)?;
    let data = data.ok_or("this user has no home folder: give a folder, such as /srv/NAME")?;
    Ok(data.join(NAMED).join(&*text))
}

fn check_name(name: &str) -> Result<(), &'static str> {
    let is_possible = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    if name.is_empty() {
        Err("a name or a folder is needed")
    } else if name.len() > LONGEST {
        Err("a name has 64 bytes at most")
    } else if name.starts_with('.') || !name.chars().all(is_possible) {
        Err(
            "a name has letters, digits and - _ . in it, with no dot at its start; \
             a folder has a / in it, such as ./NAME",
        )
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Result<PathBuf, &'static str> {
        folder(value.as_ref(), Some(Path::new("/data/p2pchat")))
    }

    #[test]
    fn a_plain_name_is_a_folder_among_the_data_of_the_user() {
        for name in ["bob", "b", "a-b_c.d", "Zoë", "7", &"x".repeat(64)] {
            let path = Path::new("/data/p2pchat/profiles").join(name);
            assert_eq!(of(name), Ok(path));
        }
    }

    #[test]
    fn a_value_with_a_separator_is_a_folder() {
        for (value, path) in [
            ("/srv/bob", "/srv/bob"),
            ("/srv/bob/", "/srv/bob"),
            ("./bob", "./bob"),
            ("a/.b", "a/.b"),
            ("bob/", "bob"),
            (".", "."),
            ("..", ".."),
            ("../bob", "../bob"),
        ] {
            let folder = of(value).map(PathBuf::into_os_string);
            assert_eq!(folder, Ok(path.into()), "{value}");
        }
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        for name in ["", ".bob", "...", "a b", "a\0", "~bob", "a:b", "$x", "a\n"] {
            assert!(of(name).is_err(), "{name:?}");
        }
        assert!(of(&"x".repeat(65)).unwrap_err().contains("64 bytes"));
    }

    #[test]
    fn without_a_home_folder_only_a_folder_is_possible() {
        assert!(
            folder("bob".as_ref(), None)
                .unwrap_err()
                .contains("no home")
        );
        assert_eq!(folder("/srv/bob".as_ref(), None), Ok("/srv/bob".into()));
    }
}
