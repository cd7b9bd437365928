//! All options of all programs: each can be set in three ways, and `docs/options.md` lists
//! them as they are declared.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use clap::{Arg, ArgAction, Command, ValueHint};
use p2pchat_settings::options::{
    self, DATA, DATA_FOLDER, Environment, IN_PROFILE, is_switch, read_in, variable_of,
};
use p2pchat_settings::{OptionsError, Place, Program, Section};
use tempfile::TempDir;

#[path = "options/man.rs"]
mod man;

type Bridge = p2pchat_bridge::options::Options;
type Peer = p2pchat::options::Options;
type Registry = p2pchat_registry::options::Cli;

/// A way to set an option.
#[derive(Debug, Clone, Copy)]
enum Way {
    Flag,
    Variable,
    Key,
}

impl Way {
    /// From the greatest place to the least.
    const ALL: [Self; 3] = [Self::Flag, Self::Variable, Self::Key];

    fn place(self) -> Place {
        match self {
            Self::Flag => Place::CommandLine,
            Self::Variable => Place::Environment,
            Self::Key => Place::File,
        }
    }
}

/// A program whose options are set in some ways.
struct Setup {
    folder: TempDir,
    line: Vec<String>,
    keys: String,
    environment: Environment,
}

impl Setup {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            line: vec!["program".to_owned()],
            keys: String::new(),
            environment: Environment {
                data: Some("/data".into()),
                ..Environment::default()
            },
        }
    }

    fn set(mut self, way: Way, arg: &Arg, value: &str) -> Self {
        let name = arg.get_long().unwrap();
        match way {
            Way::Flag => self.line.push(format!("--{name}={value}")),
            Way::Variable => {
                let variables = &mut self.environment.variables;
                variables.insert(variable_of(name), value.into());
            }
            Way::Key => {
                let bare = is_switch(arg) || value.parse::<u64>().is_ok();
                let value = if bare {
                    value.to_owned()
                } else {
                    format!("'{value}'")
                };
                let several = matches!(arg.get_action(), ArgAction::Append);
                let value = if several { format!("[{value}]") } else { value };
                writeln!(self.keys, "{name} = {value}").unwrap();
            }
        }
        self
    }

    /// The options as `Debug` shows them, and the place of the one of `arg`.
    fn read<P: Program + std::fmt::Debug>(
        mut self,
        arg: &Arg,
    ) -> Result<(String, Place), OptionsError> {
        let path = self.folder.path().join("config.toml");
        let others = Section::ALL
            .iter()
            .filter(|section| **section != P::SECTION);
        let others = others.map(|section| format!("[{}]\nx = 1\n", section.name()));
        let others: String = others.collect();
        let section = P::SECTION.name();
        fs::write(&path, format!("{others}[{section}]\n{}", self.keys)).unwrap();
        self.line.push(format!("--config={}", path.display()));
        let given = read_in::<P>(self.line, &self.environment)?;
        let place = given.places.of(arg.get_id().as_str());
        Ok((format!("{:?}", given.options), place))
    }
}

/// What the values of an option are; `None` for a switch.
fn kind(arg: &Arg) -> Option<&str> {
    (!is_switch(arg)).then(|| arg.get_value_names().unwrap()[0].as_str())
}

/// Two values of an option that are not its default.
fn samples(arg: &Arg) -> [String; 2] {
    let Some(kind) = kind(arg) else {
        return ["true", "false"].map(str::to_owned);
    };
    [7101, 7102].map(|number| match kind {
        "ADDR:PORT" => format!("127.0.0.1:{number}"),
        "BYTES" | "DAYS" | "NUMBER" | "PORT" | "SECONDS" => number.to_string(),
        "FILE" | "HOST[:PORT][#FINGERPRINT]" | "NAME" | "NAME|FOLDER" | "PATH|mongodb://…" => {
            format!("name{number}")
        }
        "IPV4" => format!("127.0.0.{}", number - 7000),
        "URL" => format!("http://host{number}"),
        _ => panic!("say here what a valid {kind} is"),
    })
}

/// Sets each option of a program in each way and each two ways, to each of two values.
fn try_all<P: Program + std::fmt::Debug>() -> usize {
    let command = P::command();
    let all = options::options(&command).map(|arg| {
        let name = arg.get_long().unwrap();
        let (default, place) = Setup::new().read::<P>(arg).unwrap();
        assert_eq!(place, Place::Default, "{name}");
        let [one, other] = samples(arg);
        for (value, another) in [(&one, &other), (&other, &one)] {
            let shown = |setup: Setup, expected: Way| {
                let (shown, place) = setup.read::<P>(arg).unwrap();
                assert_eq!(place, expected.place(), "{name} = {value}");
                let there = match kind(arg) {
                    None => format!("{}: {value}", arg.get_id()),
                    Some("DAYS") => format!("{}s", value.parse::<u64>().unwrap() * 24 * 60 * 60),
                    Some(_) => value.to_owned(),
                };
                assert!(shown.contains(&there), "{name} = {value}: {shown}");
                shown
            };
            let expected = shown(Setup::new().set(Way::Flag, arg, value), Way::Flag);
            assert!(is_switch(arg) || expected != default, "{name}: {default}");
            for (rank, way) in Way::ALL.into_iter().enumerate() {
                let alone = shown(Setup::new().set(way, arg, value), way);
                assert_eq!(alone, expected, "{name} = {value} by {way:?}");
                for lesser in &Way::ALL[rank + 1..] {
                    let setup = Setup::new().set(way, arg, value);
                    let both = shown(setup.set(*lesser, arg, another), way);
                    assert_eq!(both, expected, "{name} by {way:?} against {lesser:?}");
                }
            }
        }
        if is_switch(arg) {
            let by = |way, value| Setup::new().set(way, arg, value).read::<P>(arg).unwrap().0;
            let (on, off) = (by(Way::Key, "true"), by(Way::Key, "false"));
            assert_ne!(on, off, "{name}");
            for (yes, no) in [("1", "0"), ("yes", "no")] {
                for way in [Way::Flag, Way::Variable] {
                    assert_eq!(
                        (by(way, yes), by(way, no)),
                        (on.clone(), off.clone()),
                        "{name}"
                    );
                }
            }
            let mut bare = Setup::new();
            bare.line.push(format!("--{name}"));
            assert_eq!(bare.read::<P>(arg).unwrap().0, on, "{name}");
        }
        name.to_owned()
    });
    let all: Vec<String> = all.collect();
    assert!(all.len() >= 14, "{all:?}");
    all.len()
}

#[test]
fn each_option_can_be_set_in_three_ways_and_the_greater_place_wins() {
    let tried = [
        (Section::Registry, try_all::<Registry>()),
        (Section::Peer, try_all::<Peer>()),
        (Section::Bridge, try_all::<Bridge>()),
    ];
    assert_eq!(tried.map(|(section, _)| section), Section::ALL);
    assert!(
        tried.iter().map(|(_, count)| count).sum::<usize>() >= 50,
        "{tried:?}"
    );
}

/// What is wrong with a line in the section `[registry]`.
fn complaint(line: &str) -> String {
    let mut setup = Setup::new();
    setup.keys = format!("cluster = true\n{line}\n");
    let error = setup.read::<Registry>(&Arg::new("store")).unwrap_err();
    let error = error.to_string();
    let (start, rest) = error.split_once("config.toml, line 7").unwrap();
    assert!(start.starts_with("the config file /"), "{error}");
    rest.to_owned()
}

#[test]
fn an_error_in_the_file_names_line_and_key() {
    assert_eq!(
        complaint("stoer = 'x'"),
        ": unknown key `stoer`: did you mean `store`?"
    );
    let far = complaint("xyzzy = 1");
    assert!(
        far.starts_with(": unknown key `xyzzy`: use one of store, cluster, tcp,"),
        "{far}"
    );
    assert!(complaint("config = 'x'").starts_with(": unknown key `config`"));
    assert_eq!(
        complaint("tcp = 'x'"),
        ": tcp = x: invalid socket address syntax"
    );
    assert_eq!(
        complaint("expose-metrics = 'true'"),
        ": expose-metrics: true or false is needed"
    );
    assert_eq!(
        complaint("tcp = true"),
        ": tcp: a string or a number is needed"
    );
    assert_eq!(
        complaint("tcp = ['x']"),
        ": tcp: a string or a number is needed"
    );
    let secret = complaint("store = 'redis://u:hush@h'");
    assert!(
        secret.starts_with(": store: there is no store of the kind redis://"),
        "{secret}"
    );
}

#[test]
fn an_invalid_variable_is_named_and_a_secret_in_it_is_not_shown() {
    let command = <Registry as clap::CommandFactory>::command();
    let error = |name: &str, value: &str| {
        let arg = options::options(&command).find(|arg| arg.get_long() == Some(name));
        let setup = Setup::new().set(Way::Variable, arg.unwrap(), value);
        setup
            .read::<Registry>(arg.unwrap())
            .unwrap_err()
            .to_string()
    };
    let shown = error("presence-timeout", "0");
    assert!(shown.starts_with("P2PCHAT_PRESENCE_TIMEOUT=0: "), "{shown}");
    let shown = error("store", "redis://u:hush@h");
    assert!(
        shown.starts_with("P2PCHAT_STORE: there is no store"),
        "{shown}"
    );
}

#[test]
fn a_wrong_value_that_does_not_count_is_no_error() {
    let command = <Registry as clap::CommandFactory>::command();
    let tcp = options::options(&command).find(|arg| arg.get_long() == Some("tcp"));
    let tcp = tcp.unwrap();
    let wrong = Setup::new()
        .set(Way::Variable, tcp, "x")
        .set(Way::Key, tcp, "y");
    assert!(
        wrong
            .set(Way::Flag, tcp, "127.0.0.1:1")
            .read::<Registry>(tcp)
            .is_ok()
    );
}

#[test]
fn a_file_that_is_named_must_exist() {
    for line in [vec!["p", "--config=/nonexistent/c.toml"], vec!["p"]] {
        let mut environment = Environment {
            data: Some("/data".into()),
            config: Some("/nonexistent".into()),
            ..Environment::default()
        };
        assert_eq!(
            read_in::<Peer>(line.clone(), &environment).is_ok(),
            line.len() == 1
        );
        let variable = ("P2PCHAT_CONFIG".to_owned(), "/nonexistent/c.toml".into());
        environment.variables = [variable].into();
        let error = read_in::<Peer>(line, &environment).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot read the config file /nonexistent/c.toml"),
            "{error}"
        );
    }
}

/// The options of a program that are paths, or may be.
fn paths<P: Program>() -> Vec<Arg> {
    let command = P::command();
    let hints = [ValueHint::AnyPath, ValueHint::FilePath, ValueHint::DirPath];
    let paths = options::options(&command).filter(|arg| hints.contains(&arg.get_value_hint()));
    paths.cloned().collect()
}

/// In each path of a program a leading `~/` is the home folder, unless the command line has
/// it, where that is up to the shell.
fn try_home<P: Program + std::fmt::Debug>() -> Vec<String> {
    let setup = |home: Option<&str>| {
        let mut setup = Setup::new();
        setup.environment.home = home.map(Into::into);
        setup
    };
    let paths = paths::<P>();
    for arg in &paths {
        for way in [Way::Variable, Way::Key] {
            let read = |value| setup(Some("/h")).set(way, arg, value).read::<P>(arg);
            let (shown, _) = read("~/a/b").unwrap();
            assert!(shown.contains("\"/h/a/b\""), "{way:?} {arg}: {shown}");
            let (shown, _) = read("~").unwrap();
            assert!(shown.contains("\"/h\""), "{way:?} {arg}: {shown}");
            let (shown, _) = read("a/~/b").unwrap();
            assert!(shown.contains("\"a/~/b\""), "{way:?} {arg}: {shown}");
            let error = read("~bob/a").unwrap_err().to_string();
            assert!(error.contains("only ~/ is known"), "{error}");
            let homeless = setup(None).set(way, arg, "~/a").read::<P>(arg);
            let error = homeless.unwrap_err().to_string();
            assert!(error.contains("no home folder"), "{error}");
        }
        let by_flag = setup(Some("/h")).set(Way::Flag, arg, "~/a").read::<P>(arg);
        assert!(by_flag.unwrap().0.contains("\"~/a\""));
    }
    paths.iter().map(|arg| arg.get_id().to_string()).collect()
}

#[test]
fn the_home_folder_can_be_written_as_in_a_shell() {
    assert_eq!(try_home::<Registry>(), ["store", "key_file"]);
    let peer = ["profile", "history", "blocks", "password_file", "log_file"];
    assert_eq!(try_home::<Peer>(), peer);
    let bridge = ["secret_file", "profile", "history", "blocks"];
    assert_eq!(try_home::<Bridge>(), bridge);
    let environment = Environment {
        data: Some("/data".into()),
        home: Some("/nonexistent".into()),
        variables: [("P2PCHAT_CONFIG".to_owned(), "~/c.toml".into())].into(),
        ..Environment::default()
    };
    let error = read_in::<Peer>(["p"], &environment).unwrap_err();
    assert!(error.to_string().contains("/nonexistent/c.toml"), "{error}");
}

/// A variable that is set but empty is as good as none, for each option of a program.
fn try_empty<P: Program + std::fmt::Debug>() -> usize {
    let command = P::command();
    let all = options::options(&command).map(|arg| {
        let (default, _) = Setup::new().read::<P>(arg).unwrap();
        let empty = Setup::new().set(Way::Variable, arg, "").read::<P>(arg);
        assert_eq!(empty.unwrap(), (default, Place::Default), "{arg}");
        let [value, _] = samples(arg);
        let by_key = Setup::new().set(Way::Key, arg, &value);
        let (_, place) = by_key.set(Way::Variable, arg, "").read::<P>(arg).unwrap();
        assert_eq!(place, Place::File, "{arg}");
    });
    all.count()
}

#[test]
fn a_variable_that_is_empty_counts_as_not_set() {
    assert!(try_empty::<Registry>() > 10);
    assert!(try_empty::<Peer>() > 10);
    assert!(try_empty::<Bridge>() > 10);
    let environment = Environment {
        data: Some("/data".into()),
        variables: [("P2PCHAT_CONFIG".to_owned(), "".into())].into(),
        ..Environment::default()
    };
    assert!(read_in::<Peer>(["p"], &environment).is_ok());
}

#[cfg(unix)]
#[test]
fn only_a_path_may_be_something_else_than_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let read = |name: &str| {
        let value = OsStr::from_bytes(b"h\xf6me").to_owned();
        let environment = Environment {
            data: Some("/data".into()),
            variables: [(name.to_owned(), value)].into(),
            ..Environment::default()
        };
        let given = read_in::<Registry>(["p"], &environment);
        given.map(|given| format!("{:?}", given.options.options.store))
    };
    assert!(read("P2PCHAT_STORE").unwrap().contains("h\\xF6me"));
    let error = read("P2PCHAT_TCP").unwrap_err().to_string();
    assert!(error.ends_with("it is not UTF-8"), "{error}");
}

#[test]
fn the_page_of_options_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/options.md");
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == page,
        "docs/options.md is not what the options say. \
         Write it again: UPDATE=1 cargo test -p p2pchat-settings --test options"
    );
}

const HEAD: &str = "\
# Options

This page is generated from the declarations of the options. To write it again:
`UPDATE=1 cargo test -p p2pchat-settings --test options`.

Each option can be given in three places: as a flag (`--request-limit 30`), as an environment variable
(`P2PCHAT_REQUEST_LIMIT=30`), or as a key in the section of the program in the config file:

```toml
[peer]
request-limit = 30
```

The command line goes before the environment, the environment before the file. The file is
`~/.config/p2pchat/config.toml` unless `--config FILE` or `P2PCHAT_CONFIG` names another; one file can have
sections for several programs. An option without a value is a switch: `--plain` turns it on, `--plain=false`
off; a variable may also be `1`, `0`, `yes` or `no`. A variable that is empty counts as not set. In a path of
the file or the environment a leading `~/` is the home folder. `RUST_LOG` sets what is logged (for instance
`RUST_LOG=debug`).
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    add_program::<Peer>(&mut page);
    add_program::<Bridge>(&mut page);
    add_program::<Registry>(&mut page);
    page
}

fn add_program<P: Program>(page: &mut String) {
    let command: Command = P::command();
    let (name, section) = (command.get_name(), P::SECTION.name());
    writeln!(
        page,
        "\n## {name}\n\nThe section of the file is `[{section}]`."
    )
    .unwrap();
    let mut heading = None;
    for (at, arg) in options::options(&command).enumerate() {
        if at == 0 || heading != arg.get_help_heading() {
            heading = arg.get_help_heading();
            if let Some(heading) = heading {
                writeln!(page, "\n### {heading}").unwrap();
            }
            writeln!(page, "\n| option | default | what it is |\n|---|---|---|").unwrap();
        }
        let name = arg.get_long().unwrap();
        let value = match arg.get_value_names() {
            Some([value]) if !is_switch(arg) => format!(" {}", value.replace('|', "\\|")),
            _ => String::new(),
        };
        let default = options::shown_default(arg).map(|default| default.replace(DATA, DATA_FOLDER));
        let default = default.map_or(String::new(), |default| {
            match default.strip_suffix(IN_PROFILE) {
                Some(file) => format!("`{file}`{IN_PROFILE}"),
                None => format!("`{default}`"),
            }
        });
        let help = arg.get_long_help().or(arg.get_help()).unwrap().to_string();
        let help = help.replace('|', "\\|").replace('\n', " ");
        writeln!(page, "| `--{name}{value}` | {default} | {help} |").unwrap();
    }
}
