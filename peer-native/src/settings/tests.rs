use clap::{CommandFactory, FromArgMatches};

use super::*;
use crate::cli::Cli;

/// Settings from a config file's text and a command line, with the environment's
/// variables taken out of the way by naming none.
fn settings(file: &str, line: &[&str]) -> Result<Settings, SettingsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, file).unwrap();
    let path = path.to_str().unwrap();
    let line = [&["p2pchat", "--config", path], line].concat();
    let matches = Cli::command().get_matches_from(line);
    let cli = Cli::from_arg_matches(&matches).unwrap();
    Settings::new(cli.given, &matches)
}

#[test]
fn the_command_line_goes_before_the_file() {
    let file = "[peer]\nregistry = \"a\"\nplain = true\nhistory = \"h\"\nmouse = true\n";
    let by_file = settings(file, &[]).unwrap();
    assert_eq!(by_file.peer.registry, "a");
    assert_eq!(by_file.mode, Mode::Plain);
    assert_eq!(by_file.peer.history, Some("h".into()));
    assert!(by_file.mouse);

    let line = ["--registry", "b", "--json", "--no-history", "--mouse=no"];
    let by_line = settings(file, &line).unwrap();
    assert_eq!(by_line.peer.registry, "b");
    assert_eq!(by_line.mode, Mode::Json);
    assert_eq!(by_line.peer.history, None);
    assert!(!by_line.mouse);
}

#[test]
fn what_contradicts_itself_is_an_error_that_names_both() {
    let error = settings("", &["--plain", "--json"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "--plain and --json exclude each other: give one of them"
    );
}

#[test]
fn a_login_without_asking_needs_a_name_and_a_file() {
    let error = settings("", &["--register"]).unwrap_err();
    assert_eq!(error.to_string(), "--register needs --password-file too");
    let error = settings("", &["--password-file", "/x"]).unwrap_err();
    assert_eq!(error.to_string(), "--password-file needs --user too");
}

#[test]
fn the_password_is_the_first_line_of_its_file_and_never_in_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    let line = ["--user", "alice", "--password-file", path.to_str().unwrap()];
    fs::write(&path, "secret\nsecond\n").unwrap();
    let login = settings("", &line).unwrap().login.unwrap();
    assert_eq!(login.password.expose(), "secret");
    assert!(!login.register);
    fs::write(&path, "much-too-long-a-secret\n").unwrap();
    let error = settings("", &line).unwrap_err().to_string();
    assert!(error.contains("15 bytes"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn values_are_checked_before_anything_starts() {
    for line in [["--address", "300.1.1.1"], ["--user", "much-too-long"]] {
        let error = settings("", &line).unwrap_err().to_string();
        assert!(error.starts_with(line[0]), "{error}");
    }
}
