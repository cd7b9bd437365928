//! Programs on a pseudo-terminal whose other side is in the test's hands.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use p2pchat_testkit::SOON;
use rustix::fs::{Mode, OFlags, fcntl_setfl, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::support::wait_for;

/// A pseudo-terminal and the program on it. The program is killed on drop.
pub(crate) struct Pty {
    /// The side of the window: `None` once it is closed. It is not blocking.
    window: Option<File>,
    terminal: OwnedFd,
    shown: Vec<u8>,
    child: Option<Child>,
}

impl Pty {
    /// A terminal of 80 columns and 24 rows.
    pub(crate) fn new() -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let window = openpt(flags).unwrap();
        grantpt(&window).unwrap();
        unlockpt(&window).unwrap();
        fcntl_setfl(&window, OFlags::RDWR | OFlags::NONBLOCK).unwrap();
        let name = ptsname(&window, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = open(name.as_c_str(), flags, Mode::empty()).unwrap();
        let mut pty = Self {
            window: Some(window.into()),
            terminal,
            shown: Vec::new(),
            child: None,
        };
        pty.resize(80, 24);
        pty
    }

    fn window(&mut self) -> &mut File {
        self.window.as_mut().unwrap()
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        let size = Winsize {
            ws_col: columns,
            ws_row: rows,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(self.window(), size).unwrap();
    }

    /// The terminal as a standard stream of a program.
    pub(crate) fn stream(&self) -> Stdio {
        self.terminal.try_clone().unwrap().into()
    }

    /// Starts a program with the terminal as its standard input, output and error.
    pub(crate) fn start(&mut self, command: &mut Command) {
        command.stdin(self.stream());
        command.stdout(self.stream()).stderr(self.stream());
        self.child = Some(command.spawn().unwrap());
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        self.child.as_mut().unwrap()
    }

    pub(crate) fn keys(&mut self, keys: &[u8]) {
        self.window().write_all(keys).unwrap();
    }

    /// Closes the window. The program is told only if it has the terminal for its own.
    pub(crate) fn close(&mut self) {
        self.window = None;
    }

    /// All that the program has written.
    pub(crate) fn shown(&mut self) -> String {
        let mut buffer = [0; 4096];
        // Where there is nothing, or the program has ended, the read fails.
        while let Some(Ok(count @ 1..)) =
            self.window.as_mut().map(|window| window.read(&mut buffer))
        {
            self.shown.extend(&buffer[..count]);
        }
        String::from_utf8_lossy(&self.shown).into_owned()
    }

    /// Waits until the program has written `part`, and forgets all up to there; returns that.
    pub(crate) fn wait(&mut self, part: &str) -> String {
        let mut last = String::new();
        let start = std::time::Instant::now();
        while start.elapsed() < SOON {
            last = self.shown();
            if let Some(at) = last.find(part) {
                let (before, after) = last.split_at(at + part.len());
                self.shown = after.as_bytes().to_vec();
                return before.to_owned();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no {part:?} in {last:?}");
    }

    /// Whether the terminal edits lines and shows what is typed, as a shell leaves it.
    pub(crate) fn is_restored(&self) -> bool {
        let modes = tcgetattr(&self.terminal).unwrap().local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// Whether the terminal shows what is typed.
    pub(crate) fn echoes(&self) -> bool {
        let modes = tcgetattr(self.terminal.as_fd()).unwrap().local_modes;
        modes.contains(LocalModes::ECHO)
    }

    pub(crate) fn exit(&mut self) -> ExitStatus {
        wait_for("the program to end", || {
            self.shown();
            self.child().try_wait().unwrap()
        })
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
