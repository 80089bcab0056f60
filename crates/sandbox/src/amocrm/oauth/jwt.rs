//! Access tokens look like the real ones: a JWT with the claims seen there (reference 6.3). Nobody here verifies
//! them by their signature; what counts is the record.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

/// Claims as a signed token.
pub(crate) fn encode(claims: &Value, secret: &str) -> String {
    let head = json!({"typ": "JWT", "alg": "HS256"});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&head), part(claims));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac_sha256(secret, signed.as_bytes())))
}

/// HMAC-SHA256 with a text as key.
pub(crate) fn hmac_sha256(secret: &str, text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}
