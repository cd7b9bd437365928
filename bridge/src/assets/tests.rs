use super::*;

fn assets(files: &[(&str, &'static str)]) -> Assets {
    Assets::from_files(
        files
            .iter()
            .map(|(path, content)| ((*path).to_owned(), Cow::Borrowed(content.as_bytes()))),
    )
}

fn accepting(list: &str) -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT_ENCODING, list.parse().unwrap())])
}

#[test]
fn the_best_accepted_form_is_chosen() {
    let assets = assets(&[
        ("index.html", "x"),
        ("a.js", "plain"),
        ("a.js.br", "br"),
        ("a.js.gz", "gzip"),
    ]);
    let asset = assets.get("/a.js").unwrap();
    for (list, encoding) in [
        ("gzip, deflate, br, zstd", Some("br")),
        ("gzip", Some("gzip")),
        ("br;q=0, gzip;q=0.5", Some("gzip")),
        ("GZIP", Some("gzip")),
        ("identity", None),
        ("brr, br;q=x", None),
        ("", None),
    ] {
        let (chosen, form) = asset.form(&accepting(list));
        assert_eq!(chosen, encoding, "{list}");
        assert_eq!(form.body, encoding.unwrap_or("plain"));
    }
    assert!(asset.form(&HeaderMap::new()).0.is_none());
}

#[test]
fn each_form_has_a_tag_of_its_own() {
    let assets = assets(&[("index.html", "x"), ("a.js", "plain"), ("a.js.br", "br")]);
    let asset = assets.get("/a.js").unwrap();
    let (_, plain) = asset.form(&HeaderMap::new());
    let (_, br) = asset.form(&accepting("br"));
    assert_ne!(plain.etag, br.etag);
    let asking = |tags: &str| HeaderMap::from_iter([(IF_NONE_MATCH, tags.parse().unwrap())]);
    assert!(plain.is_known(&asking(&plain.etag)));
    assert!(plain.is_known(&asking(&format!("\"x\", W/{}", plain.etag))));
    assert!(!plain.is_known(&asking(&br.etag)));
    assert!(!plain.is_known(&HeaderMap::new()));
}

#[test]
fn compressed_forms_are_no_pages_themselves() {
    let files = [("index.html", "x"), ("a.js", "plain"), ("a.js.br", "br")];
    let assets = assets(&[&files[..], &[("alone.gz", "x")]].concat());
    assert!(assets.get("/a.js.br").is_none());
    assert!(assets.get("/alone.gz").is_some());
}

#[test]
fn without_an_index_there_is_no_page() {
    assert!(assets(&[("a.js", "plain")]).is_empty());
    assert!(!assets(&[("index.html", "x")]).is_empty());
}

#[test]
fn a_page_that_is_built_after_the_bridge_has_started_is_found() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("bridge")).unwrap();
    // As in `DIST`, the path has a `..` in it.
    let assets = Assets::from_folder(root.path().join("bridge/../dist"));
    assert!(assets.is_empty());
    assert!(assets.get("/").is_none());

    let dist = root.path().join("dist");
    fs::create_dir_all(dist.join("snippets/a")).unwrap();
    fs::write(dist.join("snippets/a/b.js"), "script").unwrap();
    assert!(assets.is_empty(), "a page that is not whole yet");
    fs::write(dist.join("index.html"), "<script>hello</script>").unwrap();
    assert!(!assets.is_empty());
    assert!(assets.get("/").is_some() && assets.get("/snippets/a/b.js").is_some());
    assert!(assets.script_hashes().starts_with(" 'sha256-"));
}

#[cfg(debug_assertions)]
#[test]
fn a_debug_build_reads_the_folder_of_the_page_at_run_time() {
    let dist = Path::new(DIST);
    assert_eq!(Assets::embedded().folder.as_deref(), Some(dist));
    let workspace = dist.parent().unwrap().canonicalize().unwrap();
    assert!(workspace.join("Trunk.toml").is_file(), "{workspace:?}");
}

#[test]
fn only_what_is_in_the_map_can_be_asked_for() {
    let assets = assets(&[("index.html", "x")]);
    assert!(assets.get("/").is_some() && assets.get("/index.html").is_some());
    for path in [
        "",
        "index.html",
        "//",
        "/../secret",
        "/%2e%2e/secret",
        "/index.html/",
        "/.",
    ] {
        assert!(assets.get(path).is_none(), "{path}");
    }
}

#[test]
fn names_with_trunks_hash_never_change_their_content() {
    for path in [
        "web-0123456789abcdef_bg.wasm",
        "a-b-0123456789abcdef.css",
        "snippets/x-0123456789abcdef/y.js",
    ] {
        assert!(is_named_by_content(path), "{path}");
    }
    for path in [
        "index.html",
        "a-0123.css",
        "0123456789abcdef.js",
        "a-0123456789abcdef0.js",
    ] {
        assert!(!is_named_by_content(path), "{path}");
    }
}

#[test]
fn scripts_in_the_page_are_named_by_their_hash() {
    let assets = assets(&[("index.html", "<script type=module>hello</script>")]);
    assert_eq!(
        assets.script_hashes(),
        " 'sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ='"
    );
    assert_eq!(assets.style_hashes(), "");
}

#[test]
fn scripts_are_found_as_they_stand() {
    let html = "<html><SCRIPT type=\"module\">\nimport x from 'a';\n</script>\
                <script src=\"/b.js\"></script><scripted>no</scripted>\
                <script nonce='1'>let y = 1;</script>";
    assert_eq!(
        inline_contents(html, "script"),
        ["\nimport x from 'a';\n", "let y = 1;"]
    );
}

#[test]
fn a_page_cut_short_has_none() {
    for html in ["", "<script", "<script>", "<script>x", "text"] {
        assert!(inline_contents(html, "script").is_empty(), "{html}");
    }
}
