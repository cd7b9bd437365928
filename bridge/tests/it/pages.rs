//! The web UI, as it is served.

use std::borrow::Cow;

use p2pchat_bridge::Assets;

use crate::support::{Answer, Bridge, TestOptions};

const SCRIPT: &str = "/p2pchat-web-0123456789abcdef.js";

async fn bridge() -> Bridge {
    let files: [(&str, &'static str); 6] = [
        (
            "index.html",
            "<!doctype html><script type=module>hello</script>",
        ),
        ("icon.svg", "<svg/>"),
        (&SCRIPT[1..], "plain script"),
        ("p2pchat-web-0123456789abcdef.js.br", "brotli script"),
        ("p2pchat-web-0123456789abcdef.js.gz", "gzip script"),
        ("p2pchat-web-0123456789abcdef_bg.wasm", "\0asm"),
    ];
    let files = files.map(|(path, content)| (path.to_owned(), Cow::Borrowed(content.as_bytes())));
    Bridge::start_with(TestOptions {
        assets: Assets::from_files(files),
        ..TestOptions::default()
    })
    .await
}

fn assert_protected(answer: &Answer) {
    let policy = answer.header("content-security-policy").unwrap();
    for part in [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "connect-src 'self'",
    ] {
        assert!(policy.contains(part), "{part}: {policy}");
    }
    assert!(!policy.contains("'unsafe-inline'") && !policy.contains("'unsafe-eval'"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(
        answer.header("cross-origin-opener-policy"),
        Some("same-origin")
    );
    assert_eq!(
        answer.header("cross-origin-resource-policy"),
        Some("same-origin")
    );
    assert!(
        !answer.0.to_lowercase().contains("access-control-"),
        "{}",
        answer.0
    );
}

#[tokio::test]
async fn the_page_comes_with_a_policy_that_allows_itself_alone() {
    let bridge = bridge().await;
    let answer = bridge.get("/", "").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    assert!(answer.body().contains("hello"));
    assert_protected(&answer);
    let policy = answer.header("content-security-policy").unwrap();
    assert!(
        policy.contains(&format!("connect-src 'self' ws://{};", bridge.address)),
        "{policy}"
    );
    // The script that stands in the page.
    assert!(
        policy.contains("'sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ='"),
        "{policy}"
    );
}

#[tokio::test]
async fn every_refusal_is_protected_as_well() {
    let bridge = bridge().await;
    assert_protected(&bridge.get("/nothing", "").await);
    assert_protected(&bridge.get("/", "Origin: http://evil.example\r\n").await);
    assert_protected(&bridge.ask("POST", "/", "").await);
    let rebound = b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    let rebound = Answer(bridge.raw(rebound).await);
    assert_eq!(rebound.status(), 421);
    assert_protected(&rebound);
    assert!(!rebound.0.contains("evil.example"), "{}", rebound.0);
}

#[tokio::test]
async fn files_come_compressed_where_that_is_accepted() {
    let bridge = bridge().await;
    for (accepted, encoding, body) in [
        ("br, gzip", Some("br"), "brotli script"),
        ("gzip", Some("gzip"), "gzip script"),
        ("br;q=0", None, "plain script"),
    ] {
        let answer = bridge
            .get(SCRIPT, &format!("Accept-Encoding: {accepted}\r\n"))
            .await;
        assert_eq!(answer.header("content-encoding"), encoding);
        assert_eq!(answer.header("vary"), Some("accept-encoding"));
        assert_eq!(
            answer.header("content-type"),
            Some("text/javascript; charset=utf-8")
        );
        assert_eq!(answer.body(), body);
    }
    let wasm = bridge
        .get("/p2pchat-web-0123456789abcdef_bg.wasm", "")
        .await;
    assert_eq!(wasm.header("content-type"), Some("application/wasm"));
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let bridge = bridge().await;
    let first = bridge.get(SCRIPT, "Accept-Encoding: br\r\n").await;
    let tag = first.header("etag").unwrap();
    let asking = |tag: &str, accepted: &str| {
        format!("If-None-Match: {tag}\r\nAccept-Encoding: {accepted}\r\n")
    };
    let again = bridge.get(SCRIPT, &asking(tag, "br")).await;
    assert_eq!((again.status(), again.body()), (304, ""));
    assert_eq!(again.header("etag"), Some(tag));
    assert_protected(&again);
    assert_eq!(bridge.get(SCRIPT, &asking(tag, "gzip")).await.status(), 200);
    assert_eq!(
        bridge
            .get(SCRIPT, &asking("\"other\"", "br"))
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn only_names_that_change_with_their_content_are_kept_for_good() {
    let bridge = bridge().await;
    let kept = bridge.get(SCRIPT, "").await;
    assert_eq!(
        kept.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    for path in ["/", "/index.html", "/icon.svg"] {
        let asked = bridge.get(path, "").await;
        assert_eq!(asked.header("cache-control"), Some("no-cache"), "{path}");
        assert!(asked.header("etag").is_some());
    }
}

#[tokio::test]
async fn a_head_is_an_answer_without_its_body() {
    let bridge = bridge().await;
    let whole = bridge.get(SCRIPT, "").await;
    let head = bridge.ask("HEAD", SCRIPT, "").await;
    assert_eq!((head.status(), head.body()), (200, ""));
    assert_eq!(
        head.header("content-length"),
        whole.header("content-length")
    );
    assert_eq!(head.header("content-length"), Some("12"));
}

#[tokio::test]
async fn nothing_else_can_be_reached() {
    let bridge = bridge().await;
    for path in [
        "/nothing",
        "/index.html/",
        "//index.html",
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..%2fCargo.toml",
        "/./index.html",
        "/icon.svg%00",
        "/etc/passwd",
        "*",
        "/p2pchat-web-0123456789abcdef.js.br",
        "/ws/",
        "/INDEX.HTML",
    ] {
        let status = bridge.get(path, "").await.status();
        assert!([400, 404].contains(&status), "{path}: {status}");
    }
    for method in [
        "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "BREW",
    ] {
        let answer = bridge.ask(method, "/", "").await;
        // A CONNECT to a path is no request at all.
        let expected: &[u16] = if method == "CONNECT" {
            &[400, 405]
        } else {
            &[405]
        };
        assert!(
            expected.contains(&answer.status()),
            "{method}: {}",
            answer.0
        );
    }
}

#[tokio::test]
async fn without_the_ui_the_page_says_how_to_build_it() {
    let bridge = Bridge::start().await;
    let answer = bridge.get("/", "").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.body().contains("trunk build"), "{}", answer.body());
    assert_protected(&answer);
}
