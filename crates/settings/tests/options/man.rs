//! The man pages: every option, key, command and exit code is in them.

use std::collections::BTreeMap;

use clap::Command;
use p2pchat_settings::options::{self, Environment, read_in, variable_of};
use p2pchat_settings::{OptionsError, Program, man};

use super::{Bridge, Peer, Registry};

/// The pages of a program, by the names of their files.
fn pages<P: Program>() -> BTreeMap<String, String> {
    let pages = man::pages::<P>().into_iter();
    let pages: BTreeMap<_, _> = pages.map(|page| (page.file, page.text)).collect();
    for (file, page) in &pages {
        assert!(page.is_ascii(), "{file}: groff would have to be told");
        assert!(
            !page.contains('`'),
            "{file}: groff makes a quotation mark of it"
        );
        let (name, section) = file.rsplit_once('.').unwrap();
        let escaped = name.replace('-', "\\-");
        for start in [
            format!(".TH {name} {section} "),
            format!(".TH {escaped} {section} "),
            format!("{escaped} \\- "),
        ] {
            let there = page.lines().any(|line| line.starts_with(&start));
            assert!(there || start.starts_with(".TH"), "{file}: {start}");
        }
        for heading in ["NAME", "DESCRIPTION", "\"SEE ALSO\""] {
            assert!(
                page.contains(&format!(".SH {heading}\n")),
                "{file}: {heading}"
            );
        }
    }
    pages
}

/// A name as a page has it.
fn in_page(name: &str) -> String {
    name.replace('-', "\\-")
}

/// Each option of a command and of those below it is in its page, and each of these is linked.
fn look(command: &Command, file: &str, pages: &BTreeMap<String, String>) -> usize {
    let page = pages.get(&format!("{file}.1"));
    let page = page.unwrap_or_else(|| panic!("{file}.1 is missing of {:?}", pages.keys()));
    let mut seen = 0;
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let name = match arg.get_long() {
            Some(name) => format!("\\fB{}\\fR", in_page(&format!("--{name}"))),
            None => in_page(arg.get_value_names().unwrap()[0].as_str()),
        };
        assert!(page.contains(&name), "{name} is not in {file}.1");
        seen += 1;
    }
    for subcommand in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let name = format!("{file}-{}", subcommand.get_name());
        assert!(
            page.contains(&format!("{}\\fR(1)", in_page(&name))),
            "{name}"
        );
        seen += look(subcommand, &name, pages);
    }
    seen
}

fn try_pages<P: Program>() -> usize {
    let pages = pages::<P>();
    let command = options::command::<P>(Some("/data".as_ref()));
    let name = command.get_name().to_owned();
    let seen = look(&command, &name, &pages);
    let (main, config) = (
        &pages[&format!("{name}.1")],
        &pages[&format!("{name}.toml.5")],
    );
    for heading in [
        "SYNOPSIS",
        "OPTIONS",
        "COMMANDS",
        "\"EXIT STATUS\"",
        "ENVIRONMENT",
        "FILES",
        "EXAMPLES",
    ] {
        assert!(
            main.contains(&format!(".SH {heading}\n")),
            "{name}: {heading}"
        );
    }
    assert!(
        main.contains(&format!("{}.toml\\fR(5)", in_page(&name))),
        "{name}"
    );
    for arg in options::options(&P::command()) {
        let key = arg.get_long().unwrap();
        assert!(
            config.contains(&format!("\n\\fB{}\\fR ", in_page(key))),
            "{key}"
        );
        for page in [main, config] {
            assert!(page.contains(&variable_of(key)), "{key}");
        }
    }
    let examples = P::MANUAL.examples.len();
    assert!(examples >= 2, "{name}");
    seen
}

#[test]
fn every_option_of_every_program_is_in_its_man_page() {
    let seen = [
        try_pages::<Peer>(),
        try_pages::<Bridge>(),
        try_pages::<Registry>(),
    ];
    assert!(seen.iter().sum::<usize>() > 100, "{seen:?}");
}

#[test]
fn each_example_of_the_pages_is_a_command_line_that_there_is() {
    fn parse<P: Program>() {
        for (line, _) in P::MANUAL.examples {
            // A text in quotation marks is one word.
            let parts = man::own_part(line).split('"').enumerate();
            let words = parts.flat_map(|(at, part)| match at % 2 {
                0 => part.split_whitespace().collect(),
                _ => vec![part],
            });
            let command = options::command::<P>(None);
            if let Err(error) = command.try_get_matches_from(words) {
                panic!("{line}: {error}");
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let text = format!("[{}]\n{}\n", P::SECTION.name(), P::MANUAL.config);
        std::fs::write(&file, text).unwrap();
        let environment = Environment {
            data: Some("/data".into()),
            ..Environment::default()
        };
        let line = [
            P::command().get_name().to_owned(),
            format!("--config={}", file.display()),
        ];
        if let Err(error) = read_in::<P>(line, &environment) {
            panic!("{error}");
        }
    }
    parse::<Peer>();
    parse::<Bridge>();
    parse::<Registry>();
}

#[test]
fn the_pages_are_written_into_a_folder_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let man = folder.path().join("a/man");
    let line = ["p", "man", man.to_str().unwrap()];
    let asked = read_in::<Bridge>(line, &Environment::default()).unwrap_err();
    let OptionsError::Asked(list) = asked else {
        panic!("{asked}");
    };
    let list = String::from_utf8(list).unwrap();
    assert_eq!(list.lines().count(), man::pages::<Bridge>().len());
    for path in list.lines() {
        assert!(
            std::fs::read_to_string(path).unwrap().contains(".TH "),
            "{path}"
        );
    }
    // A file is in the way.
    let line = ["p", "man", list.lines().next().unwrap()];
    let error = read_in::<Bridge>(line, &Environment::default()).unwrap_err();
    assert!(error.to_string().starts_with("cannot write "), "{error}");
}
