//! Codes and tokens on record, and the rules of their lives (reference 6.2, 6.3).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::jwt;
use crate::amocrm::account::Account;
use crate::amocrm::ids::hex;
use crate::amocrm::integrations::Integration;
use crate::clock::millis;

const CODE_LIFE: Duration = Duration::from_mins(20);
/// `expires_in` of an access token.
pub(crate) const ACCESS_LIFE: Duration = Duration::from_hours(24);
/// Three months.
const REFRESH_LIFE: Duration = Duration::from_hours(24 * 92);

/// Who an access token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) client_id: String,
    pub(crate) user_id: u64,
    expires_at_ms: Option<i64>,
}

/// Something that is good once.
#[derive(Debug, Clone)]
struct Once {
    client_id: String,
    user_id: u64,
    expires_at_ms: i64,
    used: bool,
}

/// What the token endpoint gives.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// Why it gives nothing; the texts are the `hint` of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Hint {
    #[error("Authorization code has expired")]
    CodeExpired,
    #[error("Authorization code has been revoked")]
    CodeUsed,
    #[error("Cannot decrypt the authorization code")]
    CodeUnknown,
    #[error("Token has been revoked")]
    Revoked,
    #[error("Check the `client_id` parameter")]
    ClientId,
    #[error("Check the `client_secret` parameter")]
    ClientSecret,
    #[error("Redirect URI is not associated with client")]
    RedirectUri,
    #[error("Check the `grant_type` parameter")]
    GrantType,
}

/// All that was given out.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    codes: BTreeMap<String, Once>,
    access: BTreeMap<String, Access>,
    refresh: BTreeMap<String, Once>,
}

impl Tokens {
    /// A code for an integration, granted by a user.
    pub(crate) fn add_code(
        &mut self,
        account: &Account,
        client_id: &str,
        user_id: u64,
        now_ms: i64,
    ) -> String {
        let code = format!("def502{}", hex(&account.random().bytes::<64>()));
        let expires_at_ms = now_ms.saturating_add(millis(CODE_LIFE));
        let once = Once { client_id: client_id.to_owned(), user_id, expires_at_ms, used: false };
        self.codes.insert(code.clone(), once);
        code
    }

    /// Takes a code, once.
    pub(crate) fn exchange_code(
        &mut self,
        account: &Account,
        integration: &Integration,
        code: &str,
        now_ms: i64,
    ) -> Result<Pair, Hint> {
        let of_client = self.codes.get_mut(code).filter(|once| once.client_id == integration.client_id);
        let once = of_client.ok_or(Hint::CodeUnknown)?;
        if once.used {
            return Err(Hint::CodeUsed);
        }
        if now_ms >= once.expires_at_ms {
            return Err(Hint::CodeExpired);
        }
        once.used = true;
        let user_id = once.user_id;
        Ok(self.add_pair(account, integration, user_id, now_ms))
    }

    /// Takes a refresh token, once; the access token that came with it lives on.
    pub(crate) fn exchange_refresh(
        &mut self,
        account: &Account,
        integration: &Integration,
        refresh: &str,
        now_ms: i64,
    ) -> Result<Pair, Hint> {
        let once = self.refresh.get_mut(refresh).filter(|once| once.client_id == integration.client_id);
        let once = once.filter(|once| !once.used && now_ms < once.expires_at_ms).ok_or(Hint::Revoked)?;
        once.used = true;
        let user_id = once.user_id;
        Ok(self.add_pair(account, integration, user_id, now_ms))
    }

    fn add_pair(&mut self, account: &Account, integration: &Integration, user_id: u64, now_ms: i64) -> Pair {
        let access = self.add_access(account, integration, user_id, ACCESS_LIFE, now_ms);
        let refresh = format!("def502{}", hex(&account.random().bytes::<96>()));
        let expires_at_ms = now_ms.saturating_add(millis(REFRESH_LIFE));
        let client_id = integration.client_id.clone();
        self.refresh.insert(refresh.clone(), Once { client_id, user_id, expires_at_ms, used: false });
        Pair { access, refresh }
    }

    fn add_access(
        &mut self,
        account: &Account,
        integration: &Integration,
        user_id: u64,
        life: Duration,
        now_ms: i64,
    ) -> String {
        let expires_at_ms = now_ms.saturating_add(millis(life));
        let claims = json!({
            "aud": integration.client_id,
            "jti": hex(&account.random().bytes::<40>()),
            "iat": now_ms / 1000,
            "nbf": now_ms / 1000,
            "exp": expires_at_ms / 1000,
            "sub": user_id.to_string(),
            "grant_type": "",
            "account_id": account.id,
            "base_domain": "amocrm.ru",
            "version": 2,
            "scopes": ["push_notifications", "files", "crm", "files_delete", "notifications"],
            "api_domain": "api-b.amocrm.ru",
        });
        let token = jwt::encode(&claims, &integration.client_secret);
        let access =
            Access { client_id: integration.client_id.clone(), user_id, expires_at_ms: Some(expires_at_ms) };
        self.access.insert(token.clone(), access);
        token
    }

    /// A token that a person copies out of the integration's dialog.
    pub(crate) fn add_long_lived(
        &mut self,
        account: &Account,
        integration: &Integration,
        user_id: u64,
        days: u32,
        now_ms: i64,
    ) -> String {
        let life = Duration::from_hours(24 * u64::from(days));
        self.add_access(account, integration, user_id, life, now_ms)
    }

    /// Puts a given token on record, for good.
    pub(crate) fn put(&mut self, token: &str, client_id: &str, user_id: u64) {
        let access = Access { client_id: client_id.to_owned(), user_id, expires_at_ms: None };
        self.access.insert(token.to_owned(), access);
    }

    /// Who a bearer token speaks for now.
    pub(crate) fn find(&self, token: &str, now_ms: i64) -> Option<&Access> {
        self.access.get(token).filter(|access| access.expires_at_ms.is_none_or(|end_ms| now_ms < end_ms))
    }

    /// Whether a refresh token is still good.
    pub(crate) fn knows_refresh(&self, token: &str, now_ms: i64) -> bool {
        self.refresh.get(token).is_some_and(|once| !once.used && now_ms < once.expires_at_ms)
    }

    /// Takes everything away from an integration.
    pub(crate) fn revoke(&mut self, client_id: &str) {
        self.access.retain(|_, access| access.client_id != client_id);
        for once in self.refresh.values_mut().filter(|once| once.client_id == client_id) {
            once.used = true;
        }
        for once in self.codes.values_mut().filter(|once| once.client_id == client_id) {
            once.used = true;
        }
    }
}
