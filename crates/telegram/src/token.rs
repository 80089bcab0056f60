//! Bot tokens: Telegram's own and those that apps get from us.
//!
//! A token never shows itself: `Debug` names the bot only, there is no `Display` and no `Serialize`. Comparing takes
//! the same time wherever two tokens differ. Ours are stored as a hash and shown once.

use std::{borrow::Cow, fmt};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tandem_model::{BotId, Rng};

/// A well-formed token, `<bot id>:<secret>`.
#[derive(Clone)]
pub struct Token {
    bot: BotId,
    text: SecretString,
}

/// Why a text is no token. The texts of the answers are in [`crate::envelope`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No bot id before a colon, or out of bounds. The bare server says `Unauthorized: invalid token specified`,
    /// the cloud 404.
    #[error("the token is malformed")]
    Malformed,
    /// A secret that no server ever gave out. Servers say plain `Unauthorized`.
    #[error("the secret part of the token is malformed")]
    BadSecret,
}

impl Token {
    /// Longest token that any server takes.
    pub const MAX_LENGTH: usize = 80;
    /// Length of the secret part in tokens that client libraries take.
    pub const SECRET_LENGTH: usize = 35;
    /// What the secret part of an app's token begins with, so that scanners for leaked secrets can look for it.
    pub const APP_PREFIX: &'static str = "tandem_";

    const MIN_SECRET_LENGTH: usize = 24;

    /// Checks a text in the order of reference/telegram.md 1.1.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        if text.starts_with('0') || text.len() > Self::MAX_LENGTH || text.contains('/') {
            return Err(TokenError::Malformed);
        }
        let (id, secret) = text.split_once(':').ok_or(TokenError::Malformed)?;
        if !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(TokenError::Malformed);
        }
        let bot = id.parse().ok().and_then(|id| BotId::new(id).ok()).ok_or(TokenError::Malformed)?;
        if secret.len() < Self::MIN_SECRET_LENGTH
            || secret.len() % 4 == 1
            || !secret.bytes().all(|byte| ALPHABET.contains(&byte))
        {
            return Err(TokenError::BadSecret);
        }
        Ok(Self { bot, text: text.into() })
    }

    /// A new token for an app of this bot: [`Token::APP_PREFIX`] and 166 random bits, valid base64url like
    /// Telegram's own.
    pub fn generate(bot: BotId, rng: &dyn Rng) -> Self {
        let mut random = [0; Self::SECRET_LENGTH - Self::APP_PREFIX.len()];
        rng.fill(&mut random);
        // 35 characters hold 26 bytes and two bits, which base64 wants to be zero.
        if let Some(last) = random.last_mut() {
            *last &= !0b11;
        }
        let mut text = format!("{bot}:{}", Self::APP_PREFIX);
        text.extend(random.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 0b11_1111)])));
        Self { bot, text: text.into() }
    }

    /// The bot.
    pub const fn bot(&self) -> BotId {
        self.bot
    }

    /// The token itself: for addresses of requests, for showing an app's token the one time, for sealing.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    /// Whether it is one of ours.
    pub fn is_app(&self) -> bool {
        self.expose().split_once(':').is_some_and(|(_, secret)| secret.starts_with(Self::APP_PREFIX))
    }

    /// What an app's token is stored as and found by. A plain hash is enough for 166 random bits.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.expose()).into())
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.hash() == other.hash()
    }
}

impl Eq for Token {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}:..)", self.bot)
    }
}

/// The SHA-256 of a token. Comparing two takes constant time.
#[derive(Clone, Copy)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// From storage.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For storage.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The text without anything that looks like a token: digits, a colon (also percent-encoded), and a secret of 24 or
/// more characters. For excerpts of foreign answers and error texts, which may repeat an address.
pub fn redact(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut copied = 0;
    let mut pos = 0;
    while let Some(found) = memchr::memchr2(b':', b'%', &bytes[pos..]) {
        let colon = pos + found;
        let colon_end = match &bytes[colon..] {
            [b':', ..] => colon + 1,
            [b'%', b'3', b'a' | b'A', ..] => colon + 3,
            _ => {
                pos = colon + 1;
                continue;
            }
        };
        let digits = bytes[copied..colon].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let secret = bytes[colon_end..].iter().take_while(|byte| ALPHABET.contains(byte)).count();
        pos = colon_end;
        if digits > 0 && secret >= Token::MIN_SECRET_LENGTH {
            out.push_str(&text[copied..colon_end]);
            out.push_str("..");
            copied = colon_end + secret;
            pos = copied;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use tandem_model::SeededRng;

    use super::*;

    const REAL: &str = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0";

    #[test]
    fn tokens_are_checked_in_telegrams_order() {
        use TokenError::{BadSecret, Malformed};
        assert_eq!(Token::parse(REAL).unwrap().bot(), BotId::new(123_456_789).unwrap());
        let long = format!("1:{}", "A".repeat(80));
        let large = format!("18014398509481984:{}", "A".repeat(35));
        for (text, error) in [
            ("", Malformed),
            ("0123:AAAAAAAAAAAAAAAAAAAAAAAAAAAA", Malformed),
            (long.as_str(), Malformed),
            (large.as_str(), Malformed),
            ("12/3:AAAAAAAAAAAAAAAAAAAAAAAAAAAA", Malformed),
            ("123AAAAAAAAAAAAAAAAAAAAAAAAAAAA", Malformed),
            ("abc:AAAAAAAAAAAAAAAAAAAAAAAAAAAA", Malformed),
            ("-5:AAAAAAAAAAAAAAAAAAAAAAAAAAAA", Malformed),
            ("+5:AAAAAAAAAAAAAAAAAAAAAAAAAAAA", Malformed),
            (":AAAAAAAAAAAAAAAAAAAAAAAAAAAA", Malformed),
            ("123:AAAA", BadSecret),
            ("123:AAAAAAAAAAAAAAAAAAAAAAAAAAAA:", BadSecret),
            ("123:AAAAAAAAAAAAAAAAAAAAAAAAA", BadSecret),
            ("123:AAAAAAAAAAAAAAAAAAAAAAA AAAA", BadSecret),
            ("123:AAAAAAAAAAAAAAAAAAAAAAAAAAA\u{e9}", BadSecret),
        ] {
            assert_eq!(Token::parse(text).unwrap_err(), error, "{text:?}");
        }
    }

    #[test]
    fn an_apps_token_is_one_that_libraries_and_servers_take() {
        let rng = SeededRng::from_seed(1);
        let bot = BotId::new(42).unwrap();
        for _ in 0..200 {
            let token = Token::generate(bot, &rng);
            let secret = token.expose().strip_prefix("42:").unwrap();
            assert_eq!(secret.len(), 35);
            assert!(secret.starts_with("tandem_"));
            assert!(URL_SAFE_NO_PAD.decode(secret).is_ok(), "{secret}");
            assert_eq!(Token::parse(token.expose()).unwrap(), token);
            assert!(token.is_app());
        }
        assert_ne!(Token::generate(bot, &rng), Token::generate(bot, &rng));
        assert!(!Token::parse(REAL).unwrap().is_app());
    }

    #[test]
    fn a_token_is_known_by_its_hash_and_shows_nothing() {
        let token = Token::parse(REAL).unwrap();
        let hash = TokenHash::from_bytes(*token.hash().as_bytes());
        assert_eq!(token.hash(), hash);
        let shown = format!("{token:?} {hash:?} {:?}", Token::parse("1:short"));
        assert!(!shown.contains("AAHd") && !shown.contains("short"), "{shown}");
    }

    #[test]
    fn redaction_finds_tokens_in_addresses_and_leaves_the_rest() {
        let text = format!(
            "no https://x/bot{REAL}/getMe and %2Fbot123456789%3AAAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0/x"
        );
        assert_eq!(redact(&text), "no https://x/bot123456789:../getMe and %2Fbot123456789%3A../x");
        for plain in ["", "a:b", "12:30", "100% sure: yes", "é%3Aé", "1:AAAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(redact(plain), plain);
            assert!(matches!(redact(plain), Cow::Borrowed(_)));
        }
    }
}
