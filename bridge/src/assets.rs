//! The files of the web UI: compiled into a release build, read from the folder `dist` by
//! a debug build.
//!
//! All files are in memory before one is asked for. A request is looked up in a map and
//! cannot reach a file that is not in it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hyper::body::Bytes;
use hyper::header::{ACCEPT_ENCODING, HeaderMap, IF_NONE_MATCH};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

/// The files as a release build embeds them.
///
/// A debug build does not use this: if the folder is missing when the bridge is compiled,
/// `rust-embed` compares later files with a path that still holds `..`, and finds none.
#[derive(RustEmbed)]
#[folder = "../dist"]
#[allow_missing = true]
struct Embedded;

/// The folder that a debug build reads.
const DIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../dist");
/// The page at `/`.
const INDEX: &str = "index.html";
/// Bytes of a hash that are enough to tell two versions of a file apart.
const TAG_BYTES: usize = 16;
/// Digits of the hash that trunk puts into the names of files.
const NAME_HASH_DIGITS: usize = 16;

/// The web UI.
#[derive(Debug)]
pub struct Assets {
    files: OnceLock<Files>,
    /// The folder to look into as long as there are no files.
    folder: Option<PathBuf>,
}

/// All files, and what the content security policy has to say about the page.
#[derive(Debug, Default)]
struct Files {
    by_path: HashMap<String, Asset>,
    script_hashes: String,
    style_hashes: String,
}

/// One file of the web UI.
#[derive(Debug)]
pub struct Asset {
    /// Its media type.
    pub mime: &'static str,
    /// Whether its name changes whenever its content does.
    pub immutable: bool,
    /// The file as it is.
    plain: Form,
    /// Its compressed forms, best first.
    compressed: Vec<(&'static str, Form)>,
}

/// A file in one encoding.
#[derive(Debug, Clone)]
pub struct Form {
    /// What is sent.
    pub body: Bytes,
    /// Its strong `ETag`, quotes included.
    pub etag: String,
}

/// The compressed forms that may lie beside a file: extension and `Content-Encoding`,
/// best first.
const ENCODINGS: [(&str, &str); 2] = [("br", "br"), ("gz", "gzip")];

impl Assets {
    /// The web UI of this build: embedded in a release build. A debug build reads `dist`
    /// when it starts, and again for each request as long as there is no page, so it finds
    /// one that is built later.
    #[must_use]
    pub fn embedded() -> Self {
        if cfg!(debug_assertions) {
            return Self::from_folder(DIST);
        }
        let paths = Embedded::iter().collect::<Vec<_>>();
        Self::from_files(paths.into_iter().filter_map(|path| {
            let file = Embedded::get(&path)?;
            Some((path.into_owned(), file.data))
        }))
    }

    /// The files in this folder. It need not be there yet: it is looked for again with each
    /// request until it holds a page.
    #[must_use]
    pub fn from_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            files: OnceLock::new(),
            folder: Some(folder.into()),
        }
    }

    /// These files: paths without a leading `/`, and contents. A file `a.br` or `a.gz` is
    /// the compressed form of `a`, if that is there too.
    pub fn from_files(files: impl IntoIterator<Item = (String, Cow<'static, [u8]>)>) -> Self {
        Self {
            files: Files::new(files).into(),
            folder: None,
        }
    }

    /// Whether there is no page.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files().is_none()
    }

    /// The file at the path of a URL.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Asset> {
        let files = &self.files()?.by_path;
        match path.strip_prefix('/')? {
            "" => files.get(INDEX),
            path => files.get(path),
        }
    }

    /// The hashes of the scripts within the index page, as CSP wants them, each after a
    /// space: trunk starts the program by such a script.
    #[must_use]
    pub fn script_hashes(&self) -> &str {
        self.files().map_or("", |files| &files.script_hashes)
    }

    /// The hashes of the style sheets within the index page, in the same form.
    #[must_use]
    pub fn style_hashes(&self) -> &str {
        self.files().map_or("", |files| &files.style_hashes)
    }

    /// All files, if there is a page among them.
    fn files(&self) -> Option<&Files> {
        if let (None, Some(folder)) = (self.files.get(), &self.folder) {
            let mut found = Vec::new();
            match read_folder(folder, "", &mut found) {
                Ok(()) => {
                    let files = Files::new(found);
                    if files.has_page() {
                        // Another request may have been faster, with the same files.
                        let _ = self.files.set(files);
                    }
                }
                Err(error) => tracing::trace!(%error, ?folder, "no web UI to read"),
            }
        }
        self.files.get().filter(|files| files.has_page())
    }
}

impl Files {
    fn new(files: impl IntoIterator<Item = (String, Cow<'static, [u8]>)>) -> Self {
        let contents: HashMap<String, Bytes> = files
            .into_iter()
            .map(|(path, content)| (path, bytes(content)))
            .collect();
        let index = contents
            .get(INDEX)
            .map(|html| String::from_utf8_lossy(html));
        let index = index.unwrap_or_default();
        Self {
            script_hashes: hashes(&inline_contents(&index, "script")),
            style_hashes: hashes(&inline_contents(&index, "style")),
            by_path: contents
                .iter()
                .filter(|(path, _)| !is_form_of_another(path, &contents))
                .map(|(path, content)| (path.clone(), Asset::new(path, content, &contents)))
                .collect(),
        }
    }

    fn has_page(&self) -> bool {
        self.by_path.contains_key(INDEX)
    }
}

/// Reads a folder and those in it. `prefix` is its own path within the web UI: empty, or
/// with a `/` at its end.
fn read_folder(
    folder: &Path,
    prefix: &str,
    found: &mut Vec<(String, Cow<'static, [u8]>)>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            read_folder(&path, &(name + "/"), found)?;
        } else {
            found.push((name, fs::read(&path)?.into()));
        }
    }
    Ok(())
}

impl Asset {
    fn new(path: &str, content: &Bytes, all: &HashMap<String, Bytes>) -> Self {
        let hash = Sha256::digest(content);
        let tag: String = hash[..TAG_BYTES]
            .iter()
            .fold(String::new(), |mut tag, byte| {
                write!(tag, "{byte:02x}").expect("a String takes all");
                tag
            });
        let compressed = ENCODINGS.iter().filter_map(|(extension, encoding)| {
            let body = all.get(&format!("{path}.{extension}"))?.clone();
            let etag = format!("\"{tag}-{extension}\"");
            Some((*encoding, Form { body, etag }))
        });
        Self {
            mime: mime(path),
            immutable: is_named_by_content(path),
            compressed: compressed.collect(),
            plain: Form {
                body: content.clone(),
                etag: format!("\"{tag}\""),
            },
        }
    }

    /// The best form that these headers take, with its `Content-Encoding`.
    #[must_use]
    pub fn form(&self, headers: &HeaderMap) -> (Option<&'static str>, &Form) {
        let accepted = |encoding: &str| {
            let lists = headers.get_all(ACCEPT_ENCODING).iter();
            let mut items = lists
                .filter_map(|value| value.to_str().ok())
                .flat_map(|list| list.split(','));
            items.any(|item| accepts(item, encoding))
        };
        self.compressed
            .iter()
            .find(|(encoding, _)| accepted(encoding))
            .map_or((None, &self.plain), |(encoding, form)| {
                (Some(encoding), form)
            })
    }

    /// Whether the file came in several encodings, so that what is sent depends on what
    /// is accepted.
    #[must_use]
    pub fn varies(&self) -> bool {
        !self.compressed.is_empty()
    }
}

impl Form {
    /// Whether the client has this already.
    #[must_use]
    pub fn is_known(&self, headers: &HeaderMap) -> bool {
        let lists = headers.get_all(IF_NONE_MATCH).iter();
        lists
            .filter_map(|value| value.to_str().ok())
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || tag.trim_start_matches("W/") == self.etag)
    }
}

fn bytes(content: Cow<'static, [u8]>) -> Bytes {
    match content {
        Cow::Borrowed(content) => Bytes::from_static(content),
        Cow::Owned(content) => Bytes::from(content),
    }
}

fn is_form_of_another(path: &str, all: &HashMap<String, Bytes>) -> bool {
    path.rsplit_once('.').is_some_and(|(of, extension)| {
        ENCODINGS.iter().any(|(known, _)| *known == extension) && all.contains_key(of)
    })
}

/// One item of `Accept-Encoding`: a name, perhaps with a weight, where 0 means "not this".
fn accepts(item: &str, encoding: &str) -> bool {
    let mut parts = item.split(';').map(str::trim);
    let named = parts
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case(encoding));
    let mut weights = parts.filter_map(|part| part.strip_prefix("q="));
    named && weights.all(|weight| weight.parse().is_ok_and(|weight: f32| weight > 0.0))
}

/// Whether trunk named it by its content: `…-0123456789abcdef….css`.
fn is_named_by_content(path: &str) -> bool {
    path.split('-').skip(1).any(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        digits == NAME_HASH_DIGITS
    })
}

fn mime(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "wav" => "audio/wav",
        _ => "application/octet-stream",
    }
}

fn hashes(contents: &[&str]) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let hash = |content: &&str| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(content)));
    contents.iter().map(hash).collect()
}

/// The scripts or style sheets (`element` is `script` or `style`) that are written out in a
/// page, to be named in the policy that keeps out all others. The page is our own, made by
/// trunk: this need not understand other HTML.
fn inline_contents<'a>(html: &'a str, element: &str) -> Vec<&'a str> {
    let lower = html.to_ascii_lowercase();
    let (start, end) = (format!("<{element}"), format!("</{element}"));
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(tag) = lower[at..].find(&start).map(|offset| at + offset) {
        let Some(body) = lower[tag..].find('>').map(|offset| tag + offset + 1) else {
            break;
        };
        let Some(close) = lower[body..].find(&end).map(|offset| body + offset) else {
            break;
        };
        let name_ends = lower[tag + start.len()..]
            .starts_with(|next: char| next == '>' || next.is_ascii_whitespace());
        if name_ends && !has_source(&lower[tag..body]) && close > body {
            found.push(&html[body..close]);
        }
        at = close;
    }
    found
}

fn has_source(tag: &str) -> bool {
    tag.split_ascii_whitespace()
        .skip(1)
        .any(|attribute| attribute.starts_with("src="))
}

#[cfg(test)]
mod tests;
