//! Secrets come from a prompt that does not show them, from standard input, from a file, or from the environment;
//! never from an argument, which every user of the machine can read.

use std::{
    fs,
    io::{self, IsTerminal as _, Read as _, Write as _},
    path::Path,
};

use rustix::termios::{self, LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use tandem_bridge::operations::Confidential;

use crate::Failure;

/// Longest secret that is read.
const MAX_BYTES: u64 = 64 << 10;
/// Longest one that is typed.
const MAX_LINE: usize = 4 << 10;

/// A file's content, without the white space around it; `-` is standard input.
pub(super) fn from_file(path: &Path) -> Result<Confidential, Failure> {
    if path.as_os_str() == "-" {
        return from_stdin();
    }
    let failed = |error: &io::Error| {
        Failure::new(
            format!("cannot read {}: {error}", path.display()),
            "Name a file that this user can read, with nothing but the secret in it.",
        )
    };
    let text = fs::read_to_string(path).map_err(|error| failed(&error))?;
    some(&text, &path.display().to_string())
}

/// Asks for it if a person sits there, else takes what is piped in.
pub(super) fn from_terminal_or_stdin(prompt: &str) -> Result<Confidential, Failure> {
    if io::stdin().is_terminal() {
        let text = ask(prompt).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => Failure::new("interrupted", "Nothing was changed."),
            _ => Failure::new(
                format!("cannot read from the terminal: {error}"),
                "Pipe it in, or name a file that holds it with --token-file.",
            ),
        })?;
        some(&text, "what was typed")
    } else {
        from_stdin()
    }
}

fn from_stdin() -> Result<Confidential, Failure> {
    let mut text = String::new();
    io::stdin().lock().take(MAX_BYTES).read_to_string(&mut text).map_err(|error| {
        Failure::new(format!("cannot read standard input: {error}"), "Pipe in the secret, and nothing else.")
    })?;
    some(&text, "standard input")
}

fn some(text: &str, source: &str) -> Result<Confidential, Failure> {
    match text.trim() {
        "" => Err(Failure::usage(
            format!("{source} is empty"),
            "A secret is expected there; `--help` says from where else it can come.",
        )),
        secret => Ok(Confidential::new(secret)),
    }
}

/// Reads a line from the terminal without showing it.
///
/// The terminal hands over each key by itself, Ctrl+C too: it is put back in order before anything else happens.
fn ask(prompt: &str) -> io::Result<String> {
    let mut terminal = fs::OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    write!(terminal, "{prompt}")?;
    terminal.flush()?;
    let before = termios::tcgetattr(&terminal)?;
    let mut silent = before.clone();
    silent.local_modes &= !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
    silent.special_codes[SpecialCodeIndex::VMIN] = 1;
    silent.special_codes[SpecialCodeIndex::VTIME] = 0;
    termios::tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
    let line = read_keys(&mut terminal);
    restore(&terminal, &before)?;
    writeln!(terminal)?;
    line
}

fn restore(terminal: &fs::File, before: &Termios) -> io::Result<()> {
    Ok(termios::tcsetattr(terminal, OptionalActions::Flush, before)?)
}

fn read_keys(keys: &mut impl io::Read) -> io::Result<String> {
    const INTERRUPT: u8 = 0x03;
    const END: u8 = 0x04;
    const KILL: u8 = 0x15;
    const BACKSPACE: [u8; 2] = [0x08, 0x7f];
    let mut line = Vec::new();
    let mut key = [0];
    // Key by key: nothing is taken that is not for us.
    while line.len() < MAX_LINE && keys.read(&mut key)? > 0 {
        match key[0] {
            b'\r' | b'\n' | END => break,
            INTERRUPT => return Err(io::ErrorKind::Interrupted.into()),
            KILL => line.clear(),
            key if BACKSPACE.contains(&key) => {
                line.pop();
            }
            key => line.push(key),
        }
    }
    String::from_utf8(line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_make_a_line() {
        let read = |keys: &[u8]| read_keys(&mut &*keys);
        assert_eq!(read(b"42:AAx\x7f\n").unwrap(), "42:AA");
        assert_eq!(read(b"wrong\x15right\r").unwrap(), "right");
        assert_eq!(read(b"a\x04b").unwrap(), "a");
        assert_eq!(read(b"a\x03b").unwrap_err().kind(), io::ErrorKind::Interrupted);
        assert_eq!(read(b"\xff\n").unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn an_empty_secret_is_a_mistake_that_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let said = from_file(file.path()).unwrap_err().to_string();
        assert!(said.contains("is empty"), "{said}");
        fs::write(file.path(), "  s3cret\n").unwrap();
        assert_eq!(from_file(file.path()).unwrap().expose(), "s3cret");
    }
}
