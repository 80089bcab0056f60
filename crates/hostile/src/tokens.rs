//! Tokens, and texts that may hold one: none is left in what goes to logs.

use tandem_telegram::{
    token::{Token, redact},
    webhook::SecretToken,
};

pub(crate) fn hold(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(token) = Token::parse(&text) {
        assert_eq!(token.expose(), text);
        assert!(token.bot().get() > 0 && text.len() <= Token::MAX_LENGTH);
        assert_eq!(Token::parse(&text), Ok(token.clone()));
        let secret = text.split_once(':').map_or("", |(_, secret)| secret);
        assert!(!format!("{token:?}").contains(secret));
        for place in ["/bot{}/getMe", "{}", "x{}", "https://h/file/bot{}/a", "%2Fbot{}%2F", "\n{}\n"] {
            let shown = redact(&place.replace("{}", &text)).into_owned();
            assert!(!shown.contains(secret), "{shown}");
            let encoded = place.replace("{}", &text.replacen(':', "%3A", 1));
            assert!(!redact(&encoded).contains(secret), "{encoded}");
        }
    }
    let shown = redact(&text);
    assert!(!holds_token(shown.as_bytes()), "{shown}");
    assert_eq!(redact(&shown), shown, "once more changes nothing");
    if !holds_token(data) {
        assert_eq!(shown, text, "what holds none stays as it is");
    }
    if let Ok(secret) = SecretToken::parse(&text) {
        assert!(!text.is_empty() && text.len() <= 256);
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'));
        assert_eq!(secret.expose(), text);
    }
}

/// Digits, a colon, encoded or not, and 24 characters of a secret, looked for without the cleverness of the product.
fn holds_token(text: &[u8]) -> bool {
    (1..text.len()).any(|at| {
        let rest = &text[at..];
        let ([b':', secret @ ..] | [b'%', b'3', b'a' | b'A', secret @ ..]) = rest else { return false };
        let long =
            secret.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)).count();
        text[at - 1].is_ascii_digit() && long >= 24
    })
}
