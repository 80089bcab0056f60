//! The disable hook (6.5): an account has switched the integration off. The chat service has disconnected the channel
//! by then.

use http::Method;
use secrecy::SecretString;
use tandem_vendor::{Hook, HookRefusal, News};

use crate::sign;

/// The first piece of its path; the second is the integration's id.
pub(crate) const DISABLED: &str = "disabled";

/// What is known when it comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Disabling<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) client_secret: &'a SecretString,
    /// The account's number; `None` before anybody could be asked.
    pub(crate) account: Option<u64>,
}

/// Proves and reads it. For another account of the same integration it is not proved.
pub(crate) fn disabled(known: &Disabling<'_>, hook: &Hook) -> Result<Vec<News>, HookRefusal> {
    let query = hook.query.as_deref().unwrap_or("");
    let given =
        |name: &str| form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, v)| v);
    // One paragraph of the documentation calls it so, all the others the first way.
    let client = given("client_uuid").or_else(|| given("client_id")).unwrap_or_default();
    let account = given("account_id").unwrap_or_default();
    let signature = given("signature").unwrap_or_default();
    let ours = client == known.client_id
        && known.account.is_none_or(|number| account == number.to_string().as_str())
        && sign::proves_disabling(known.client_secret, &client, &account, signature.as_bytes());
    if hook.method == Method::GET && ours { Ok(vec![News::Disabled]) } else { Err(HookRefusal::Unproven) }
}
