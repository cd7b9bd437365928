//! The web UI, as it was embedded when the bridge was built.
//!
//! Everything is put ready at the start: a request is looked up in a map and cannot reach
//! a file that is not in it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;

use hyper::body::Bytes;
use hyper::header::{ACCEPT_ENCODING, HeaderMap, IF_NONE_MATCH};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

mod inline;

/// The pages are compiled in; a debug build reads them from the folder, at the start.
#[derive(RustEmbed)]
#[folder = "../dist"]
#[allow_missing = true]
struct Dist;

/// Where the pages begin.
const INDEX: &str = "index.html";
/// Bytes of a hash that are enough to tell two versions of a file apart.
const TAG_BYTES: usize = 16;
/// Digits of the hash that trunk puts into the names of files.
const NAME_HASH_DIGITS: usize = 16;

/// The web UI.
#[derive(Debug)]
pub struct Assets {
    files: HashMap<String, Asset>,
    script_hashes: String,
    style_hashes: String,
}

/// One file of it.
#[derive(Debug)]
pub struct Asset {
    /// Its media type.
    pub mime: &'static str,
    /// Whether its name changes whenever its content does.
    pub immutable: bool,
    /// As it is.
    plain: Form,
    /// Compressed, best first.
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
    /// Those that the bridge was built with.
    #[must_use]
    pub fn embedded() -> Self {
        let paths = Dist::iter().collect::<Vec<_>>();
        Self::from_files(paths.into_iter().filter_map(|path| {
            let file = Dist::get(&path)?;
            Some((path.into_owned(), file.data))
        }))
    }

    /// These: paths without a leading `/`, and contents. A file `a.br` or `a.gz` is the
    /// compressed form of `a`, if that is there too.
    pub fn from_files(files: impl IntoIterator<Item = (String, Cow<'static, [u8]>)>) -> Self {
        let contents: HashMap<String, Bytes> = files
            .into_iter()
            .map(|(path, content)| (path, bytes(content)))
            .collect();
        let index = contents
            .get(INDEX)
            .map(|html| String::from_utf8_lossy(html));
        let index = index.unwrap_or_default();
        Self {
            script_hashes: hashes(&inline::contents(&index, "script")),
            style_hashes: hashes(&inline::contents(&index, "style")),
            files: contents
                .iter()
                .filter(|(path, _)| !is_form_of_another(path, &contents))
                .map(|(path, content)| (path.clone(), Asset::new(path, content, &contents)))
                .collect(),
        }
    }

    /// Whether there is a UI at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.files.contains_key(INDEX)
    }

    /// The file at the path of a URL.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Asset> {
        match path.strip_prefix('/')? {
            "" => self.files.get(INDEX),
            path => self.files.get(path),
        }
    }

    /// The hashes of the scripts within the index page, as CSP wants them, each after a
    /// space: trunk starts the program by such a script.
    #[must_use]
    pub fn script_hashes(&self) -> &str {
        &self.script_hashes
    }

    /// The same of its style sheets.
    #[must_use]
    pub fn style_hashes(&self) -> &str {
        &self.style_hashes
    }
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
    /// Whether the asker has this already.
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

#[cfg(test)]
mod tests;
