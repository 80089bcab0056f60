//! OAuth as integrations meet it (reference 6): codes for 20 minutes, access for a day, refresh tokens that are
//! good once, long-lived tokens, and the words amoCRM has for every mistake.

mod http;
mod jwt;
mod tokens;

pub(crate) use self::http::{Extra, authorise_page, decide, host_of, misbehave, serve};
pub(crate) use self::jwt::hmac_sha256;
pub(crate) use self::tokens::{Hint, Tokens};
