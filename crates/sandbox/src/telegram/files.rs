//! Stored files: uploads, what clients send, and what bots download again (reference/telegram.md 6).
//!
//! A content is stored once per upload and known to each bot under a `file_id` of its own; `file_unique_id` is
//! the same for all bots. Small contents stay in memory up to a budget; the rest lies in unnamed temporary
//! files, so neither a load test nor a 50 MB video fills the memory. `getFile` opens a path for one hour of the
//! sandbox's clock.

use std::{
    collections::HashMap,
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::ApiError;
use crate::random::Random;

/// The largest file `getFile` opens.
pub(crate) const MAX_DOWNLOAD_BYTES: u64 = 20 << 20;
/// The largest upload by multipart.
pub(crate) const MAX_UPLOAD_BYTES: u64 = 50 << 20;
/// The largest photo.
pub(crate) const MAX_PHOTO_BYTES: u64 = 10 << 20;
const PATH_LIFE_MS: i64 = 60 * 60 * 1000;
const MEMORY_BUDGET: usize = 64 << 20;
/// What is larger goes to a temporary file at once.
const MAX_IN_MEMORY: usize = 256 << 10;

/// What kind of thing a file is; decides the look of its `file_id` and its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FileKind {
    Photo,
    Thumbnail,
    Voice,
    Video,
    Document,
    Sticker,
    Audio,
    Animation,
    VideoNote,
}

impl FileKind {
    /// How ids of this kind begin at Telegram.
    fn prefix(self) -> &'static str {
        match self {
            Self::Photo => "AgACAgIAAxk",
            Self::Thumbnail => "AAMCAgADGQ",
            Self::Voice => "AwACAgIAAxk",
            Self::Video => "BAACAgIAAxk",
            Self::Document => "BQACAgIAAxk",
            Self::Sticker => "CAACAgIAAxk",
            Self::Audio => "CQACAgIAAxk",
            Self::Animation => "CgACAgIAAxk",
            Self::VideoNote => "DQACAgIAAxk",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Photo => "photos",
            Self::Thumbnail => "thumbnails",
            Self::Voice => "voice",
            Self::Video => "videos",
            Self::Document => "documents",
            Self::Sticker => "stickers",
            Self::Audio => "music",
            Self::Animation => "animations",
            Self::VideoNote => "video_notes",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Photo | Self::Thumbnail => "jpg",
            Self::Voice => "oga",
            Self::Video | Self::Animation | Self::VideoNote => "mp4",
            Self::Sticker => "webp",
            Self::Audio => "mp3",
            Self::Document => "bin",
        }
    }
}

/// A file as one bot knows it.
#[derive(Debug, Clone)]
pub(crate) struct StoredFile {
    /// This bot's id for it.
    pub(crate) file_id: String,
    /// The id that is the same for every bot.
    pub(crate) file_unique_id: String,
    /// Bytes.
    pub(crate) size: u64,
    /// What it was sent as.
    pub(crate) kind: FileKind,
    /// The sender's name for it.
    pub(crate) name: Option<String>,
    /// The sender's type for it.
    pub(crate) mime: Option<String>,
    /// Of its content, in hex.
    pub(crate) sha256: String,
    /// `<folder>/file_<n>.<extension>` once `getFile` opens it.
    path: Arc<str>,
    content: Arc<Content>,
}

/// What is to be stored.
#[derive(Debug, Clone)]
pub(crate) struct NewFile {
    pub(crate) kind: FileKind,
    pub(crate) bytes: Bytes,
    pub(crate) name: Option<String>,
    pub(crate) mime: Option<String>,
}

/// All files of one Telegram. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Files(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    random: Random,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By bot and `file_id`.
    by_id: HashMap<(i64, String), StoredFile>,
    /// By bot and path: the file's id, and until when the path is open.
    open: HashMap<(i64, Arc<str>), (String, i64)>,
    numbers: HashMap<i64, u64>,
    /// Bytes held in memory.
    resident: usize,
}

#[derive(Debug)]
enum Content {
    Memory(Bytes),
    Disk(Mutex<File>),
}

/// A content could not be written to or read from its temporary file.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the temporary file of a stored file")]
pub(crate) struct StorageError(#[from] std::io::Error);

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        tracing::error!(error = %error.0, "a stored file cannot be used");
        Self::new(500, "Internal Server Error")
    }
}

impl Files {
    pub(crate) fn new(random: Random) -> Self {
        Self(Arc::new(Shared { random, state: Mutex::default() }))
    }

    /// Stores a content for a bot.
    pub(crate) fn store(&self, bot: i64, file: NewFile) -> Result<StoredFile, StorageError> {
        let size = u64::try_from(file.bytes.len()).unwrap_or(u64::MAX);
        let sha256 = hex(&Sha256::digest(&file.bytes));
        let content = Arc::new(self.keep(&file.bytes)?);
        let unique = format!("AQAD{}", self.0.random.word(12));
        let stored = StoredFile {
            file_id: String::new(),
            file_unique_id: unique,
            size,
            kind: file.kind,
            name: file.name,
            mime: file.mime,
            sha256,
            path: "".into(),
            content,
        };
        Ok(self.register(bot, stored))
    }

    /// Makes a file known to another bot (a forward into a group, a client's message that two bots see), under
    /// a `file_id` of that bot.
    pub(crate) fn share(&self, file: &StoredFile, with_bot: i64) -> StoredFile {
        self.register(with_bot, file.clone())
    }

    /// The file a bot's `file_id` names.
    pub(crate) fn by_id(&self, bot: i64, file_id: &str) -> Option<StoredFile> {
        self.lock().by_id.get(&(bot, file_id.to_owned())).cloned()
    }

    /// `getFile`: opens the file's path for an hour and gives it.
    pub(crate) fn open(&self, file: &StoredFile, bot: i64, now_ms: i64) -> Arc<str> {
        let path = Arc::clone(&file.path);
        let entry = (file.file_id.clone(), now_ms.saturating_add(PATH_LIFE_MS));
        self.lock().open.insert((bot, Arc::clone(&path)), entry);
        path
    }

    /// The file behind a path that is open now.
    pub(crate) fn by_path(&self, bot: i64, path: &str, now_ms: i64) -> Option<StoredFile> {
        let state = self.lock();
        let (file_id, until) = state.open.get(&(bot, path.into()))?;
        if *until <= now_ms {
            return None;
        }
        state.by_id.get(&(bot, file_id.clone())).cloned()
    }

    fn keep(&self, bytes: &Bytes) -> Result<Content, StorageError> {
        let mut state = self.lock();
        if bytes.len() <= MAX_IN_MEMORY && state.resident + bytes.len() <= MEMORY_BUDGET {
            state.resident += bytes.len();
            // The request's buffer may be larger than the part: keep only the part.
            return Ok(Content::Memory(Bytes::copy_from_slice(bytes)));
        }
        drop(state);
        let mut file = tempfile::tempfile()?;
        file.write_all(bytes)?;
        Ok(Content::Disk(Mutex::new(file)))
    }

    fn register(&self, bot: i64, file: StoredFile) -> StoredFile {
        let file_id = format!("{}{}", file.kind.prefix(), self.0.random.word(60));
        let mut state = self.lock();
        let number = state.numbers.entry(bot).or_insert(0);
        let extension = file.name.as_deref().and_then(extension).unwrap_or(file.kind.extension());
        let path = format!("{}/file_{number}.{extension}", file.kind.folder());
        *number += 1;
        let file = StoredFile { file_id, path: path.into(), ..file };
        state.by_id.insert((bot, file.file_id.clone()), file.clone());
        file
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StoredFile {
    /// The whole content.
    pub(crate) fn read(&self) -> Result<Bytes, StorageError> {
        match &*self.content {
            Content::Memory(bytes) => Ok(bytes.clone()),
            Content::Disk(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let mut bytes = Vec::new();
                file.seek(SeekFrom::Start(0))?;
                file.read_to_end(&mut bytes)?;
                Ok(bytes.into())
            }
        }
    }
}

/// Refuses an upload that is larger than Telegram takes: 50 MB, a photo 10 MB.
pub(crate) fn check_size(kind: FileKind, size: u64) -> Result<(), ApiError> {
    if kind == FileKind::Photo && size > MAX_PHOTO_BYTES {
        return Err(ApiError::bad_request(format!(
            "file of size {size} bytes is too big for a photo; the maximum size is {MAX_PHOTO_BYTES} bytes"
        )));
    }
    if size > MAX_UPLOAD_BYTES {
        return Err(ApiError::new(413, "Request Entity Too Large"));
    }
    Ok(())
}

/// A short plain extension of a name.
fn extension(name: &str) -> Option<&str> {
    let (_, extension) = name.rsplit_once('.')?;
    let plain = (1..=8).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then_some(extension)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(size: usize) -> NewFile {
        NewFile {
            kind: FileKind::Document,
            bytes: vec![7; size].into(),
            name: Some("price.PDF".to_owned()),
            mime: None,
        }
    }

    #[test]
    fn a_file_id_belongs_to_one_bot_and_the_unique_id_to_all() {
        let files = Files::new(Random::seeded(1));
        let mine = files.store(1, file(10)).unwrap();
        assert!(files.by_id(2, &mine.file_id).is_none());
        let theirs = files.share(&mine, 2);
        assert_ne!(mine.file_id, theirs.file_id);
        assert_eq!(mine.file_unique_id, theirs.file_unique_id);
        assert_eq!(files.by_id(2, &theirs.file_id).unwrap().read().unwrap(), [7; 10].as_slice());
    }

    #[test]
    fn a_path_is_open_for_an_hour_after_each_get_file() {
        let files = Files::new(Random::seeded(1));
        let stored = files.store(1, file(10)).unwrap();
        assert!(files.by_path(1, "documents/file_0.PDF", 0).is_none(), "not before getFile");
        assert_eq!(&*files.open(&stored, 1, 0), "documents/file_0.PDF");
        assert!(files.by_path(1, "documents/file_0.PDF", PATH_LIFE_MS - 1).is_some());
        assert!(files.by_path(1, "documents/file_0.PDF", PATH_LIFE_MS).is_none());
        files.open(&stored, 1, PATH_LIFE_MS);
        assert!(files.by_path(1, "documents/file_0.PDF", PATH_LIFE_MS).is_some());
    }

    #[test]
    fn large_contents_lie_on_disk_and_read_back_whole() {
        let files = Files::new(Random::seeded(1));
        let stored = files.store(1, file(MAX_IN_MEMORY + 1)).unwrap();
        assert!(matches!(&*stored.content, Content::Disk(_)));
        assert_eq!(stored.read().unwrap().len(), MAX_IN_MEMORY + 1);
        assert_eq!(stored.read().unwrap().len(), MAX_IN_MEMORY + 1, "a second time too");
    }
}
