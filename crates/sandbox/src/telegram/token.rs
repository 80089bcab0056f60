//! The shape of a bot token (reference/telegram.md 1.1).

/// What can be wrong with a token's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadToken {
    /// Not `<id>:<secret>` at all.
    Malformed,
    /// The secret can be no secret of Telegram's.
    BadSecret,
}

const MAX_LENGTH: usize = 80;
const MIN_SECRET: usize = 24;

/// The bot's id out of a token of the right shape, checked in the official server's order.
pub(crate) fn bot_id(token: &str) -> Result<i64, BadToken> {
    if token.starts_with('0') || token.len() > MAX_LENGTH || token.contains('/') {
        return Err(BadToken::Malformed);
    }
    let (id, secret) = token.split_once(':').ok_or(BadToken::Malformed)?;
    let plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let id = id.parse::<i64>().ok().filter(|id| plain && (1..1 << 54).contains(id));
    let id = id.ok_or(BadToken::Malformed)?;
    if secret.len() < MIN_SECRET || !is_base64url(secret) {
        return Err(BadToken::BadSecret);
    }
    Ok(id)
}

/// Valid base64url without padding: the alphabet, and a length that a whole number of bytes can have.
fn is_base64url(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    plain && text.len() % 4 != 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_checked_as_the_official_server_does() {
        let secret = "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0";
        assert_eq!(bot_id(&format!("123456:{secret}")), Ok(123_456));
        let over = format!("{}:{secret}", 1_i64 << 54);
        let long = format!("1:{}", "A".repeat(80));
        for malformed in ["", "0123:x", "123456", ":x", "-5:x", "+5:x", "a1:x", over.as_str(), long.as_str()]
        {
            assert_eq!(bot_id(malformed), Err(BadToken::Malformed), "{malformed}");
        }
        for bad in ["1:short", "1:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsa+/"] {
            let expected = if bad.contains('/') { BadToken::Malformed } else { BadToken::BadSecret };
            assert_eq!(bot_id(bad), Err(expected), "{bad}");
        }
    }
}
