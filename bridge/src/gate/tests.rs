use super::*;

fn gate(listen: &str) -> Gate {
    Gate::new(
        listen.parse().unwrap(),
        vec!["http://127.0.0.1:8080".to_owned()],
    )
}

fn check(listen: &str, headers: &[(&str, &str)]) -> Result<String, Refusal> {
    let mut request = Request::builder().uri("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    gate(listen).check(&request.body(()).unwrap())
}

#[test]
fn only_loopback_names_and_addresses_are_our_host() {
    for host in [
        "127.0.0.1:7878",
        "127.9.8.7:7878",
        "localhost:7878",
        "LOCALHOST:7878",
        "[::1]:7878",
        // Another port may be forwarded to ours, and port 80 is not written.
        "127.0.0.1:9000",
        "localhost:9000",
        "127.0.0.1",
        "localhost",
        "[::1]",
    ] {
        assert!(check("127.0.0.1:7878", &[("host", host)]).is_ok(), "{host}");
    }
    for host in [
        "",
        "127.0.0.1:",
        "127.0.0.1:x",
        "127.0.0.1:99999",
        "localhost:",
        "localhost.:7878",
        "evil.example:7878",
        "evil.localhost:7878",
        "127.0.0.1.nip.io:7878",
        "127.1:7878",
        "0177.0.0.1:7878",
        "2130706433:7878",
        "192.168.1.2:7878",
        "0.0.0.0:7878",
        "[::2]:7878",
        "[::1:7878",
        "a@127.0.0.1:7878",
        "127.0.0.1:7878@evil.example",
        "127.0.0.1:7878:7878",
        "127.0.0.1:7878/x",
        "[127.0.0.1]:7878",
        "[localhost]:7878",
    ] {
        let refusal = check("127.0.0.1:7878", &[("host", host)]).unwrap_err();
        assert_eq!(refusal, Refusal::OtherHost, "{host}");
    }
}

#[test]
fn a_page_through_a_forwarded_port_is_our_own() {
    let through = |origin: &str| {
        let headers = [("host", "localhost:9000"), ("origin", origin)];
        check("127.0.0.1:7878", &headers)
    };
    assert!(through("http://localhost:9000").is_ok());
    // That of another port is not, whichever of the two is forwarded.
    for origin in [
        "http://localhost:7878",
        "http://localhost",
        "http://127.0.0.1:9000",
    ] {
        assert_eq!(through(origin), Err(Refusal::OtherOrigin), "{origin}");
    }
}

#[test]
fn there_has_to_be_exactly_one_host() {
    assert_eq!(check("127.0.0.1:7878", &[]), Err(Refusal::NoHost));
    let twice = [("host", "127.0.0.1:7878"), ("host", "127.0.0.1:7878")];
    assert_eq!(check("127.0.0.1:7878", &twice), Err(Refusal::NoHost));
}

#[test]
fn a_host_in_the_uri_has_to_be_the_same() {
    let to = |uri: &str| {
        let request = Request::builder().uri(uri).header("host", "127.0.0.1:7878");
        gate("127.0.0.1:7878").check(&request.body(()).unwrap())
    };
    assert!(to("http://127.0.0.1:7878/").is_ok());
    assert_eq!(to("http://evil.example:7878/"), Err(Refusal::OtherHost));
}

#[test]
fn an_exposed_bridge_is_known_by_its_addresses_and_not_by_names() {
    assert!(check("0.0.0.0:7878", &[("host", "192.168.1.2:7878")]).is_ok());
    let named = check("0.0.0.0:7878", &[("host", "evil.example:7878")]);
    assert_eq!(named, Err(Refusal::OtherHost));
}

#[test]
fn the_origin_is_exactly_the_host_or_an_allowed_one() {
    let from = |origin: &str| {
        check(
            "127.0.0.1:7878",
            &[("host", "127.0.0.1:7878"), ("origin", origin)],
        )
    };
    assert!(from("http://127.0.0.1:7878").is_ok());
    assert!(from("http://127.0.0.1:8080").is_ok());
    for origin in [
        "",
        "null",
        "http://evil.example",
        "http://127.0.0.1:7879",
        "http://127.0.0.1",
        "https://127.0.0.1:7878",
        "http://127.0.0.1:7878/",
        "http://127.0.0.1:7878.evil.example",
        "http://localhost:7878",
        "http://127.0.0.2:7878",
        "127.0.0.1:7878",
    ] {
        assert_eq!(from(origin), Err(Refusal::OtherOrigin), "{origin}");
    }
    let both = [
        ("host", "127.0.0.1:7878"),
        ("origin", "http://127.0.0.1:7878"),
        ("origin", "http://evil.example"),
    ];
    assert_eq!(check("127.0.0.1:7878", &both), Err(Refusal::OtherOrigin));
}

#[test]
fn a_client_without_an_origin_has_to_show_the_secret() {
    let secret = Secret::random().unwrap();
    let right = format!("Bearer {}", secret.expose());
    let entry = |headers: &[(&str, &str)]| {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        gate("127.0.0.1:7878").entry(&map, &secret)
    };
    assert_eq!(entry(&[]), Err(Refusal::NoSecret));
    assert_eq!(entry(&[("authorization", &right)]), Ok(Entry::Authorized));
    assert_eq!(entry(&[("origin", "http://x")]), Ok(Entry::SecretFirst));
    let wrong = format!("Bearer {}", "0".repeat(64));
    for word in [
        wrong.as_str(),
        "Bearer",
        "",
        secret.expose(),
        &right.replace("Bearer", "Basic"),
    ] {
        assert_eq!(
            entry(&[("authorization", word)]),
            Err(Refusal::NoSecret),
            "{word}"
        );
        let headers = [("authorization", word), ("origin", "http://x")];
        assert_eq!(entry(&headers), Err(Refusal::NoSecret), "{word}");
    }
}

#[test]
fn an_origin_to_allow_is_one_and_nothing_more() {
    assert!(parse_origin("http://127.0.0.1:8080").is_ok());
    for text in [
        "*",
        "null",
        "127.0.0.1:8080",
        "http://",
        "http://a/",
        "http://u@a",
        "ftp://a",
    ] {
        assert!(parse_origin(text).is_err(), "{text}");
    }
}
