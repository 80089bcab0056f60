//! What an address of a file says, sealed.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tandem_journal::Sealer;
use tandem_model::{BotId, Rng, Timestamp, message::FileRef};

/// Where all of them begin.
pub(super) const PREFIX: &str = "/media/";
/// What keeps them apart from whatever else is sealed and given out.
const PURPOSE: &str = "media";
/// The first byte: how the rest is written.
const FORMAT: u8 = 1;
/// Longest sealed part of an address; one of ours has some 300 letters.
const MOST_LETTERS: usize = 1500;
/// What stands for itself in the last piece of a path.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A file that somebody was given the address of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Linked {
    /// By which bot it can be fetched.
    pub(super) bot: BotId,
    /// Which.
    pub(super) file: FileRef,
    /// Under which name.
    pub(super) name: String,
    /// As what.
    pub(super) mime: Option<String>,
    /// From when on the address is good for nothing.
    pub(super) until: Timestamp,
}

impl Linked {
    /// The path of the address. `None` for what does not fit, which nothing of Telegram's does.
    pub(super) fn path(&self, sealer: &Sealer, rng: &dyn Rng) -> Option<String> {
        let mut clear = vec![FORMAT];
        clear.extend_from_slice(&self.bot.get().to_be_bytes());
        clear.extend_from_slice(&self.until.as_millis().to_be_bytes());
        for text in [self.mime.as_deref().unwrap_or(""), &self.file.unique_id, &self.file.id] {
            clear.push(u8::try_from(text.len()).ok()?);
            clear.extend_from_slice(text.as_bytes());
        }
        let signed = sealer.seal_for_return(PURPOSE, &self.name, &clear, rng);
        let (signed, name) = (BASE64_URL_SAFE_NO_PAD.encode(signed), utf8_percent_encode(&self.name, NAME));
        Some(format!("{PREFIX}{signed}/{name}"))
    }

    /// What a path says, if it is one of ours and still good.
    pub(super) fn read(path: &str, sealer: &Sealer, now: Timestamp) -> Option<Self> {
        let (signed, name) = path.strip_prefix(PREFIX)?.split_once('/')?;
        if signed.len() > MOST_LETTERS {
            return None;
        }
        let name = percent_decode_str(name).decode_utf8().ok()?.into_owned();
        let signed = BASE64_URL_SAFE_NO_PAD.decode(signed).ok()?;
        let clear = sealer.unseal_returned(PURPOSE, &name, &signed).ok()?;
        let mut clear = Reader(&clear);
        let [FORMAT] = clear.take()? else { return None };
        let bot = BotId::new(i64::from_be_bytes(clear.take()?)).ok()?;
        let until = Timestamp::from_millis(i64::from_be_bytes(clear.take()?));
        let (mime, unique_id, id) = (clear.text()?, clear.text()?, clear.text()?);
        let mime = Some(mime).filter(|mime| !mime.is_empty());
        (now < until).then_some(Self { bot, file: FileRef { id, unique_id }, name, mime, until })
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn text(&mut self) -> Option<String> {
        let [length] = self.take()?;
        let (text, rest) = self.0.split_at_checked(length.into())?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use tandem_model::SeededRng;

    use super::*;

    fn sealer(seed: u64) -> Sealer {
        let folder = tandem_testkit::folder();
        Sealer::open(&folder.path().join("key"), &SeededRng::from_seed(seed)).unwrap()
    }

    fn linked(name: &str) -> Linked {
        let id = "AgACAgIAAxkBAAIBY2Zx0y1AAbCdEfGhIjKlMnOpQrStUvWxYz0123456789AAAC_9gxG2hk".to_owned();
        Linked {
            bot: BotId::new(777).unwrap(),
            file: FileRef { id, unique_id: "AQADy9gxG2hk".to_owned() },
            name: name.to_owned(),
            mime: Some("image/jpeg".to_owned()),
            until: Timestamp::from_secs(100),
        }
    }

    fn read(path: &str, sealer: &Sealer) -> Option<Linked> {
        Linked::read(path, sealer, Timestamp::from_secs(99))
    }

    #[test]
    fn an_address_says_what_it_was_made_of_until_its_moment() {
        let sealer = sealer(1);
        for name in ["photo.jpg", "прайс (1) 100%.pdf", "a?b#c&d.txt", "."] {
            let linked = linked(name);
            let path = linked.path(&sealer, &SeededRng::from_seed(2)).unwrap();
            assert!(path.len() < 420, "{path}");
            assert_eq!(read(&path, &sealer), Some(linked.clone()));
            assert_eq!(Linked::read(&path, &sealer, linked.until), None);
        }
        let bare = Linked { mime: None, ..linked("x") };
        let path = bare.path(&sealer, &SeededRng::from_seed(2)).unwrap();
        assert_eq!(read(&path, &sealer), Some(bare));
    }

    #[test]
    fn it_shows_neither_the_file_nor_the_bot() {
        let sealer = sealer(1);
        let linked = linked("photo.jpg");
        let path = linked.path(&sealer, &SeededRng::from_seed(2)).unwrap();
        let signed = path.strip_prefix(PREFIX).unwrap().split_once('/').unwrap().0;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(signed).unwrap();
        for hidden in [linked.file.id.as_bytes(), linked.file.unique_id.as_bytes(), &777_i64.to_be_bytes()] {
            assert!(!tandem_testkit::contains(&bytes, hidden));
        }
    }

    #[test]
    fn one_that_was_changed_anywhere_or_made_elsewhere_says_nothing() {
        let sealer = sealer(1);
        let path = linked("photo.jpg").path(&sealer, &SeededRng::from_seed(2)).unwrap();
        for at in 0..path.len() {
            for letter in *b"AZaz09-_./%" {
                let mut changed = path.clone().into_bytes();
                if changed[at] == letter {
                    continue;
                }
                changed[at] = letter;
                let changed = String::from_utf8(changed).unwrap();
                assert_eq!(read(&changed, &sealer), None, "{changed}");
            }
            assert_eq!(read(&path[..at], &sealer), None);
        }
        assert_eq!(read(&format!("{path}x"), &sealer), None);
        assert_eq!(read(&path, &self::sealer(9)), None);
        assert_eq!(read(&format!("/media/{}/x", "A".repeat(100_000)), &sealer), None);
        assert_eq!(read("/media//", &sealer), None);
    }

    #[test]
    fn what_does_not_fit_has_no_address() {
        let mut linked = linked("photo.jpg");
        linked.file.id = "x".repeat(256);
        assert_eq!(linked.path(&sealer(1), &SeededRng::from_seed(2)), None);
    }
}
