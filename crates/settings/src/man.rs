//! Man pages, made from the declarations of the options as `--help` is: one for a program, one
//! for each of its subcommands, one for its section of the config file, and what else the program
//! has to tell ([`Manual::more`]).

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::Command;
use clap_mangen::Man;

mod config;
mod text;

pub use text::Text;

use crate::Program;
use crate::options::command;
use crate::version;

/// The folders of users, as they stand in the pages: the same on whichever machine they are made.
const DATA: &str = "~/.local/share";

/// What begins the list of exit codes at the end of a `--help`. A line `  N  words` follows for
/// each, up to an empty one.
const EXIT_CODES: &str = "Exit codes:";

/// What the pages of a program say beyond its options.
#[derive(Debug, Clone, Copy)]
pub struct Manual {
    /// Command lines, each with what it is good for. That of a subcommand is in its page too.
    pub examples: &'static [(&'static str, &'static str)],
    /// Lines of its section of the config file.
    pub config: &'static str,
    /// Files, each with what it is. The config file is added.
    pub files: &'static [(&'static str, &'static str)],
    /// Other pages, as `p2pchat(1)`. Those of the subcommands and of the config file are added.
    pub see_also: &'static [&'static str],
    /// Other pages that this program writes.
    pub more: fn() -> Vec<Page>,
}

impl Manual {
    /// Nothing more.
    pub const NONE: Self = Self {
        examples: &[],
        config: "",
        files: &[],
        see_also: &[],
        more: Vec::new,
    };
}

/// A page, and the name of its file, as `p2pchat.1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The name of the file.
    pub file: String,
    /// The page, for `groff -man`.
    pub text: String,
}

/// The pages of a program.
#[must_use]
pub fn pages<P: Program>() -> Vec<Page> {
    // The subcommand `help` is the option `--help`, which each page has.
    let mut command = command::<P>(Some(Path::new(DATA)))
        .disable_help_subcommand(true)
        .subcommand_help_heading("COMMANDS");
    command.build();
    let mut pages = Vec::new();
    add_command::<P>(&command, &command, &mut pages);
    pages.push(config::page::<P>(&command));
    pages.extend((P::MANUAL.more)());
    pages
}

/// Writes the pages of a program into a folder, which is made if it is missing. Returns their
/// paths.
///
/// # Errors
/// If one cannot be written; the path comes with it.
pub(crate) fn write<P: Program>(folder: &Path) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    fs::create_dir_all(folder).map_err(|error| (folder.to_owned(), error))?;
    let write = |page: Page| {
        let path = folder.join(&page.file);
        match fs::write(&path, page.text) {
            Ok(()) => Ok(path),
            Err(error) => Err((path, error)),
        }
    };
    pages::<P>().into_iter().map(write).collect()
}

/// The page of the config file of a program, without the section of the manual.
fn config_page(program: &Command) -> String {
    format!("{}.toml", program.get_name())
}

/// The name of a page of section 1.
fn name(command: &Command) -> &str {
    command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
}

/// The subcommands that users see.
fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
}

fn add_command<P: Program>(command: &Command, program: &Command, pages: &mut Vec<Page>) {
    pages.push(Page {
        file: format!("{}.1", name(command)),
        text: command_page::<P>(command, program),
    });
    for subcommand in visible(command) {
        add_command::<P>(subcommand, program, pages);
    }
}

fn command_page<P: Program>(command: &Command, program: &Command) -> String {
    let is_program = command.get_name() == program.get_name();
    let about = command.get_about().map(ToString::to_string);
    let about = about.unwrap_or_default();
    let mut text = Text::new(name(command), 1, about.trim_end_matches('.'));
    synopsis(command, &mut text);
    let rendered = Man::new(command.clone());
    text.rendered(|out| rendered.render_description_section(out));
    text.rendered(|out| rendered.render_options_section(out));
    if command.has_subcommands() {
        text.rendered(|out| rendered.render_subcommands_section(out));
    }
    let codes = exit_codes(command).or_else(|| exit_codes(program));
    if let Some(codes) = codes {
        text.heading("EXIT STATUS");
        for (code, words) in codes {
            text.entry(&code, &words);
        }
    }
    if is_program {
        environment(&config_page(program), &mut text);
        files::<P>(&config_page(program), &mut text);
    }
    examples::<P>(command, &mut text);
    see_also::<P>(command, program, &mut text);
    text.finish()
}

/// The usage of `--help`, a line for each way.
fn synopsis(command: &Command, text: &mut Text) {
    text.heading("SYNOPSIS");
    let usage = command.clone().render_usage().to_string();
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    for (at, line) in usage.lines().enumerate() {
        let line = line.trim_start_matches("Usage:").trim();
        if at > 0 {
            text.line_break();
        }
        match line.strip_prefix(name) {
            Some(rest) => text.bold_then(name, rest),
            None => text.bold_then("", line),
        }
    }
}

/// The exit codes that the end of a command's `--help` lists.
fn exit_codes(command: &Command) -> Option<Vec<(String, String)>> {
    let help = command.get_after_help()?.to_string();
    let mut lines = help.lines().skip_while(|line| *line != EXIT_CODES);
    lines.next()?;
    let lines = lines.take_while(|line| !line.is_empty());
    let codes = lines.filter_map(|line| line.trim_start().split_once("  "));
    Some(
        codes
            .map(|(code, words)| (code.to_owned(), words.to_owned()))
            .collect(),
    )
}

fn environment(config: &str, text: &mut Text) {
    text.heading("ENVIRONMENT");
    text.paragraph(&format!(
        "Each option that names a variable beside it can be set by that. The command line goes \
         before the environment, the environment before the config file, see `{config}`(5). A \
         variable that is empty counts as not set. Besides, there are:"
    ));
    for (name, words) in [
        ("P2PCHAT_CONFIG", "The config file, as --config."),
        (
            "RUST_LOG",
            "What is logged, for instance `debug` or `warn,p2pchat_peer=debug`.",
        ),
        (
            "XDG_CONFIG_HOME, XDG_DATA_HOME",
            "The folders of the user for configuration and for data, in place of `~/.config` and \
             `~/.local/share`.",
        ),
    ] {
        text.entry(name, words);
    }
}

fn files<P: Program>(config: &str, text: &mut Text) {
    text.heading("FILES");
    for (path, words) in P::MANUAL.files {
        text.entry(path, words);
    }
    let words = format!("The config file, see `{config}`(5).");
    text.entry("~/.config/p2pchat/config.toml", &words);
}

/// The part of an example's command line that is of the program: without `sudo`, or behind a pipe.
#[must_use]
pub fn own_part(example: &str) -> &str {
    let last = example.rsplit("| ").next().unwrap_or(example);
    last.strip_prefix("sudo ").unwrap_or(last)
}

/// The examples of a command: those that begin with it.
fn examples<P: Program>(command: &Command, text: &mut Text) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let is_own = |line: &str| {
        let rest = own_part(line).strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    let examples = P::MANUAL.examples.iter().filter(|(line, _)| is_own(line));
    for (at, (line, words)) in examples.enumerate() {
        if at == 0 {
            text.heading("EXAMPLES");
        }
        text.paragraph(words);
        text.code(line);
    }
}

fn see_also<P: Program>(command: &Command, program: &Command, text: &mut Text) {
    text.heading("SEE ALSO");
    let mut pages: Vec<String> = visible(command).map(|sub| name(sub).to_owned()).collect();
    for page in &mut pages {
        page.push_str("(1)");
    }
    if command.get_name() != program.get_name() {
        pages.push(format!("{}(1)", program.get_name()));
    }
    pages.push(format!("{}(5)", config_page(program)));
    pages.extend(P::MANUAL.see_also.iter().map(ToString::to_string));
    text.pages(&pages);
}

/// What stands at the foot of each page: when the commit was made, and the version.
fn foot() -> (&'static str, String) {
    // A word of roff that is empty would be lost, and the next take its place.
    let date = if version::DATE.is_empty() {
        " "
    } else {
        version::DATE
    };
    (date, format!("p2pchat {}", version::NUMBER))
}
