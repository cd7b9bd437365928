//! The files of a package, in memory: in order, without times and owners, and each looked at.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::GzBuilder;

use crate::paths::Builder;

/// A file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    /// What is in it.
    pub(super) content: Vec<u8>,
    /// Whether it is a program.
    pub(super) is_program: bool,
}

/// The files of a package by their paths in it, without a leading slash.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    /// Whose paths must not be in any of them.
    builder: &'a Builder,
    /// The files, in order.
    pub(super) files: BTreeMap<String, File>,
}

impl<'a> Tree<'a> {
    /// A package without a file.
    #[must_use]
    pub(super) fn new(builder: &'a Builder) -> Self {
        let files = BTreeMap::new();
        Self { builder, files }
    }

    /// Adds a file that is read or run as it is.
    ///
    /// # Errors
    /// If a path of the machine that builds is in it, or if the package has this path already.
    pub(super) fn add(&mut self, path: &str, content: impl Into<Vec<u8>>) -> Result<()> {
        self.put(path, content.into(), false)
    }

    /// Adds a program.
    ///
    /// # Errors
    /// As [`Tree::add`].
    pub(super) fn add_program(&mut self, path: &str, content: Vec<u8>) -> Result<()> {
        self.put(path, content, true)
    }

    /// Adds a file compressed, under its path with `.gz`.
    ///
    /// # Errors
    /// As [`Tree::add`].
    pub(super) fn add_compressed(&mut self, path: &str, content: &[u8]) -> Result<()> {
        self.builder.ensure_absent(path, content)?;
        self.put(&format!("{path}.gz"), gzip(content)?, false)
    }

    fn put(&mut self, path: &str, content: Vec<u8>, is_program: bool) -> Result<()> {
        self.builder.ensure_absent(path, &content)?;
        let file = File {
            content,
            is_program,
        };
        let before = self.files.insert(path.to_owned(), file);
        ensure!(before.is_none(), "{path} is twice in one package");
        Ok(())
    }

    /// Writes the files into a folder, which has nothing else afterwards.
    ///
    /// # Errors
    /// If the system refuses.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder)
                .with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        for (path, file) in &self.files {
            let path = folder.join(path);
            let parent = path.parent().context("a file without a folder")?;
            fs::create_dir_all(parent)?;
            fs::write(&path, &file.content)
                .with_context(|| format!("cannot write {}", path.display()))?;
            let mode = if file.is_program { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    }
}

/// Compressed without a name and a time.
pub(super) fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_a_path_of_the_builder_is_refused_compressed_or_not() {
        let builder = Builder::of(&["/home/me/p2pchat"]);
        let mut tree = Tree::new(&builder);
        tree.add("bin/a", "clean").unwrap();
        let dirty = "panicked at /home/me/p2pchat/src/a.rs";
        assert!(tree.add("bin/b", dirty).is_err());
        assert!(tree.add_compressed("man/b.1", dirty.as_bytes()).is_err());
        assert!(tree.add("bin/a", "again").is_err());
        assert_eq!(tree.files.len(), 1);
    }

    #[test]
    fn what_is_written_has_the_rights_of_its_kind_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("stage");
        fs::create_dir(&at).unwrap();
        fs::write(at.join("old"), "").unwrap();
        let builder = Builder::of(&["/home/me"]);
        let mut tree = Tree::new(&builder);
        tree.add_program("bin/a", b"a".to_vec()).unwrap();
        tree.add("share/doc/b", "b").unwrap();
        tree.write(&at).unwrap();
        let mode = |path: &str| fs::metadata(at.join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("bin/a"), mode("share/doc/b")), (0o755, 0o644));
        assert!(!at.join("old").exists());
    }
}
