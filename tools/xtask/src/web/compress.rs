//! The compressed forms beside each file of the page.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Files that get smaller: an image is compressed already.
const COMPRESSIBLE: [&str; 8] = ["html", "css", "js", "wasm", "svg", "json", "txt", "ico"];

/// The size of a file in its forms, in bytes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) name: String,
    pub(super) plain: usize,
    pub(super) gzip: usize,
    pub(super) brotli: usize,
}

impl Size {
    pub(super) fn add(&mut self, other: &Self) {
        self.plain += other.plain;
        self.gzip += other.gzip;
        self.brotli += other.brotli;
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>9} {:>9} {:>9}  {}",
            self.plain, self.gzip, self.brotli, self.name
        )
    }
}

/// Puts a `.br` and a `.gz` beside each file that is larger than them.
pub(super) fn all(files: &[PathBuf]) -> Result<Vec<Size>> {
    files.iter().map(|file| one(file)).collect()
}

fn one(file: &Path) -> Result<Size> {
    let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let name = file.file_name().unwrap_or_default();
    let mut size = Size {
        name: name.to_string_lossy().into_owned(),
        plain: content.len(),
        gzip: content.len(),
        brotli: content.len(),
    };
    let extension = file.extension().and_then(OsStr::to_str).unwrap_or_default();
    if COMPRESSIBLE.contains(&extension) {
        size.brotli = beside(file, "br", &brotli(&content)?, content.len())?;
        size.gzip = beside(file, "gz", &gzip(&content)?, content.len())?;
    }
    Ok(size)
}

/// Writes a compressed form if it is smaller; the size of what is downloaded.
fn beside(file: &Path, extension: &str, form: &[u8], plain: usize) -> Result<usize> {
    if form.len() >= plain {
        return Ok(plain);
    }
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    fs::write(&name, form).with_context(|| format!("cannot write {}", name.display()))?;
    Ok(form.len())
}

fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    // The default is the best quality. Small blocks, of 2^16 bytes, are better for WebAssembly.
    let params = BrotliEncoderParams {
        lgblock: 16,
        size_hint: content.len(),
        ..BrotliEncoderParams::default()
    };
    brotli::BrotliCompress(&mut &content[..], &mut compressed, &params)?;
    Ok(compressed)
}

fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_forms_beside_a_file_unpack_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.css");
        let content = "body { margin: 0 }\n".repeat(100);
        fs::write(&file, &content).unwrap();
        let size = one(&file).unwrap();
        assert_eq!((size.name.as_str(), size.plain), ("a.css", content.len()));

        let br = fs::read(folder.path().join("a.css.br")).unwrap();
        assert_eq!(br.len(), size.brotli);
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut &br[..], &mut unpacked).unwrap();
        assert_eq!(unpacked, content.as_bytes());

        let gz = fs::read(folder.path().join("a.css.gz")).unwrap();
        assert_eq!(gz.len(), size.gzip);
        let mut unpacked = String::new();
        let mut decoder = flate2::read::GzDecoder::new(&gz[..]);
        decoder.read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, content);
    }

    #[test]
    fn a_file_that_gets_no_smaller_stays_alone() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.png", "a.txt"] {
            let file = folder.path().join(name);
            fs::write(&file, "x").unwrap();
            assert_eq!(one(&file).unwrap().brotli, 1);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
