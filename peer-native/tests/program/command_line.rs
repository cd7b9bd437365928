//! Help, and errors before the program starts.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use assert_cmd::assert::OutputAssertExt;
use tempfile::tempdir;

use crate::support::{own_address, program};

fn stderr_of(arguments: &[&str], code: i32) -> String {
    let home = tempdir().unwrap();
    let assert = program(home.path()).args(arguments).assert().code(code);
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

#[test]
fn help_shows_for_each_option_its_variable_and_its_key() {
    let home = tempdir().unwrap();
    let assert = program(home.path()).arg("--help").assert().success();
    let help = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    let options: Vec<_> = help
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("--"))
        .filter_map(|line| line.split([' ', '[', '=']).next())
        .filter(|name| !matches!(*name, "config" | "help" | "version"))
        .collect();
    assert!(options.len() > 10, "{help}");
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for name in options {
        let variable = format!("[env: P2PCHAT_{}]", name.replace('-', "_").to_uppercase());
        assert!(words.contains(&variable), "{variable} in {help}");
        assert!(
            words.contains(&format!("[file: {name}]")),
            "{name} in {help}"
        );
    }
    assert!(help.contains("Exit codes:"));
}

#[test]
fn no_option_takes_a_password() {
    assert!(stderr_of(&["--password", "secret"], 2).contains("--password"));
}

#[test]
fn usage_errors_have_the_exit_code_2() {
    assert!(stderr_of(&["--plain", "--json"], 2).contains("exclude each other"));
    assert!(stderr_of(&["--address", "localhost"], 2).contains("--address"));
    assert!(stderr_of(&["--nonsense"], 2).contains("--nonsense"));
}

#[test]
fn an_unknown_key_in_the_config_file_is_named() {
    let home = tempdir().unwrap();
    let folder = home.path().join(".config/p2pchat");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "[peer]\nregistri = \"x\"\n").unwrap();
    let assert = program(home.path()).assert().code(2);
    let stderr = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(stderr.contains("registri"), "{stderr}");
    assert!(stderr.contains("config.toml"), "{stderr}");
}

#[test]
fn the_environment_overrides_the_file_and_the_command_line_overrides_both() {
    let home = tempdir().unwrap();
    let config = home.path().join("c.toml");
    std::fs::write(&config, "[peer]\naddress = \"from-file\"\n").unwrap();
    let stderr = |variable: Option<&str>, flag: Option<&str>| {
        let mut command = program(home.path());
        command.env("P2PCHAT_CONFIG", &config);
        if let Some(value) = variable {
            command.env("P2PCHAT_ADDRESS", value);
        }
        if let Some(value) = flag {
            command.args(["--address", value]);
        }
        let assert = command.assert().code(2);
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    };
    assert!(stderr(None, None).contains("from-file"));
    assert!(stderr(Some("from-env"), None).contains("from-env"));
    assert!(stderr(Some("from-env"), Some("from-flag")).contains("from-flag"));
}

#[test]
fn an_address_in_use_has_the_exit_code_1_and_is_named() {
    let address = own_address();
    let _taken = TcpListener::bind((address.as_str(), 5858)).unwrap();
    let arguments = ["--plain", "--no-history", "--address", &address];
    let stderr = stderr_of(&arguments, 1);
    assert!(stderr.contains(&address), "{stderr}");
}

#[test]
fn completions_are_printed_without_starting_anything() {
    let home = tempdir().unwrap();
    let arguments = ["completions", "bash"];
    let assert = program(home.path()).args(arguments).assert().success();
    assert!(!assert.get_output().stdout.is_empty());
}

#[test]
fn a_folder_that_is_made_for_the_history_is_its_owners_alone() {
    let home = tempdir().unwrap();
    let folder = home.path().join("new/folder");
    let history = folder.join("history.sqlite3");
    let arguments = ["--plain", "--address", &own_address(), "--history"];
    // The input is empty, so it ends by itself.
    program(home.path())
        .args(arguments)
        .arg(&history)
        .assert()
        .code(0);
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&history), 0o600);
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&home.path().join("new")), 0o700);
}

#[test]
fn without_a_usable_home_folder_the_error_says_what_to_do() {
    let folder = tempdir().unwrap();
    let profile = format!("--profile={}", folder.path().join("new").display());
    let history = "--history=/dev/null/home/history";
    let blocks = "--blocks=/dev/null/home/blocks";
    let address = own_address();
    // Nobody can make a folder there, whatever they may.
    let home = std::path::Path::new("/dev/null/home");
    let run = |arguments: &[&str]| {
        let mut command = program(home);
        command.args(["--plain", "--address", &address]);
        command.args(arguments).assert()
    };
    for (arguments, remedy) in [
        (&[][..], "--profile"),
        (&[&profile, blocks], "--blocks"),
        (&[&profile, history], "--history"),
    ] {
        let assert = run(arguments).code(1);
        let stderr = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
        assert!(stderr.contains(remedy), "{arguments:?}: {stderr}");
    }
    run(&[&profile]).code(0);
}

#[test]
fn folders_of_variables_need_no_home_folder_and_relative_ones_do_not_count() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let run = |data: &std::path::Path| {
        let mut command = program(std::path::Path::new("/dev/null/home"));
        command.args(["--plain", "--address", &own_address()]);
        command
            .env("XDG_DATA_HOME", data)
            .current_dir(folder.path());
        command.assert()
    };
    run(&data).code(0);
    assert!(data.join("p2pchat/history.sqlite3").exists());
    for ignored in ["", "data"] {
        run(std::path::Path::new(ignored)).code(1);
    }
    let mut command = program(std::path::Path::new("home"));
    command.arg("--plain").current_dir(folder.path());
    let stderr = command.assert().code(2).get_output().stderr.clone();
    let stderr = String::from_utf8(stderr).unwrap();
    assert!(
        stderr.contains("no home folder") && stderr.contains("--history FILE"),
        "{stderr}"
    );
}
