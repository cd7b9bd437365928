//! Archives to unpack: a tarball, and a zip for Windows.

use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::path::Path;

use anyhow::{Context, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::tree::{Tree, gzip};

/// Writes a `.tar.gz` with one folder inside.
///
/// # Errors
/// If it cannot be written.
pub(super) fn tarball(tree: &Tree<'_>, folder: &str, time: u64, to: &Path) -> Result<()> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, file) in &tree.files {
        let mut header = tar::Header::new_gnu();
        header.set_size(file.content.len() as u64);
        header.set_mode(if file.is_program { 0o755 } else { 0o644 });
        header.set_mtime(time);
        header.set_uid(0);
        header.set_gid(0);
        archive.append_data(&mut header, format!("{folder}/{path}"), &file.content[..])?;
    }
    fs::write(to, gzip(&archive.into_inner()?)?).with_context(|| to.display().to_string())
}

/// Writes a `.zip` with one folder inside. A zip has no time of a day of the world, so it has
/// the earliest that there is.
///
/// # Errors
/// If it cannot be written.
pub(super) fn zip(tree: &Tree<'_>, folder: &str, to: &Path) -> Result<()> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, file) in &tree.files {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(if file.is_program { 0o755 } else { 0o644 });
        archive.start_file(format!("{folder}/{path}"), options)?;
        archive.write_all(&file.content)?;
    }
    let bytes = archive.finish()?.into_inner();
    File::create(to)
        .and_then(|mut file| file.write_all(&bytes))
        .with_context(|| to.display().to_string())
}
