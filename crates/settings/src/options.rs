//! Options: from their declarations to values.
//!
//! An option is declared once, as a field of a struct that derives clap's `Args`, with its
//! final type, its default and its help. Everything else follows from its name: the field
//! `request_limit` is the flag `--request-limit`, the variable `P2PCHAT_REQUEST_LIMIT` and
//! the key `request-limit` in the section of the program. `--help`, the completions, the man
//! pages and `docs/options.md` are generated from the same declaration.
//!
//! To add an option, add the field and write `docs/options.md` again: `UPDATE=1 cargo test -p
//! p2pchat-settings --test options`. A `bool` is a switch. `default_value = "$DATA/file"` is
//! a file in the user's data folder ([`DATA`]), `"$PROFILE/file"` one in the folder of the
//! option `--profile` ([`PROFILE`]), `hide_env_values = true` keeps a value that
//! may hold a secret out of all errors, `hide_default_value = true` is for a default that the
//! help says in words. A `PathBuf` is a path; a type of its own that may be one has
//! `value_hint = ValueHint::FilePath`.
//!
//! A value comes from the first of these places that gives one: the command line, the
//! environment, the config file, the default ([`read_in`]). A variable that is empty counts
//! as not set. In a path of the environment and the file a leading `~/` is the home folder;
//! on a command line that is up to the shell.

use std::collections::HashMap;
use std::env;
use std::error::Error as _;
use std::ffi::OsString;
use std::io::{self, Write};
use std::num::{NonZeroU32, ParseIntError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, Args, Command, Parser, ValueHint};
use clap_complete::Shell;
use etcetera::BaseStrategy;
use thiserror::Error;

use crate::config::{ConfigError, Entry, File, Section, Value};
use crate::man::Manual;
use crate::streams::{self, Output, complain};

mod command;
mod profile;

pub use command::{
    DATA, DATA_FOLDER, IN_PROFILE, PROFILE, command, is_switch, options, shown_default, variable_of,
};

pub(crate) use command::CONFIG;
use command::{COMPLETIONS, FOLDER, MAN, MAN_FOLDER, VARIABLE, completions, in_folder, long, man};

/// A program with options.
pub trait Program: Parser {
    /// Its section in the config file.
    const SECTION: Section;
    /// What its man pages say beyond its options.
    const MANUAL: Manual;
}

/// The options of a program, and where they come from.
#[derive(Debug)]
pub struct Given<P> {
    /// The values.
    pub options: P,
    /// The place that gave each.
    pub places: Places,
}

/// A place that can give a value. A greater one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// None: the value is the default.
    Default,
    /// The config file.
    File,
    /// An environment variable.
    Environment,
    /// The command line.
    CommandLine,
}

/// Everything but the command line that the options of a process depend on. The default is
/// nothing, for tests.
#[derive(Debug, Default)]
pub struct Environment {
    /// The environment variables of p2pchat.
    pub variables: HashMap<String, OsString>,
    /// The user's home folder, if they have one.
    pub home: Option<PathBuf>,
    /// The user's folder for configuration (`~/.config`); `None` if they have no home folder.
    pub config: Option<PathBuf>,
    /// The user's folder for data (`~/.local/share`); `None` if they have no home folder.
    pub data: Option<PathBuf>,
}

/// The place that gave each option.
#[derive(Debug, Default)]
pub struct Places(HashMap<String, Place>);

/// Why a program has no options.
#[derive(Debug, Error)]
pub enum OptionsError {
    /// The command line is wrong, or asks for help or the version.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
    /// The command line asks for something that is to be printed: completions, or the list of
    /// the man pages.
    #[error("nothing but output was asked for")]
    Asked(Vec<u8>),
    /// A man page cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Page {
        /// Which file, or the folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The config file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A value is invalid.
    #[error("{given}: {reason}")]
    Value {
        /// The place and, if it is no secret, the value.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two options that cannot both be.
    #[error("{0} and {1} exclude each other: give one of them")]
    Both(String, String),
    /// The default of an option is a file, and there is no folder for it.
    #[error("this user has no home folder to keep files in: name a file with {0}")]
    NoHome(String),
}

impl OptionsError {
    /// Prints what the user has to know, and ends the process: with 0 after help, version,
    /// completions and man pages, with 1 if they cannot be written, with 2 after a usage error of clap,
    /// with `code` after all others.
    pub fn exit(self, program: &str, code: i32) -> ! {
        let printed = match self {
            Self::CommandLine(error) if error.use_stderr() => {
                // Nothing is left to say it to.
                let _ = error.print();
                std::process::exit(error.exit_code())
            }
            Self::CommandLine(help) => {
                let printed = help.print().and_then(|()| io::stdout().flush());
                Output::of(printed)
            }
            Self::Asked(output) => streams::print(&output),
            error @ Self::Page { .. } => Err(io::Error::other(error)),
            error => {
                complain(program, error);
                std::process::exit(code)
            }
        };
        match printed {
            Ok(Output::Written | Output::Closed) => std::process::exit(0),
            Err(error) => {
                complain(program, error);
                std::process::exit(1)
            }
        }
    }
}

impl Places {
    /// The place that gave the option of this field.
    #[must_use]
    pub fn of(&self, field: &str) -> Place {
        self.0.get(field).copied().unwrap_or(Place::Default)
    }

    /// Which of two fields that exclude each other counts: the one from the greater place.
    /// Each comes with whether it is on at all; `None` if neither is.
    ///
    /// # Errors
    /// If both are on in the same place.
    pub fn choose<'a>(
        &self,
        one: (&'a str, bool),
        other: (&'a str, bool),
    ) -> Result<Option<&'a str>, OptionsError> {
        let rank = |(field, on)| if on { self.of(field) } else { Place::Default };
        match (rank(one), rank(other)) {
            (Place::Default, Place::Default) => Ok(None),
            (first, second) if first > second => Ok(Some(one.0)),
            (first, second) if first < second => Ok(Some(other.0)),
            _ => Err(OptionsError::Both(flag(one.0), flag(other.0))),
        }
    }
}

impl Environment {
    /// That of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let variables = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| name.starts_with(VARIABLE))
            .collect();
        let folders = etcetera::choose_base_strategy().ok();
        // A relative one would be another in each folder that the program is started in.
        let folders = folders.filter(|folders| folders.home_dir().is_absolute());
        // These two do without a home folder.
        let named = |variable| {
            let folder = env::var_os(variable).map(PathBuf::from);
            folder.filter(|folder| folder.is_absolute())
        };
        let config = folders.as_ref().map(BaseStrategy::config_dir);
        let data = folders.as_ref().map(BaseStrategy::data_dir);
        Self {
            variables,
            home: folders
                .as_ref()
                .map(|folders| folders.home_dir().to_owned()),
            config: config.or_else(|| named("XDG_CONFIG_HOME")),
            data: data.or_else(|| named("XDG_DATA_HOME")),
        }
    }

    /// The variable of an option, unless it is empty.
    fn variable(&self, option: &str) -> Option<OsString> {
        let value = self.variables.get(&variable_of(option));
        value.filter(|value| !value.is_empty()).cloned()
    }

    /// A path from a variable or the config file: a leading `~/` is the home folder.
    fn path(&self, value: &OsString) -> Result<OsString, String> {
        let Some(rest) = value.to_str().and_then(|text| text.strip_prefix('~')) else {
            return Ok(value.clone());
        };
        match (&self.home, rest.strip_prefix('/')) {
            (Some(home), Some(rest)) => Ok(home.join(rest).into()),
            (Some(home), None) if rest.is_empty() => Ok(home.into()),
            (None, _) => Err("this user has no home folder: write the path without ~".to_owned()),
            (Some(_), None) => {
                Err("of paths with ~ only ~/ is known: write this one in full".to_owned())
            }
        }
    }
}

/// Reads the options of a program from its command line, the environment and the config
/// file.
///
/// # Errors
/// If one of them is wrong, or the command line asks for help, the version, completions or man
/// pages.
pub fn read<P: Program>(
    line: impl IntoIterator<Item = impl Into<OsString>>,
) -> Result<Given<P>, OptionsError> {
    read_in(line, &Environment::of_process())
}

/// The same, in another environment.
///
/// # Errors
/// As [`read`].
pub fn read_in<P: Program>(
    line: impl IntoIterator<Item = impl Into<OsString>>,
    environment: &Environment,
) -> Result<Given<P>, OptionsError> {
    let line: Vec<OsString> = line.into_iter().map(Into::into).collect();
    let mut command = command::<P>(environment.data.as_deref());
    // Help, completions and a wrong command line do not need the other places.
    let given = parse(&command, &line)?;
    if let Some((COMPLETIONS, given)) = given.subcommand() {
        let shell = given.get_one("shell").copied().unwrap_or(Shell::Bash);
        return Err(completions(command, shell));
    }
    if let Some((MAN, given)) = given.subcommand() {
        let folder = given.get_one::<PathBuf>(MAN_FOLDER);
        return Err(man::<P>(folder.map_or(Path::new("."), PathBuf::as_path)));
    }
    let named = given.get_one::<PathBuf>(CONFIG).cloned();
    let named = match environment.variable(CONFIG) {
        Some(path) if named.is_none() => {
            let found = environment.path(&path).map(PathBuf::from);
            let found = found.map_err(|reason| OptionsError::Value {
                given: format!("{}={}", variable_of(CONFIG), Path::new(&path).display()),
                reason,
            });
            Some(found?)
        }
        _ => named,
    };
    let file = match (named, &environment.config) {
        (Some(path), _) => File::load(path, true, P::SECTION)?,
        (None, Some(folder)) => {
            File::load(folder.join(FOLDER).join("config.toml"), false, P::SECTION)?
        }
        (None, None) => File::default(),
    };
    refuse_unknown_keys(&file, &command)?;
    let mut places = Places::default();
    if given.contains_id(CONFIG) {
        places.0.insert(CONFIG.to_owned(), Place::CommandLine);
    } else if environment.variable(CONFIG).is_some() {
        places.0.insert(CONFIG.to_owned(), Place::Environment);
    }
    for arg in options(&command.clone()) {
        let (id, name) = (arg.get_id().as_str(), long(arg));
        let place = if given.value_source(id) == Some(ValueSource::CommandLine) {
            Place::CommandLine
        } else if let Some(value) = environment.variable(name) {
            let values = of_variable(arg, value, environment)?;
            command = command.mut_arg(id, |arg| arg.default_values(values));
            Place::Environment
        } else if let Some(entry) = file.keys.get(name) {
            let values = of_file(arg, entry, environment);
            let values = values.map_err(|reason| file.wrong(entry.line, reason))?;
            command = command.mut_arg(id, |arg| arg.default_values(values));
            Place::File
        } else {
            continue;
        };
        places.0.insert(id.to_owned(), place);
    }
    let matches = parse(&command, &line)?;
    // None for a program without profiles.
    let profile = matches.try_get_one::<PathBuf>(profile::OPTION);
    let profile = profile.ok().flatten().map(PathBuf::as_path);
    let command = command.mut_args(|arg| in_folder(arg, PROFILE, profile));
    let matches = parse(&command, &line)?;
    let options = P::from_arg_matches(&matches).map_err(|error| {
        // Only a default in a folder that there is not can be missing.
        let text = error.to_string();
        let missing = |arg: &&Arg| text.trim_end().ends_with(arg.get_id().as_str());
        match options(&command).find(missing) {
            Some(arg) if error.kind() == ErrorKind::MissingRequiredArgument => {
                let folder = options(&command).find(|arg| long(arg) == profile::OPTION);
                let folder = folder.map_or("", |_| ", or a folder with --profile");
                OptionsError::NoHome(format!("--{}{folder}", long(arg)))
            }
            _ => error.into(),
        }
    })?;
    Ok(Given { options, places })
}

/// The values of options of which none is given.
///
/// # Panics
/// If one of them has no default.
#[must_use]
pub fn defaults<A: Args>() -> A {
    let command = A::augment_args(Command::new("defaults"));
    let matches = command.try_get_matches_from(["defaults"]);
    matches
        .and_then(|matches| A::from_arg_matches(&matches))
        .expect("each option has a default, and a test of each program reads them")
}

/// Parses a number of seconds, which is not 0.
///
/// # Errors
/// If it is something else.
pub fn seconds(text: &str) -> Result<Duration, ParseIntError> {
    let seconds: NonZeroU32 = text.parse()?;
    Ok(Duration::from_secs(seconds.get().into()))
}

/// Parses the command line. An invalid value of an option is told as those of the other
/// places are, so that no secret is shown.
fn parse(command: &Command, line: &[OsString]) -> Result<clap::ArgMatches, OptionsError> {
    let parsed = command.clone().try_get_matches_from(line);
    parsed.map_err(|error| {
        let text = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => text.as_str(),
            _ => "",
        };
        let named = text(ContextKind::InvalidArg).strip_prefix("--");
        let named = named.and_then(|rest| rest.split([' ', '[', '=']).next());
        let arg = options(command).find(|arg| arg.get_long() == named);
        match (arg, error.source()) {
            (Some(arg), Some(reason)) => OptionsError::Value {
                given: if arg.is_hide_env_values_set() {
                    format!("--{}", long(arg))
                } else {
                    format!("--{} {}", long(arg), text(ContextKind::InvalidValue))
                },
                reason: reason.to_string(),
            },
            _ => error.into(),
        }
    })
}

/// The values that a variable gives to an option.
fn of_variable(
    arg: &Arg,
    value: OsString,
    environment: &Environment,
) -> Result<Vec<OsString>, OptionsError> {
    let values = match (arg.get_value_delimiter(), value.to_str()) {
        (Some(delimiter), Some(text)) => text.split(delimiter).map(OsString::from).collect(),
        _ => vec![value],
    };
    check(arg, &values, environment).map_err(|(value, reason)| OptionsError::Value {
        given: if arg.is_hide_env_values_set() {
            variable_of(long(arg))
        } else {
            format!("{}={value}", variable_of(long(arg)))
        },
        reason,
    })
}

/// The values that a key of the config file gives to an option. The error names the key.
fn of_file(arg: &Arg, entry: &Entry, environment: &Environment) -> Result<Vec<OsString>, String> {
    let key = long(arg);
    let several = matches!(arg.get_action(), ArgAction::Append);
    let texts = match &entry.value {
        Value::Switch(on) if is_switch(arg) => vec![on.to_string()],
        _ if is_switch(arg) => return Err(format!("{key}: true or false is needed")),
        Value::One(text) => vec![text.clone()],
        Value::Many(texts) if several => texts.clone(),
        _ if several => return Err(format!("{key}: a string or a list of them is needed")),
        _ => return Err(format!("{key}: a string or a number is needed")),
    };
    let values: Vec<OsString> = texts.into_iter().map(OsString::from).collect();
    check(arg, &values, environment).map_err(|(value, reason)| {
        if arg.is_hide_env_values_set() {
            format!("{key}: {reason}")
        } else {
            format!("{key} = {value}: {reason}")
        }
    })
}

/// Tries values with the parser of their option, paths with the home folder in place of `~`.
/// The error is the invalid value and what is wrong with it.
fn check(
    arg: &Arg,
    values: &[OsString],
    environment: &Environment,
) -> Result<Vec<OsString>, (String, String)> {
    let checked = values.iter().map(|value| {
        let shown = || value.to_string_lossy().into_owned();
        let value = match arg.get_value_hint() {
            ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath => {
                environment.path(value)
            }
            _ => Ok(value.clone()),
        };
        let value = value.map_err(|reason| (shown(), reason))?;
        let mut flag = OsString::from(format!("--{}=", long(arg)));
        flag.push(&value);
        let alone = Command::new("check").no_binary_name(true).arg(arg.clone());
        alone.try_get_matches_from([flag]).map_err(|error| {
            let reason = match error.source() {
                Some(reason) => reason.to_string(),
                None if value.to_str().is_none() => "it is not UTF-8".to_owned(),
                None => "a value is needed".to_owned(),
            };
            (shown(), reason)
        })?;
        Ok(value)
    });
    checked.collect()
}

/// Refuses keys that are no options. The error names one that is similar, or all.
fn refuse_unknown_keys(file: &File, command: &Command) -> Result<(), ConfigError> {
    let known: Vec<&str> = options(command).map(long).collect();
    let unknown = file
        .keys
        .iter()
        .find(|(key, _)| !known.contains(&key.as_str()));
    let Some((key, entry)) = unknown else {
        return Ok(());
    };
    // clap looks for a similar flag.
    let flag = OsString::from(format!("--{key}"));
    let error = command
        .clone()
        .no_binary_name(true)
        .try_get_matches_from([flag]);
    let similar = match error
        .err()
        .and_then(|error| error.get(ContextKind::SuggestedArg).cloned())
    {
        Some(ContextValue::String(flag)) => {
            format!("did you mean `{}`?", flag.trim_start_matches('-'))
        }
        _ => format!("use one of {}", known.join(", ")),
    };
    Err(file.wrong(entry.line, format!("unknown key `{key}`: {similar}")))
}

/// The flag of the option of a field.
fn flag(field: &str) -> String {
    format!("--{}", field.replace('_', "-"))
}
