//! A program as a service: what to write and to run, so that systemd or launchd starts it at each
//! boot or login.
//!
//! What is to be done is a list of [`Step`]s, which is shown with `--dry-run` and carried out
//! without.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use thiserror::Error;

mod launchd;
mod systemd;

use crate::Program;
use crate::options::{CONFIG, Environment, Place, Places, options};

/// A program that can be a service.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// Its name.
    pub name: &'static str,
    /// Its systemd unit for the system. Empty if it can only be one of a user.
    pub system_unit: &'static str,
    /// Its systemd unit for a user.
    pub user_unit: &'static str,
    /// The folders of the system, or others for tests.
    pub root: &'static str,
}

/// Whose service it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// From boot on, as a user of its own.
    System,
    /// For this user, from their login on.
    User,
}

/// What starts services here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// On most Linux systems.
    Systemd,
    /// On macOS.
    Launchd,
}

/// A program that becomes a service, and where.
#[derive(Debug, Clone)]
pub struct Installation {
    service: Service,
    scope: Scope,
    manager: Manager,
    program: PathBuf,
    /// The user's folders.
    home: PathBuf,
    config: PathBuf,
}

/// What is done to make or remove a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A file is written, with the folders above it.
    Write(PathBuf, String),
    /// A file is removed, if it is there.
    Remove(PathBuf),
    /// A command is run.
    Run(Vec<String>),
    /// A command is run, and may fail.
    Try(Vec<String>),
}

/// Why there is no service.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// Nothing here starts services.
    #[error(
        "{0}. Let what starts programs here start {program}, with a restart when it ends", program = .1.display()
    )]
    NoManager(String, PathBuf),
    /// The service would not have an option that is given here.
    #[error(
        "{0} is given here, and the service would not have it: write it into {1}, and leave it out here"
    )]
    Option(String, String),
    /// The program is where the service cannot read it.
    #[error(
        "a service of the system cannot read {program}: copy it first, as in\n  sudo install -m 755 {program} /usr/local/bin/ && sudo /usr/local/bin/{name} install", program = .0.display(), name = .1
    )]
    OutOfReach(PathBuf, &'static str),
    /// A path has characters that a unit cannot have.
    #[error("{} is no path that a service can have: it has to be UTF-8, without line breaks", .0.display())]
    BadPath(PathBuf),
    /// This user has no home folder.
    #[error("this user has no home folder for services of their own")]
    NoHome,
    /// A file cannot be written or removed.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A command failed.
    #[error("{command} failed: {reason}")]
    Command {
        /// The command line.
        command: String,
        /// What it printed.
        reason: String,
    },
    /// Standard output cannot be written.
    #[error(transparent)]
    Output(#[from] io::Error),
}

impl Manager {
    /// That of the system this is built for.
    #[must_use]
    pub fn of_system() -> Self {
        if cfg!(target_os = "macos") {
            Self::Launchd
        } else {
            Self::Systemd
        }
    }
}

impl Installation {
    /// That of this program, for this user or the system.
    ///
    /// # Errors
    /// If it cannot be one from where the program is.
    pub fn new(service: Service, scope: Scope, manager: Manager) -> Result<Self, ServiceError> {
        let program = env::current_exe()?;
        let environment = Environment::of_process();
        let folders = environment.home.zip(environment.config);
        let (home, config) = match (folders, scope) {
            (Some(folders), _) => folders,
            (None, Scope::System) => Default::default(),
            (None, Scope::User) => return Err(ServiceError::NoHome),
        };
        let is_text = program.to_str().is_some_and(|path| !path.contains('\n'));
        if !is_text {
            return Err(ServiceError::BadPath(program));
        }
        let installation = Self {
            service,
            scope,
            manager,
            program,
            home,
            config,
        };
        match manager {
            Manager::Systemd => installation.check_reach(),
            Manager::Launchd => installation.check_agent(),
        }?;
        Ok(installation)
    }

    /// Whether it is a service already.
    #[must_use]
    pub fn is_there(&self) -> bool {
        match self.manager {
            Manager::Systemd => self.packaged().is_some() || self.unit_path().exists(),
            Manager::Launchd => self.agent_path().exists(),
        }
    }

    /// What makes the service, or brings it up to date, and starts it.
    #[must_use]
    pub fn install(&self) -> Vec<Step> {
        match self.manager {
            Manager::Systemd => self.install_unit(),
            Manager::Launchd => self.install_agent(),
        }
    }

    /// What stops and removes it. With `purge` a service of the system loses its data too.
    #[must_use]
    pub fn uninstall(&self, purge: bool) -> Vec<Step> {
        match self.manager {
            Manager::Systemd => self.uninstall_unit(purge),
            Manager::Launchd => self.uninstall_agent(),
        }
    }

    /// What to know of the service once it runs, a line each.
    #[must_use]
    pub fn advice(&self) -> Vec<String> {
        match self.manager {
            Manager::Systemd => self.advice_on_unit(),
            Manager::Launchd => self.advice_on_agent(),
        }
    }

    /// Finds out whether there is something that runs services.
    ///
    /// # Errors
    /// If there is not.
    pub fn find_manager(&self) -> Result<(), ServiceError> {
        let (probe, name) = match self.manager {
            Manager::Systemd => (self.systemctl(&["show", "--property=Version"]), "systemd"),
            Manager::Launchd => (Self::launchctl(&["version"]), "launchd"),
        };
        run(&probe).map_err(|error| {
            let reason = format!("no {name} can be reached that would run it ({error})");
            ServiceError::NoManager(reason, self.program.clone())
        })
    }
}

/// Refuses options that the service would not have. `file` is where they belong; a service of the
/// system does not have those of the user's config file either.
///
/// # Errors
/// If one of them is given.
pub fn check_options<P: Program>(
    places: &Places,
    scope: Scope,
    file: &str,
) -> Result<(), ServiceError> {
    let lost = match scope {
        Scope::System => Place::File,
        Scope::User => Place::Environment,
    };
    let command = P::command();
    let fields = options(&command).map(|arg| arg.get_id().as_str());
    for field in fields.chain([CONFIG]) {
        if places.of(field) >= lost {
            let name = format!("--{}", field.replace('_', "-"));
            return Err(ServiceError::Option(name, file.to_owned()));
        }
    }
    Ok(())
}

/// Shows the steps.
///
/// # Errors
/// If they cannot be written.
pub fn show(steps: &[Step], out: &mut impl Write) -> Result<(), ServiceError> {
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Write(path, content) => {
                writeln!(text, "would write {}:", path.display()).expect("a String takes it");
                for line in content.lines() {
                    writeln!(text, "  {line}").expect("a String takes it");
                }
            }
            Step::Remove(path) => {
                writeln!(text, "would remove {}", path.display()).expect("a String takes it");
            }
            Step::Run(words) | Step::Try(words) => {
                writeln!(text, "would run {}", words.join(" ")).expect("a String takes it");
            }
        }
    }
    Ok(out.write_all(text.as_bytes())?)
}

/// Carries out the steps.
///
/// # Errors
/// If one fails; those before it are done.
pub fn carry_out(steps: &[Step]) -> Result<(), ServiceError> {
    for step in steps {
        match step {
            Step::Write(path, content) => write_file(path, content)?,
            Step::Remove(path) => match fs::remove_file(path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    let path = path.clone();
                    return Err(ServiceError::File { path, source });
                }
                _ => {}
            },
            Step::Run(words) => run(words)?,
            Step::Try(words) => _ = run(words),
        }
    }
    Ok(())
}

fn write_file(path: &Path, content: &str) -> Result<(), ServiceError> {
    let failed = |source| ServiceError::File {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, content).map_err(failed)
}

fn run(words: &[String]) -> Result<(), ServiceError> {
    let failed = |reason| ServiceError::Command {
        command: words.join(" "),
        reason,
    };
    let (program, arguments) = words.split_first().expect("a command has a name");
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let printed = String::from_utf8_lossy(&output.stderr);
    let printed = match printed.trim() {
        "" => output.status.to_string(),
        printed => printed.to_owned(),
    };
    Err(failed(printed))
}

#[cfg(test)]
mod tests;
