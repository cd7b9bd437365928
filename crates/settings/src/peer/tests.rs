use clap::{Command, FromArgMatches};

use super::*;

/// Options from what a file says and a command line.
fn options(file: PeerArgs, line: &[&str]) -> Result<Options, SettingError> {
    let line = [&["program"], line].concat();
    let matches = PeerArgs::augment_args(Command::new("program")).get_matches_from(line);
    let given = PeerArgs::from_arg_matches(&matches).unwrap();
    given.options(file, &matches)
}

fn filed() -> PeerArgs {
    PeerArgs {
        registry: Some("a".to_owned()),
        request_limit: Some(5),
        history: Some("h".into()),
        ..PeerArgs::default()
    }
}

#[test]
fn the_command_line_goes_before_the_file_and_the_file_before_the_default() {
    let by_file = options(filed(), &[]).unwrap();
    assert_eq!(by_file.registry, "a");
    assert_eq!(by_file.request_limit, Duration::from_secs(5));
    assert_eq!(by_file.history, Some("h".into()));
    assert_eq!(by_file.hello_port, Options::default().hello_port);

    let by_line = options(filed(), &["--registry", "b", "--no-history"]).unwrap();
    assert_eq!(by_line.registry, "b");
    assert_eq!(by_line.history, None);
    // Who is blocked is kept all the same.
    let blocks = ["--no-history", "--blocks", "b"];
    assert_eq!(options(filed(), &blocks).unwrap().blocks, Some("b".into()));
    let kept = options(filed(), &["--no-history=no"]).unwrap();
    assert_eq!(kept.history, Some("h".into()));
}

#[test]
fn keeping_and_not_keeping_in_one_place_is_an_error_that_names_both() {
    let both = PeerArgs {
        no_history: Some(true),
        ..filed()
    };
    let error = options(both, &[]).unwrap_err().to_string();
    assert!(error.contains("--history and --no-history"), "{error}");
    let line = ["--history", "h", "--no-history"];
    let error = options(PeerArgs::default(), &line).unwrap_err().to_string();
    assert!(error.contains("--history and --no-history"), "{error}");
}

#[test]
fn values_are_checked() {
    for line in [
        ["--address", "300.1.1.1"],
        ["--request-limit", "0"],
        ["--request-limit", "86401"],
        ["--hello-port", "0"],
        ["--registry", " "],
    ] {
        let error = options(filed(), &line).unwrap_err().to_string();
        assert!(error.starts_with(line[0]), "{error}");
    }
}
