//! Sealing secrets: XChaCha20-Poly1305 with a key from a file, the key's id in each record, the owner bound in.
//!
//! Promises that a sealed secret can be opened only with its key and only as its owner's. Does not guard against
//! somebody who can read the key file and the database.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use tandem_model::Rng;

use crate::{SealError, SecretOwner};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 1 + 4 + NONCE_BYTES;

/// Which key sealed a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(u32);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// A sealed secret, as the store keeps it: format, key id, nonce, ciphertext with its tag.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(Vec<u8>);

impl SealedSecret {
    /// As it was stored.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// For storage.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedSecret({} bytes)", self.0.len())
    }
}

struct Key {
    id: KeyId,
    bytes: SecretBox<[u8; KEY_BYTES]>,
}

/// Seals with the newest key, opens with any.
pub struct Sealer {
    /// Never empty; the last one seals.
    keys: Vec<Key>,
}

impl Sealer {
    /// Reads the key file, or makes one (mode 0600) when there is none.
    ///
    /// The file has one key a line, `<id> <key>` in hexadecimal; the last line seals, the others still open. To
    /// change the key, add a line.
    pub fn open(path: &Path, rng: &dyn Rng) -> Result<Self, SealError> {
        let failed = |source| SealError::KeyFile { path: path.display().to_string(), source };
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&SecretString::from(text))
                .map_err(|problem| SealError::BadKeyFile { path: path.display().to_string(), problem }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let line = new_key_line(rng);
                write_new_file(path, line.expose_secret()).map_err(failed)?;
                Self::parse(&line)
                    .map_err(|problem| SealError::BadKeyFile { path: path.display().to_string(), problem })
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn parse(text: &SecretString) -> Result<Self, &'static str> {
        let mut keys = Vec::new();
        for line in text.expose_secret().lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (id, key) = line.split_once(' ').ok_or("a line is not `<id> <key>`")?;
            let id = KeyId(u32::from_str_radix(id, 16).map_err(|_error| "an id is not hexadecimal")?);
            if keys.iter().any(|key: &Key| key.id == id) {
                return Err("an id stands there twice");
            }
            let mut bytes = [0; KEY_BYTES];
            decode_hex(key, &mut bytes).ok_or("a key is not 64 hexadecimal digits")?;
            keys.push(Key { id, bytes: SecretBox::new(Box::new(bytes)) });
        }
        if keys.is_empty() { Err("there is no key in it") } else { Ok(Self { keys }) }
    }

    /// Seals a secret of this owner and name.
    pub fn seal(
        &self,
        owner: &SecretOwner,
        name: &str,
        secret: &SecretString,
        rng: &dyn Rng,
    ) -> SealedSecret {
        SealedSecret(self.seal_bytes(&owner.to_string(), name, secret.expose_secret().as_bytes(), rng))
    }

    /// Opens a secret of this owner and name.
    pub fn unseal(
        &self,
        owner: &SecretOwner,
        name: &str,
        sealed: &SealedSecret,
    ) -> Result<SecretString, SealError> {
        let clear = self.unseal_bytes(&owner.to_string(), name, &sealed.0)?;
        String::from_utf8(clear).map(SecretString::from).map_err(|_error| SealError::Damaged)
    }

    /// Seals what is given to strangers and believed when it comes back: an address, say. Uses are kept apart by
    /// `purpose`; `beside` travels in clear beside it and is bound to it.
    pub fn seal_for_return(&self, purpose: &str, beside: &str, clear: &[u8], rng: &dyn Rng) -> Vec<u8> {
        self.seal_bytes(&returning(purpose), beside, clear, rng)
    }

    /// Opens what came back. An error says nothing to whoever brought it: it is none of ours.
    pub fn unseal_returned(&self, purpose: &str, beside: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        self.unseal_bytes(&returning(purpose), beside, sealed)
    }

    fn seal_bytes(&self, owner: &str, name: &str, clear: &[u8], rng: &dyn Rng) -> Vec<u8> {
        let key = self.keys.last().expect("a sealer is never made without a key");
        let mut nonce = [0; NONCE_BYTES];
        rng.fill(&mut nonce);
        let mut record = Vec::with_capacity(HEADER_BYTES + clear.len() + 16);
        record.push(FORMAT);
        record.extend_from_slice(&key.id.0.to_be_bytes());
        record.extend_from_slice(&nonce);
        let aad = associated(owner, name, &record[..5]);
        let sealed = key.cipher().encrypt(&XNonce::from(nonce), Payload { msg: clear, aad: &aad });
        record.extend(sealed.expect("what is sealed is far shorter than the cipher's limit of 256 GiB"));
        record
    }

    fn unseal_bytes(&self, owner: &str, name: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (header, ciphertext) = sealed.split_at_checked(HEADER_BYTES).ok_or(SealError::Damaged)?;
        let (prefix, nonce) = header.split_at(5);
        let &[FORMAT, a, b, c, d] = prefix else { return Err(SealError::Damaged) };
        let needed = KeyId(u32::from_be_bytes([a, b, c, d]));
        let key = self.keys.iter().find(|key| key.id == needed).ok_or(SealError::UnknownKey { needed })?;
        let nonce = XNonce::try_from(nonce).map_err(|_length| SealError::Damaged)?;
        let aad = associated(owner, name, prefix);
        let opened = key.cipher().decrypt(&nonce, Payload { msg: ciphertext, aad: &aad });
        opened.map_err(|_opaque| SealError::Damaged)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| key.id)).finish()
    }
}

impl Key {
    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.bytes.expose_secret().into())
    }
}

/// Owner and name with their lengths, so that no two pairs read the same, and what stands before the nonce.
fn associated(owner: &str, name: &str, prefix: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(owner.len() + name.len() + 24);
    bytes.extend_from_slice(prefix);
    for part in [owner, name] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

/// Like no [`SecretOwner`], so that nothing stored can be brought as if it had been given out, or the other way round.
fn returning(purpose: &str) -> String {
    format!("returning/{purpose}")
}

fn new_key_line(rng: &dyn Rng) -> SecretString {
    use fmt::Write as _;
    let mut id = [0; 4];
    let mut key = [0; KEY_BYTES];
    rng.fill(&mut id);
    rng.fill(&mut key);
    let mut line = String::with_capacity(8 + 1 + 2 * KEY_BYTES + 1);
    for byte in id {
        let _ = write!(line, "{byte:02x}");
    }
    line.push(' ');
    for byte in key {
        let _ = write!(line, "{byte:02x}");
    }
    line.push('\n');
    SecretString::from(line)
}

fn write_new_file(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    // Without this a power failure could leave sealed secrets behind whose key file was never there.
    if let Some(parent) = path.parent() {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}

fn decode_hex(text: &str, into: &mut [u8; KEY_BYTES]) -> Option<()> {
    if text.len() != 2 * KEY_BYTES || !text.is_ascii() {
        return None;
    }
    for (index, byte) in into.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use tandem_model::{BotId, SeededRng};

    use super::*;

    fn owner(id: i64) -> SecretOwner {
        SecretOwner::Bot(BotId::new(id).unwrap())
    }

    fn sealer(path: &Path) -> Sealer {
        Sealer::open(path, &SeededRng::from_seed(7)).unwrap()
    }

    fn secret() -> SecretString {
        SecretString::from("110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw")
    }

    #[test]
    fn a_secret_is_opened_with_the_key_from_the_file_and_stands_nowhere_in_clear() {
        let directory = tandem_testkit::folder();
        let path = directory.path().join("tandem.key");
        let sealed = sealer(&path).seal(&owner(1), "token", &secret(), &SeededRng::from_seed(1));
        let opened = sealer(&path).unseal(&owner(1), "token", &sealed).unwrap();
        assert_eq!(opened.expose_secret(), secret().expose_secret());
        assert!(
            !sealed
                .as_bytes()
                .windows(6)
                .any(|window| secret().expose_secret().as_bytes().starts_with(window))
        );
        let again = sealer(&path).seal(&owner(1), "token", &secret(), &SeededRng::from_seed(2));
        assert_ne!(sealed, again, "another nonce");
        assert_eq!(format!("{sealed:?}"), format!("SealedSecret({} bytes)", sealed.as_bytes().len()));
        let shown = format!("{:?}", sealer(&path));
        assert!(shown.len() < 30, "only the ids of keys: {shown}");
    }

    #[cfg(unix)]
    #[test]
    fn the_key_file_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tandem_testkit::folder();
        let path = directory.path().join("tandem.key");
        sealer(&path);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_secret_of_another_owner_or_name_and_a_changed_one_are_refused() {
        let directory = tandem_testkit::folder();
        let keys = sealer(&directory.path().join("tandem.key"));
        let sealed = keys.seal(&owner(1), "token", &secret(), &SeededRng::from_seed(1));
        for (owner, name) in [(owner(2), "token"), (owner(1), "other"), (owner(1), "")] {
            assert!(matches!(keys.unseal(&owner, name, &sealed), Err(SealError::Damaged)));
        }
        for index in 0..sealed.as_bytes().len() {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[index] ^= 1;
            let changed = SealedSecret::from_bytes(bytes);
            let refused = keys.unseal(&owner(1), "token", &changed);
            let by_key = (1..5).contains(&index);
            match refused {
                Err(SealError::UnknownKey { .. }) => assert!(by_key, "byte {index}"),
                Err(SealError::Damaged) => assert!(!by_key, "byte {index}"),
                other => panic!("byte {index}: {other:?}"),
            }
        }
        for length in 0..sealed.as_bytes().len() {
            let short = SealedSecret::from_bytes(sealed.as_bytes()[..length].to_vec());
            assert!(keys.unseal(&owner(1), "token", &short).is_err());
        }
    }

    #[test]
    fn what_is_given_out_is_believed_only_for_its_purpose_and_with_what_stood_beside_it() {
        let directory = tandem_testkit::folder();
        let keys = sealer(&directory.path().join("tandem.key"));
        let given = keys.seal_for_return("media", "photo.jpg", b"file 1", &SeededRng::from_seed(1));
        assert_eq!(keys.unseal_returned("media", "photo.jpg", &given).unwrap(), b"file 1");
        for (purpose, beside) in [("media", "photo.png"), ("media", ""), ("other", "photo.jpg")] {
            assert!(matches!(keys.unseal_returned(purpose, beside, &given), Err(SealError::Damaged)));
        }
        for index in 0..given.len() {
            let mut changed = given.clone();
            changed[index] ^= 1;
            assert!(keys.unseal_returned("media", "photo.jpg", &changed).is_err(), "byte {index}");
            assert!(keys.unseal_returned("media", "photo.jpg", &given[..index]).is_err());
        }
        let stored = keys.seal(&owner(1), "media", &secret(), &SeededRng::from_seed(1));
        assert!(keys.unseal_returned("media", "", stored.as_bytes()).is_err());
        assert!(keys.unseal_returned("bot/1", "media", stored.as_bytes()).is_err());
    }

    #[test]
    fn a_line_added_to_the_key_file_seals_and_the_older_ones_still_open() {
        let directory = tandem_testkit::folder();
        let path = directory.path().join("tandem.key");
        let before = sealer(&path).seal(&owner(1), "token", &secret(), &SeededRng::from_seed(1));
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("# changed in November\n0000abcd ");
        text.push_str(&"5a".repeat(KEY_BYTES));
        fs::write(&path, text).unwrap();
        let keys = sealer(&path);
        assert!(keys.unseal(&owner(1), "token", &before).is_ok());
        let after = keys.seal(&owner(1), "token", &secret(), &SeededRng::from_seed(1));
        assert_eq!(after.as_bytes()[1..5], 0x0000_abcd_u32.to_be_bytes());
    }

    #[test]
    fn a_key_file_with_something_else_in_it_is_refused_without_showing_it() {
        let directory = tandem_testkit::folder();
        let path = directory.path().join("tandem.key");
        let key = "5a".repeat(KEY_BYTES);
        for text in [
            String::new(),
            "# nothing".to_owned(),
            "hunter2".to_owned(),
            format!("xyz {key}"),
            format!("1 {}", &key[1..]),
            format!("1 {}\u{e9}", &key[2..]),
            format!("1 {key}\n1 {key}"),
        ] {
            fs::write(&path, &text).unwrap();
            let error = Sealer::open(&path, &SeededRng::from_seed(7)).unwrap_err();
            assert!(matches!(error, SealError::BadKeyFile { .. }), "{error:?}");
            assert!(!error.to_string().contains("hunter2") && !error.to_string().contains(&key[..8]));
        }
        let missing = Sealer::open(&directory.path().join("no/such/key"), &SeededRng::from_seed(7));
        assert!(matches!(missing, Err(SealError::KeyFile { .. })));
    }
}
