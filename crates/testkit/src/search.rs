//! Looks for a secret among bytes.

/// Whether the secret stands in the bytes.
pub fn contains(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret)
}

/// The text before a secret that was found, for whoever has to find out how it came there. Without the secret.
pub fn around(bytes: &[u8], secret: &str) -> String {
    let text = String::from_utf8_lossy(bytes);
    let Some(at) = text.find(secret) else { return String::new() };
    let begin = text[..at].char_indices().rev().nth(200).map_or(0, |(begin, _)| begin);
    text[begin..at].to_owned()
}
