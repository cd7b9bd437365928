//! Where the operator's passwords come from.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use p2pchat_protocol::Password;
use zeroize::Zeroizing;

/// How much of a file is read: a password and its line end are far shorter.
const MAX_FILE: u64 = 1024;

/// The first line of a file, or of standard input if the file is `-`.
pub(super) fn from_file(path: &Path) -> Result<Password> {
    match path.as_os_str() == "-" {
        true => first_line(io::stdin().lock()).context("standard input"),
        false => File::open(path)
            .map_err(anyhow::Error::from)
            .and_then(first_line)
            .with_context(|| format!("the password file {}", path.display())),
    }
}

fn first_line(from: impl Read) -> Result<Password> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE as usize));
    from.take(MAX_FILE).read_to_end(&mut bytes)?;
    let line = bytes
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let Ok(text) = std::str::from_utf8(line) else {
        bail!("a password must be UTF-8 text");
    };
    Ok(Password::new(text)?)
}

/// Asks twice, without showing what is typed.
pub(super) fn on_terminal() -> Result<Password> {
    let prompt = |text| {
        rpassword::prompt_password(text)
            .map(Zeroizing::new)
            .context("no terminal to ask for the password on; use --password-file FILE")
    };
    let password = Password::new(&prompt("Password: ")?)?;
    let again = prompt("Again: ")?;
    match again.as_str() == password.expose() {
        true => Ok(password),
        false => bail!("the two passwords differ; nothing was changed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_password() {
        let read = |bytes: &[u8]| first_line(bytes).map(|password| password.expose().to_owned());
        assert_eq!(read(b"secret\n").unwrap(), "secret");
        assert_eq!(read(b"secret\r\nmore\n").unwrap(), "secret");
        assert_eq!(read(b" se cret").unwrap(), " se cret");
        assert!(read(b"").is_err());
        assert!(read(b"\xff\n").is_err());
        assert!(read(b"1234567890123456\n").is_err());
    }
}
