//! The clap command of a program: its declared options, completed by what follows from their
//! declarations.

use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;
use clap::{Arg, ArgAction, Command, value_parser};
use clap_complete::Shell;

use super::profile;
use super::{OptionsError, Program};
use crate::config::Section;
use crate::{man, version};

/// Begins a default that is a file in the user's data folder: `$DATA/history.sqlite3`.
/// Without a home folder such an option has no default.
pub const DATA: &str = "$DATA/";

/// What [`DATA`] stands for where a user has not moved their folders.
pub const DATA_FOLDER: &str = "~/.local/share/p2pchat/";

/// Begins a default that is a file in the folder of the profile: `$PROFILE/history.sqlite3`.
/// Without such a folder the option has no default.
pub const PROFILE: &str = "$PROFILE/";

/// Ends a default that is a file in the folder of the profile, as users see it.
pub const IN_PROFILE: &str = " in the profile";

/// The folder of p2pchat within the user's folders.
pub(super) const FOLDER: &str = "p2pchat";

/// Begins the name of each variable.
pub(super) const VARIABLE: &str = "P2PCHAT_";

pub(crate) const CONFIG: &str = "config";
pub(super) const COMPLETIONS: &str = "completions";
pub(super) const MAN: &str = "man";
/// The argument of [`MAN`].
pub(super) const MAN_FOLDER: &str = "folder";

/// The options among the arguments of a command: those with a name.
pub fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    command
        .get_arguments()
        .filter(|arg| arg.get_long().is_some_and(|name| name != CONFIG))
}

/// The default of an option as users see it, or `None` if it has none or its help says it
/// in words.
#[must_use]
pub fn shown_default(arg: &Arg) -> Option<String> {
    let values = arg.get_default_values();
    let off = is_switch(arg) && values.iter().all(|value| *value == "false");
    let hidden = off || values.is_empty() || arg.is_hide_default_value_set();
    let values = values.iter().map(|value| match value.to_str() {
        Some(text) if text.starts_with(PROFILE) => text.replace(PROFILE, "") + IN_PROFILE,
        _ => value.to_string_lossy().into_owned(),
    });
    (!hidden).then(|| values.collect::<Vec<_>>().join(", "))
}

/// The environment variable of the option with this name.
#[must_use]
pub fn variable_of(name: &str) -> String {
    format!("{VARIABLE}{}", name.replace('-', "_").to_uppercase())
}

/// Whether an option is on or off, rather than a value.
#[must_use]
pub fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
        || arg.get_value_parser().type_id() == value_parser!(bool).type_id()
}

/// The command of a program as it is parsed: with `--config`, `completions`, `man`, and what all
/// options have in common. `data` is the user's folder for data.
#[must_use]
pub fn command<P: Program>(data: Option<&Path>) -> Command {
    let config = Arg::new(CONFIG)
        .long(CONFIG)
        .global(true)
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help(
            "The config file [env: P2PCHAT_CONFIG] [default: p2pchat/config.toml in the user's \
             config folder]",
        );
    let shell = Arg::new("shell")
        .value_name("SHELL")
        .required(true)
        .value_parser(value_parser!(Shell))
        .help("Which shell");
    let completions = Command::new(COMPLETIONS)
        .about("Print a completion script for a shell")
        .arg(shell);
    let folder = Arg::new(MAN_FOLDER)
        .value_name("FOLDER")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("The folder, which is made if it does not exist");
    let man = Command::new(MAN)
        .about("Write the man pages into a folder, and print their paths")
        .arg(folder);
    let declared = P::command();
    let after_help = match declared.get_after_help() {
        Some(own) => format!("{own}\n\n{}", after_help(P::SECTION)),
        None => after_help(P::SECTION),
    };
    declared
        .version(version::WITH_COMMIT)
        .after_help(after_help)
        .mut_args(|arg| complete(arg, data))
        // Not among those of the last heading.
        .next_help_heading(None::<&str>)
        .arg(config)
        .subcommand(completions)
        .subcommand(man)
}

fn after_help(section: Section) -> String {
    format!(
        "Each option can also be set by the environment variable or the key in the section [{}] of \
         the config file that stand beside it. The command line goes before the environment, the \
         environment before the file. RUST_LOG sets what is logged (for instance RUST_LOG=debug).",
        section.name()
    )
}

/// Adds to a declared option what follows from its declaration.
fn complete(arg: Arg, data: Option<&Path>) -> Arg {
    let Some(name) = arg.get_long().map(str::to_owned) else {
        return arg;
    };
    let arg = if is_switch(&arg) { switch(arg) } else { arg };
    let folder = data.map(|data| data.join(FOLDER));
    let arg = if name == profile::OPTION {
        arg.value_parser(profile::parser(folder.clone()))
    } else {
        arg
    };
    let arg = in_folder(arg, DATA, folder.as_deref());
    let mut hints = format!("[env: {}] [file: {name}]", variable_of(&name));
    if let Some(default) = shown_default(&arg) {
        hints = format!("{hints} [default: {default}]");
    }
    let help = arg.get_help().map(|help| format!("{help} {hints}"));
    let long_help = arg.get_long_help().map(|help| format!("{help} {hints}"));
    let arg = arg.help(help.unwrap_or(hints)).hide_default_value(true);
    match long_help {
        Some(help) => arg.long_help(help),
        None => arg,
    }
}

/// A switch: `--name` turns it on, `--name=false` off.
fn switch(arg: Arg) -> Arg {
    let default = match arg.get_default_values() {
        [value] => value.clone(),
        _ => "false".into(),
    };
    arg.action(ArgAction::Set)
        .value_parser(BoolishValueParser::new())
        .value_name("BOOL")
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .default_value(default)
        .hide_possible_values(true)
}

/// Puts a folder in place of the word that begins a default ([`DATA`], [`PROFILE`]); without
/// a folder there is no default.
pub(super) fn in_folder(arg: Arg, word: &str, folder: Option<&Path>) -> Arg {
    let default = arg.get_default_values().first();
    let default = default.map(|value| value.to_string_lossy().into_owned());
    let Some(file) = default
        .as_deref()
        .and_then(|value| value.strip_prefix(word))
    else {
        return arg;
    };
    match folder {
        Some(folder) => {
            let path: PathBuf = folder.join(file).components().collect();
            arg.default_value(path.into_os_string())
        }
        None => arg.default_value(None::<&'static str>),
    }
}

/// The completion script, as the error that ends the reading of options.
pub(super) fn completions(mut command: Command, shell: Shell) -> OptionsError {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut script);
    OptionsError::Asked(script)
}

/// Writes the man pages. Returns the list of them, as the error that ends the reading of options.
pub(super) fn man<P: Program>(folder: &Path) -> OptionsError {
    match man::write::<P>(folder) {
        Ok(paths) => {
            let lines = paths.iter().map(|path| format!("{}\n", path.display()));
            OptionsError::Asked(lines.collect::<String>().into_bytes())
        }
        Err((path, source)) => OptionsError::Page { path, source },
    }
}

/// The name of an option.
pub(super) fn long(arg: &Arg) -> &str {
    arg.get_long().unwrap_or_default()
}
