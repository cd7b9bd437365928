//! Input and output of plain mode, on a terminal or on pipes.
//!
//! On a terminal, new lines are printed above the one being typed, passwords are not shown,
//! and the terminal's settings are restored at the end, however it ends.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError, mpsc as blocking};
use std::thread;

use p2pchat_model::{Conversation, ConversationId, View};
use p2pchat_settings::streams::{self, Output, Waiting};
use p2pchat_settings::{Continued, Signals};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{
    CompletionType, Config, Context, Editor, Event, EventHandler, ExternalPrinter, Helper,
};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::pace::Pace;
use super::terminal::{Reading, Terminal};
use crate::commands;
use crate::options::can_move_cursor;
use crate::shown::Shown;
use crate::stdin::{self, BadLine, Lines, NextLine};

/// What is shown where a message can be typed, in the open chat.
pub(super) const PROMPT: &str = "> ";
/// The same while the line to the registry is not encrypted.
pub(super) const PROMPT_NOT_ENCRYPTED: &str = "not encrypted > ";

/// Turns on what the editor has turned on, and the shell off.
const BRACKETED_PASTE: &str = "\x1b[?2004h";

/// Turns that off again, and ends the line of the prompt.
const END_OF_EDITING: &[u8] = b"\x1b[?2004l\r\n";

/// A question to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// A message or a command, after this prompt; the text is there to be corrected.
    Chat(String, String),
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
    /// A line that was not typed by hand, and perhaps not alone.
    Burst(String),
    /// A password.
    Password(Zeroizing<String>),
    /// An invalid line.
    Bad(BadLine),
    /// The input cannot be read.
    Failed(io::Error),
    /// Ctrl-C in an empty line.
    Interrupted,
    /// The end: Ctrl-D, or the end of the input.
    End,
}

/// The view that completion takes names from, and which conversation of it is shown.
type Known = Arc<Mutex<(View, ConversationId)>>;

/// Reads input and prints lines.
pub(crate) struct Console {
    input: Input,
    printer: Option<Box<dyn ExternalPrinter + Send>>,
    known: Known,
    pace: Pace,
}

enum Input {
    Pipe(mpsc::Receiver<NextLine>),
    Terminal {
        asks: blocking::Sender<Ask>,
        answers: mpsc::Receiver<Given>,
        terminal: Arc<Terminal>,
        continued: Continued,
    },
}

/// What reads a terminal.
enum Reader {
    /// With keys that edit the line.
    Editor(Box<LineEditor>, Pace),
    /// Lines as the terminal gives them.
    Lines(Lines<io::BufReader<Waiting<io::StdinLock<'static>>>>),
}

type LineEditor = Editor<Completing, rustyline::history::DefaultHistory>;

impl Console {
    /// On a terminal if standard input is one, else on pipes.
    ///
    /// # Errors
    /// If the terminal cannot be read.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let known = Known::new(Mutex::new((View::default(), ConversationId::OPEN)));
        let pace = Pace::default();
        if !io::stdin().is_terminal() {
            let input = Input::Pipe(stdin::read_stdin());
            return Ok(Self {
                input,
                printer: None,
                known,
                pace,
            });
        }
        let terminal = Arc::new(Terminal::save()?);
        let kind = std::env::var("TERM").ok();
        let can_edit = can_move_cursor(kind.as_deref())
            && io::stdout().is_terminal()
            && !terminal.modes.is_non_blocking();
        let editor = if can_edit {
            Some(editor(&known, &pace)?)
        } else {
            None
        };
        let (editor, printer) = editor.unzip();
        let (asks, asked) = blocking::channel();
        // One answer to each question.
        let (answer, answers) = mpsc::channel(1);
        let asking = Arc::clone(&terminal);
        let pace_of_editor = pace.clone();
        thread::spawn(move || {
            let mut reader = match editor {
                Some(editor) => Reader::Editor(Box::new(editor), pace_of_editor),
                None => Reader::Lines(Lines::of_stdin()),
            };
            while let Ok(ask) = asked.recv() {
                if answer.blocking_send(reader.give(ask, &asking)).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            input: Input::Terminal {
                asks,
                answers,
                terminal,
                continued: Continued::new()?,
            },
            printer,
            known,
            pace,
        })
    }

    /// Whether the line that was given came with the one before.
    pub(crate) fn line_follows(&self) -> bool {
        self.pace.ended().follows
    }

    /// Whether a line is being typed that came with the one before.
    pub(crate) fn more_follows(&self) -> bool {
        self.pace.follows()
    }

    /// Whether this is a terminal, where a user can be asked for a password.
    #[must_use]
    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self.input, Input::Terminal { .. })
    }

    /// Whether what is typed is already where the output goes.
    #[must_use]
    pub(crate) fn shows_typed(&self) -> bool {
        self.is_terminal() && io::stdout().is_terminal()
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
            Input::Pipe(lines) => given(lines.recv().await),
            Input::Terminal {
                answers,
                terminal,
                continued,
                ..
            } => loop {
                tokio::select! {
                    answer = answers.recv() => return answer.unwrap_or(Given::End),
                    () = continued.next() => {
                        if terminal.set_again() == Some(Reading::Line)
                            && let Some(printer) = &mut self.printer
                        {
                            // Draws the line again. A signal that nothing is shown for is no
                            // reason to end.
                            let _ = printer.print(BRACKETED_PASTE.to_owned());
                        }
                    }
                }
            },
        }
    }

    /// Prints a line.
    ///
    /// # Errors
    /// If it cannot be written; a closed pipe is no error.
    pub(crate) fn print(&mut self, line: &str) -> io::Result<Output> {
        let line = format!("{line}\n");
        match &mut self.printer {
            Some(printer) => Output::of(printer.print(line).map_err(io::Error::other)),
            None => streams::print(line.as_bytes()),
        }
    }

    /// Gives completion the current names.
    pub(crate) fn know(&self, shown: Shown<'_>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (names, id) = &mut *known;
        let view = shown.view;
        *id = shown.id;
        names.account = view.account;
        names.online.clone_from(&view.online);
        let conversations = view.conversations.iter().map(|known| Conversation {
            members: known.members.clone(),
            chat: known.chat.clone(),
            ..Conversation::new(known.id)
        });
        names.conversations = conversations.collect();
        names.blocked.clone_from(&view.blocked);
        names.outgoing.clone_from(&view.outgoing);
    }
}

impl Drop for Console {
    /// Restores the terminal: a line may be half typed when the program ends, and the thread
    /// that reads it cannot be stopped.
    fn drop(&mut self) {
        if let Input::Terminal { terminal, .. } = &self.input {
            terminal.modes.restore();
            if terminal.is_reading(Reading::Line) && self.printer.is_some() {
                // It may be gone.
                let _ = streams::print(END_OF_EDITING);
            }
        }
    }
}

/// An editor of lines, and what prints above them.
fn editor(
    known: &Known,
    pace: &Pace,
) -> rustyline::Result<(LineEditor, Box<dyn ExternalPrinter + Send>)> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .auto_add_history(true)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Completing {
        known: Arc::clone(known),
    }));
    let pace = EventHandler::Conditional(Box::new(pace.clone()));
    editor.bind_sequence(Event::Any, pace);
    let printer = editor.create_external_printer()?;
    Ok((editor, Box::new(printer)))
}

impl Reader {
    fn give(&mut self, ask: Ask, terminal: &Terminal) -> Given {
        match (ask, self) {
            (Ask::Password(prompt), Self::Editor(..)) => {
                password(&prompt, &mut Lines::of_stdin(), terminal)
            }
            (Ask::Password(prompt), Self::Lines(lines)) => password(&prompt, lines, terminal),
            (Ask::Chat(prompt, text), Self::Editor(editor, pace)) => {
                edited(&prompt, &text, editor, pace, terminal)
            }
            (Ask::Line(prompt), Self::Editor(editor, pace)) => {
                edited(&prompt, "", editor, pace, terminal)
            }
            // A prompt would stand before each line that comes meanwhile.
            (Ask::Chat(..), Self::Lines(lines)) => given(lines.next()),
            (Ask::Line(prompt), Self::Lines(lines)) => {
                show(&prompt);
                given(lines.next())
            }
        }
    }
}

fn given(next: Option<NextLine>) -> Given {
    match next {
        Some(Ok(Ok(line))) => Given::Line(line),
        Some(Ok(Err(error))) => Given::Bad(error),
        Some(Err(error)) => Given::Failed(error),
        None => Given::End,
    }
}

fn edited(
    prompt: &str,
    text: &str,
    editor: &mut LineEditor,
    pace: &Pace,
    terminal: &Terminal,
) -> Given {
    let _reading = terminal.reading(Reading::Line);
    match editor.readline_with_initial(prompt, (text, "")) {
        Ok(line) if pace.ended().quickly => Given::Burst(line),
        Ok(line) => Given::Line(line),
        Err(ReadlineError::Eof) => Given::End,
        Err(ReadlineError::Interrupted) => Given::Interrupted,
        Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
            // The rest of that line, if it was pasted.
            terminal.modes.discard_typed();
            Given::Bad(BadLine::NotUtf8)
        }
        Err(ReadlineError::Io(error)) => Given::Failed(error),
        Err(other) => Given::Failed(io::Error::other(other)),
    }
}

fn password<R: io::BufRead>(prompt: &str, lines: &mut Lines<R>, terminal: &Terminal) -> Given {
    let _reading = match terminal.hide() {
        Ok(reading) => reading,
        Err(error) => return Given::Failed(error),
    };
    show(prompt);
    match given(lines.next()) {
        Given::Line(line) => Given::Password(Zeroizing::new(line)),
        other => other,
    }
}

/// Asks for a password at the terminal, without showing it. `None` if a signal comes first; the
/// terminal is restored then, too.
///
/// # Errors
/// If the terminal cannot be read, or not be kept from showing it.
pub(crate) async fn ask_password(
    prompt: String,
    signals: &mut Signals,
) -> io::Result<Option<Zeroizing<String>>> {
    let terminal = Arc::new(Terminal::save()?);
    let asking = Arc::clone(&terminal);
    // It cannot be stopped, and ends with the program.
    let asked =
        tokio::task::spawn_blocking(move || password(&prompt, &mut Lines::of_stdin(), &asking));
    tokio::select! {
        _ = signals.next() => {
            terminal.modes.restore();
            Ok(None)
        }
        given = asked => match given.map_err(io::Error::other)? {
            Given::Password(text) => Ok(Some(text)),
            Given::Failed(error) => Err(error),
            Given::Bad(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error.to_string())),
            _ => Ok(None),
        }
    }
}

/// Shows a prompt where the user sees it.
fn show(prompt: &str) {
    // Where nobody sees it, the answer is waited for all the same.
    let _ = if io::stdout().is_terminal() {
        streams::print(prompt.as_bytes()).map(|_| ())
    } else {
        Waiting(io::stderr()).write_all(prompt.as_bytes())
    };
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
        let (view, id) = &*known;
        let shown = Shown { view, id: *id };
        Ok(commands::completions(&line[..at], shown))
    }
}

impl Helper for Completing {}
impl Hinter for Completing {
    type Hint = String;
}
impl Highlighter for Completing {}
impl Validator for Completing {}
