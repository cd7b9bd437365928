//! The paths of the machine that builds: taken out of what is compiled, and looked for in what
//! is handed out.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use memchr::memmem;

use crate::cargo::root;
use crate::{system, tools};

/// Where the source of p2pchat is, as programs name it.
const SOURCE: &str = "/p2pchat";
/// Where dependencies are, as programs name them.
const DEPENDENCIES: &str = "/cargo";
/// Where the toolchain is, as programs name it.
const TOOLCHAIN: &str = "/rust";

/// Where things are on the machine that builds.
#[derive(Debug)]
pub(crate) struct Builder {
    /// What to write in place of a path; of several that fit, the last one counts.
    renamed: Vec<(PathBuf, &'static str)>,
    /// What must not be in a package.
    secret: Vec<PathBuf>,
}

impl Builder {
    /// Looks at this machine.
    ///
    /// # Errors
    /// If Rust does not say where it is.
    pub(crate) async fn find() -> Result<Self> {
        let toolchain = tools::sysroot().await?;
        let cargo = cargo_home()?;
        let mut renamed = vec![
            (toolchain.clone(), TOOLCHAIN),
            (cargo.clone(), DEPENDENCIES),
            (root().to_owned(), SOURCE),
        ];
        // The folder is named for the registry, or for a mirror of it.
        let sources = fs::read_dir(cargo.join("registry/src"))
            .into_iter()
            .flatten();
        for source in sources {
            renamed.push((source?.path(), DEPENDENCIES));
        }
        let secret = vec![root().to_owned(), cargo, toolchain, system::cache()?];
        Ok(Self { renamed, secret })
    }

    /// Flags that take the paths out of what rustc writes, one flag of rustc each.
    #[must_use]
    pub(crate) fn rust_flags(&self) -> OsString {
        self.flags("--remap-path-prefix=", "\u{1f}")
    }

    /// Flags that take the paths out of what a C compiler writes.
    #[must_use]
    pub(crate) fn c_flags(&self) -> OsString {
        self.flags("-ffile-prefix-map=", " ")
    }

    fn flags(&self, name: &str, between: &str) -> OsString {
        let flags = self.renamed.iter().map(|(from, to)| {
            let mut flag = OsString::from(name);
            flag.push(from);
            flag.push("=");
            flag.push(to);
            flag
        });
        flags.collect::<Vec<_>>().join(OsStr::new(between))
    }

    /// Refuses what has a path of this machine in it.
    ///
    /// # Errors
    /// If one is found; says which, and what surrounds it.
    pub(crate) fn ensure_absent(&self, name: &str, content: &[u8]) -> Result<()> {
        for path in &self.secret {
            let path = path.as_os_str().as_encoded_bytes();
            if let Some(at) = memmem::find(content, path) {
                let around = &content[at..content.len().min(at + 120)];
                bail!(
                    "{name} names a path of the machine that built it: {:?}",
                    String::from_utf8_lossy(around)
                );
            }
        }
        Ok(())
    }

    /// One whose paths are these, all of them secret.
    #[cfg(test)]
    pub(crate) fn of(paths: &[&str]) -> Self {
        let paths = paths.iter().map(PathBuf::from);
        let renamed = paths.clone().map(|path| (path, SOURCE)).collect();
        let secret = paths.collect();
        Self { renamed, secret }
    }
}

/// The folder where cargo keeps what it downloads.
///
/// # Errors
/// If the user has no home folder.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    match env::var_os("CARGO_HOME") {
        Some(folder) => Ok(folder.into()),
        None => Ok(home()?.join(".cargo")),
    }
}

fn home() -> Result<PathBuf> {
    Ok(env::var_os("HOME").context("HOME is not set")?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_builder_is_found_wherever_it_is() {
        let builder = Builder::of(&["/home/me/p2pchat", "/home/me/.cargo"]);
        let ensure = |content: &str| builder.ensure_absent("a", content.as_bytes());
        ensure("/p2pchat/src/a.rs").unwrap();
        for path in ["/home/me/.cargo/registry", "\0/home/me/p2pchat"] {
            let error = ensure(path).unwrap_err().to_string();
            assert!(error.contains("/home/me"), "{error}");
        }
    }

    #[test]
    fn each_path_has_a_flag_for_each_compiler() {
        let builder = Builder::of(&["/a b", "/c"]);
        let rust = builder.rust_flags().into_string().unwrap();
        let flags: Vec<_> = rust.split('\u{1f}').collect();
        let expected = [
            "--remap-path-prefix=/a b=/p2pchat",
            "--remap-path-prefix=/c=/p2pchat",
        ];
        assert_eq!(flags, expected);
    }
}
