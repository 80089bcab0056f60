//! A connection that can be used: addresses parsed, secrets at hand.

use jiff::tz::Offset;
use secrecy::{ExposeSecret, SecretString};
use tandem_vendor::{ConnectionSetting, OpenError};
use url::Url;

use crate::{
    document::{ConnectionDocument, secret},
    time,
};

/// Shortest secret in the address of a hook: whoever knows it is believed.
pub(crate) const HOOK_SECRET_CHARS: usize = 32;

/// All that an account is made of.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) document: ConnectionDocument,
    pub(crate) base: Base,
    pub(crate) offset: Offset,
    pub(crate) access: Access,
    pub(crate) hook_secret: Option<SecretString>,
    pub(crate) public_url: Option<String>,
}

/// By what the API is asked.
#[derive(Debug, Clone)]
pub(crate) enum Access {
    /// A token from the cabinet.
    Static(SecretString),
    /// Login and password, and what they gave before.
    Login { login: String, password: SecretString, kept: Option<SecretString> },
}

/// Where the API is: an address that ends in `/api`, whatever was written (12.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base(Url);

impl Connection {
    pub(crate) fn read(setting: &ConnectionSetting) -> Result<Self, OpenError> {
        let document: ConnectionDocument = serde_json::from_value(setting.document.clone())
            .map_err(|error| unusable("settings", error.to_string()))?;
        if document.project.is_empty() || !document.project.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(unusable("project", "expected a project's number".to_owned()));
        }
        let base = Base::parse(&document.api_base).map_err(|problem| unusable("api_base", problem))?;
        let offset = time::offset(&document.time_offset)
            .ok_or_else(|| unusable("time_offset", "expected one like +03:00".to_owned()))?;
        let access = match (setting.secret(secret::TOKEN), &document.login, setting.secret(secret::PASSWORD))
        {
            (Some(token), _, _) => Access::Static(token.clone()),
            (None, Some(login), Some(password)) => Access::Login {
                login: login.clone(),
                password: password.clone(),
                kept: setting.secret(secret::ACCESS_TOKEN).cloned(),
            },
            (None, None, _) => {
                return Err(OpenError::Missing { what: "login (with password_file), nor token_file" });
            }
            (None, Some(_), None) => return Err(OpenError::Missing { what: "password_file" }),
        };
        let hook_secret = setting.secret(secret::HOOK_SECRET).cloned();
        let is_good = |secret: &SecretString| {
            let secret = secret.expose_secret();
            secret.len() >= HOOK_SECRET_CHARS
                && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if hook_secret.as_ref().is_some_and(|secret| !is_good(secret)) {
            let problem = format!("expected at least {HOOK_SECRET_CHARS} Latin letters, digits, - and _");
            return Err(unusable("hook_secret", problem));
        }
        let public_url = setting.public_url.clone();
        Ok(Self { document, base, offset, access, hook_secret, public_url })
    }
}

impl Base {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text.trim()).map_err(|error| error.to_string())?;
        if !["http", "https"].contains(&url.scheme()) || url.host_str().is_none() {
            return Err("expected an address that begins with https://".to_owned());
        }
        if url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err("expected an address without a query, a fragment or a password".to_owned());
        }
        let path = url.path().trim_end_matches('/');
        let path = if path.ends_with("/api") { path.to_owned() } else { format!("{path}/api") };
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The address of a path behind it.
    pub(crate) fn at(&self, path: &str) -> Url {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path()));
        url.set_query(query);
        url
    }

    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }
}

fn unusable(what: &'static str, problem: String) -> OpenError {
    OpenError::Unusable { what, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_ends_in_api_whatever_was_written() {
        for (written, base) in [
            ("https://wahelp.ru/", "https://wahelp.ru/api"),
            ("https://wahelp.ru", "https://wahelp.ru/api"),
            ("https://wahelp.ru/api", "https://wahelp.ru/api"),
            ("https://message.help/api///", "https://message.help/api"),
            ("http://127.0.0.1:8090/wahelp/", "http://127.0.0.1:8090/wahelp/api"),
        ] {
            let parsed = Base::parse(written).unwrap();
            assert_eq!(parsed.0.as_str(), base, "{written}");
            assert_eq!(parsed.at("/app/user/?a=1").as_str(), format!("{base}/app/user/?a=1"));
        }
        for strange in ["", "wahelp.ru", "ftp://wahelp.ru", "https://a:b@wahelp.ru", "https://wahelp.ru?x"] {
            assert!(Base::parse(strange).is_err(), "{strange}");
        }
    }
}
