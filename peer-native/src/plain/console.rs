//! Input and output of plain mode, on a terminal or on pipes.
//!
//! On a terminal, new lines are printed above the one being typed, passwords are not shown,
//! and the terminal's settings are restored at the end, however it ends.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError, mpsc as blocking};
use std::thread;

use p2pchat_model::View;
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, ExternalPrinter, Helper};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use crate::commands;
use crate::stdin::{self, BadLine};

/// A question to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// A line, after this prompt.
    Line(String),
    /// A password, which is not shown, after this prompt.
    Password(String),
}

/// The user's answer.
#[derive(Debug)]
pub(crate) enum Given {
    /// A line.
    Line(String),
    /// A password.
    Password(Zeroizing<String>),
    /// An invalid line.
    Bad(BadLine),
    /// The end: Ctrl-C, Ctrl-D, or the end of the input.
    End,
}

/// The view that completion takes names from.
type Known = Arc<Mutex<View>>;

/// Reads input and prints lines.
pub(crate) struct Console {
    input: Input,
    printer: Option<Box<dyn ExternalPrinter + Send>>,
    known: Known,
}

enum Input {
    Pipe(mpsc::Receiver<Result<String, BadLine>>),
    Terminal {
        asks: blocking::Sender<Ask>,
        answers: mpsc::Receiver<Given>,
        _settings: SavedSettings,
    },
}

impl Console {
    /// On a terminal if standard input is one, else on pipes.
    ///
    /// # Errors
    /// If the terminal cannot be read.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let known = Known::default();
        if !io::stdin().is_terminal() {
            let input = Input::Pipe(stdin::read_stdin());
            return Ok(Self {
                input,
                printer: None,
                known,
            });
        }
        let settings = SavedSettings::save();
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .auto_add_history(true)
            .build();
        let mut editor = Editor::<Completing, _>::with_config(config)?;
        editor.set_helper(Some(Completing {
            known: known.clone(),
        }));
        let printer = editor.create_external_printer()?;
        let (asks, asked) = blocking::channel();
        // One answer to each question.
        let (answer, answers) = mpsc::channel(1);
        thread::spawn(move || {
            while let Ok(ask) = asked.recv() {
                if answer.blocking_send(give(&mut editor, ask)).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            input: Input::Terminal {
                asks,
                answers,
                _settings: settings,
            },
            printer: Some(Box::new(printer)),
            known,
        })
    }

    /// Whether this is a terminal, where a user can be asked for a password.
    #[must_use]
    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self.input, Input::Terminal { .. })
    }

    /// Asks a question. On a pipe it has no effect: lines come by themselves.
    pub(crate) fn ask(&self, ask: Ask) {
        if let Input::Terminal { asks, .. } = &self.input {
            // Where the thread has ended, the next answer is the end.
            let _ = asks.send(ask);
        }
    }

    /// The next answer. Cancel safe: nothing is lost if this is dropped half-way.
    pub(crate) async fn next(&mut self) -> Given {
        match &mut self.input {
            Input::Pipe(lines) => match lines.recv().await {
                Some(Ok(line)) => Given::Line(line),
                Some(Err(error)) => Given::Bad(error),
                None => Given::End,
            },
            Input::Terminal { answers, .. } => answers.recv().await.unwrap_or(Given::End),
        }
    }

    /// Prints a line.
    ///
    /// # Errors
    /// If the output is closed.
    pub(crate) fn print(&mut self, line: &str) -> io::Result<()> {
        if let Some(printer) = &mut self.printer {
            return printer.print(format!("{line}\n")).map_err(io::Error::other);
        }
        let mut out = io::stdout().lock();
        writeln!(out, "{line}")?;
        out.flush()
    }

    /// Gives completion the current names.
    pub(crate) fn know(&self, view: &View) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.account = view.account;
        known.online.clone_from(&view.online);
        known.members.clone_from(&view.members);
        known.blocked.clone_from(&view.blocked);
    }
}

fn give(editor: &mut Editor<Completing, rustyline::history::DefaultHistory>, ask: Ask) -> Given {
    match ask {
        Ask::Line(prompt) => match editor.readline(&prompt) {
            Ok(line) => Given::Line(line),
            Err(_) => Given::End,
        },
        Ask::Password(prompt) => match rpassword::prompt_password(prompt) {
            Ok(password) => Given::Password(Zeroizing::new(password)),
            Err(_) => Given::End,
        },
    }
}

/// Completes commands and names.
struct Completing {
    known: Known,
}

impl Completer for Completing {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(commands::completions(&line[..at], &known))
    }
}

impl Helper for Completing {}
impl Hinter for Completing {
    type Hint = String;
}
impl Highlighter for Completing {}
impl Validator for Completing {}

/// Drop guard that restores the terminal's settings. A line may be half typed when the
/// program ends, and the thread that reads it cannot be stopped.
struct SavedSettings {
    #[cfg(unix)]
    saved: Option<rustix::termios::Termios>,
}

impl SavedSettings {
    fn save() -> Self {
        Self {
            #[cfg(unix)]
            saved: rustix::termios::tcgetattr(io::stdin()).ok(),
        }
    }
}

impl Drop for SavedSettings {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(saved) = &self.saved {
            use rustix::termios::{OptionalActions, tcsetattr};
            // The program ends here: an error cannot be reported any more.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, saved);
        }
    }
}
