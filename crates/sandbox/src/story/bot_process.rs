//! The bot of the story as a child process, with its log.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use super::StoryError;

/// Lines kept of the log; a bot that talks more than this is in trouble of another kind.
const LINES_KEPT: usize = 10_000;

/// A running bot. Dropping it kills it.
#[derive(Debug)]
pub(super) struct BotProcess {
    child: Child,
    log: Log,
    /// Dropped with us, which ends the readers.
    _readers: JoinSet<()>,
}

/// What the bot has written so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<String>>>);

impl BotProcess {
    /// Starts the unchanged bot; only its environment says where Telegram is.
    pub(super) fn start(
        python: &Path,
        folder: &Path,
        token: &str,
        api_base: &str,
    ) -> Result<Self, StoryError> {
        // A relative path would be looked for in the bot's folder; a bare name is looked for in PATH.
        let program = match python.parent() {
            Some(folder) if folder != Path::new("") => {
                std::path::absolute(python).unwrap_or_else(|_empty| python.to_path_buf())
            }
            _ => python.to_path_buf(),
        };
        let mut child = Command::new(program)
            .arg("bot.py")
            .current_dir(folder)
            .env("BOT_TOKEN", token)
            .env("TELEGRAM_API_BASE", api_base)
            .env("BONUS_DB", ":memory:")
            .env("PYTHONUNBUFFERED", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONIOENCODING", "utf-8")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| StoryError::Python { path: python.to_path_buf(), source })?;
        let log = Log::default();
        let mut readers = JoinSet::new();
        if let Some(output) = child.stdout.take() {
            readers.spawn(read(output, log.clone()));
        }
        if let Some(output) = child.stderr.take() {
            readers.spawn(read(output, log.clone()));
        }
        Ok(Self { child, log, _readers: readers })
    }

    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    /// Ends it and waits until it is gone.
    pub(super) async fn stop(mut self) {
        // It may have ended by itself; then there is nothing to kill.
        self.child.kill().await.ok();
    }
}

impl Log {
    /// The first line with these words.
    pub(super) fn find(&self, words: &str) -> Option<String> {
        self.lock().iter().find(|line| line.contains(words)).cloned()
    }

    /// The end of the log, for when something went wrong.
    pub(super) fn tail(&self, lines: usize) -> String {
        let log = self.lock();
        log[log.len().saturating_sub(lines)..].join("\n")
    }

    fn push(&self, line: String) {
        let mut log = self.lock();
        if log.len() < LINES_KEPT {
            log.push(line);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(output: impl AsyncRead + Unpin, log: Log) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        log.push(line);
    }
}
