use clap::{CommandFactory, FromArgMatches};

use super::*;
use crate::cli::Cli;

/// Settings from a config file's text and a command line.
fn settings(file: &str, line: &[&str]) -> Result<Settings, SettingsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, file).unwrap();
    let path = path.to_str().unwrap();
    let line = [&["p2pchat-bridge", "--config", path], line].concat();
    let matches = Cli::command().get_matches_from(line);
    let cli = Cli::from_arg_matches(&matches).unwrap();
    Settings::new(cli.given, &matches)
}

#[test]
fn the_command_line_goes_before_the_file() {
    let file = "[bridge]\nregistry = 'a'\nlisten = '127.0.0.1:1'\nhistory = 'h'\nopen = true\n\
                allow-origin = ['http://a']\n";
    let by_file = settings(file, &[]).unwrap();
    assert_eq!(by_file.peer.registry, "a");
    assert_eq!(by_file.listen.port(), 1);
    assert_eq!(by_file.peer.history, Some("h".into()));
    assert_eq!(by_file.origins, ["http://a"]);
    assert!(by_file.open);

    let line = [
        "--registry",
        "b",
        "--listen",
        "[::1]:2",
        "--no-history",
        "--open=no",
        "--allow-origin",
        "http://b",
        "--allow-origin",
        "http://c",
    ];
    let by_line = settings(file, &line).unwrap();
    assert_eq!(by_line.peer.registry, "b");
    assert_eq!(by_line.listen.port(), 2);
    assert_eq!(by_line.peer.history, None);
    assert_eq!(by_line.origins, ["http://b", "http://c"]);
    assert!(!by_line.open);
}

#[test]
fn without_anything_it_listens_on_loopback() {
    let settings = settings("", &["--history", "h"]).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:7878");
    assert!(settings.secret_file.ends_with("p2pchat/bridge-secret"));
}

#[test]
fn what_others_can_reach_takes_a_flag_that_says_so() {
    for address in ["0.0.0.0:7878", "192.168.1.2:7878", "[::]:7878"] {
        let error = settings("", &["--listen", address]).unwrap_err();
        assert!(
            error.to_string().contains("--expose-unencrypted"),
            "{error}"
        );
        let line = ["--listen", address, "--expose-unencrypted"];
        assert_eq!(settings("", &line).unwrap().listen.to_string(), address);
    }
}

#[test]
fn values_are_checked_before_anything_starts() {
    for line in [["--address", "300.1.1.1"], ["--allow-origin", "*"]] {
        let error = settings("", &line).unwrap_err().to_string();
        assert!(error.starts_with(line[0]), "{error}");
    }
}
