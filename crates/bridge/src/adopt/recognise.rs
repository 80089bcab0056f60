//! Who holds a bot's stream, by the address of his webhook.
//!
//! Only the host decides (reference: amoCRM 7.1, Wahelp 11.1): an address of theirs with a path nobody has seen yet is
//! one they may have moved to, so it is theirs too. The path of Wahelp's hook nobody has seen at all, and hosts of
//! theirs that nobody knows of can be named. A wrong guess costs a name: whoever it is gets the same bytes.

use url::{Host, Url};

use crate::HolderKind;

/// Hosts of amoCRM's message service.
const AMOCRM: [&str; 2] = ["amocrm.ru", "amocrm2.ru"];
/// Hosts of Kommo's. The name with `amocrm` in it is what Kommo's accounts have been seen with.
const KOMMO: [&str; 3] = ["amocrm.com", "kommo.com", "amocrm2.com"];
/// Hosts of Wahelp and of its international brand.
const WAHELP: [&str; 3] = ["wahelp.ru", "wahelp.me", "message.help"];
/// Today's path of the hook at amoCRM; the token stands in the query.
const TOKEN_PATH: &str = "/~external/hooks/telegram";
/// What the older path begins with; a number follows.
const NUMBERED_PATH: &str = "/webhook/";

/// Hosts besides those that are known here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FurtherHosts<'a> {
    /// Where amoCRM's paths are amoCRM's: an emulator's for instance.
    pub(crate) amocrm: &'a [String],
    /// Where everything is Wahelp's, each with or without a port.
    pub(crate) wahelp: &'a [String],
}

/// Who has this webhook, and its host.
pub(crate) fn recognise(url: &str, further: FurtherHosts<'_>) -> (HolderKind, String) {
    if url.is_empty() {
        return (HolderKind::Nobody, String::new());
    }
    // Telegram takes an address without a scheme and shows it as it was given.
    let absolute = if url.contains("://") { url.to_owned() } else { format!("https://{url}") };
    let Ok(parsed) = Url::parse(&absolute) else { return (HolderKind::Other, String::new()) };
    let host = match parsed.host() {
        Some(Host::Domain(name)) => name.trim_end_matches('.').to_owned(),
        Some(ip) => ip.to_string(),
        None => String::new(),
    };
    let kind = if within(&host, &AMOCRM) {
        HolderKind::Amocrm
    } else if within(&host, &KOMMO) {
        HolderKind::Kommo
    } else if within(&host, &WAHELP) {
        HolderKind::Wahelp
    } else if further.amocrm.contains(&host) && is_amocrm_path(parsed.path()) {
        HolderKind::Amocrm
    } else if is_named(further.wahelp, &host, parsed.port()) {
        HolderKind::Wahelp
    } else {
        HolderKind::Other
    };
    (kind, host)
}

/// Whether the host is one of these domains or below one.
fn within(host: &str, domains: &[&str]) -> bool {
    domains.iter().any(|domain| {
        host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

/// Whether a list has the host, or the host with this port.
fn is_named(list: &[String], host: &str, port: Option<u16>) -> bool {
    let with_port = port.map(|port| format!("{host}:{port}"));
    list.iter().any(|named| {
        named.eq_ignore_ascii_case(host)
            || with_port.as_ref().is_some_and(|one| named.eq_ignore_ascii_case(one))
    })
}

fn is_amocrm_path(path: &str) -> bool {
    let numbered = path.strip_prefix(NUMBERED_PATH);
    let named = path.strip_prefix(TOKEN_PATH);
    named.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        || numbered.is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_are_recognised_by_their_address() {
        use HolderKind::{Amocrm, Kommo, Nobody, Other, Wahelp};
        let local = ["127.0.0.1".to_owned()];
        let wahelps = ["Hooks.example".to_owned(), "127.0.0.1:9083".to_owned()];
        let further = FurtherHosts { amocrm: &local, wahelp: &wahelps };
        for (url, kind, host) in [
            ("", Nobody, ""),
            ("https://amojo.amocrm.ru/~external/hooks/telegram?t=1:x&", Amocrm, "amojo.amocrm.ru"),
            ("https://amojo.amocrm.ru/webhook/17", Amocrm, "amojo.amocrm.ru"),
            ("amojo.amocrm.ru/webhook/17", Amocrm, "amojo.amocrm.ru"),
            ("https://AMOJO.amocrm.ru./some/new/path", Amocrm, "amojo.amocrm.ru"),
            ("https://amojo.amocrm.com/~external/hooks/telegram?t=1:x&", Kommo, "amojo.amocrm.com"),
            ("https://amojo.kommo.com/~external/hooks/telegram?t=1:x&", Kommo, "amojo.kommo.com"),
            ("https://wahelp.ru/api/hooks/telegram/7", Wahelp, "wahelp.ru"),
            ("https://app.wahelp.me/x", Wahelp, "app.wahelp.me"),
            ("https://message.help/api/x", Wahelp, "message.help"),
            ("https://bot.example/hook", Other, "bot.example"),
            ("https://notamocrm.ru/~external/hooks/telegram?t=1:x&", Other, "notamocrm.ru"),
            ("https://amocrm.ru.example/x", Other, "amocrm.ru.example"),
            ("http://127.0.0.1:9/~external/hooks/telegram?t=1:x&", Amocrm, "127.0.0.1"),
            ("http://127.0.0.1:9/webhook/17", Amocrm, "127.0.0.1"),
            ("http://127.0.0.1:9/~external/hooks/telegram/0b1c", Amocrm, "127.0.0.1"),
            ("http://127.0.0.1:9/~external/hooks/telegrams", Other, "127.0.0.1"),
            ("http://127.0.0.1:9/webhook/seventeen", Other, "127.0.0.1"),
            ("http://127.0.0.1:9/hook", Other, "127.0.0.1"),
            ("http://127.0.0.2:9/webhook/17", Other, "127.0.0.2"),
            ("https://hooks.example/any/path", Wahelp, "hooks.example"),
            ("https://hooks.example:8443/", Wahelp, "hooks.example"),
            ("https://not.hooks.example/", Other, "not.hooks.example"),
            ("http://127.0.0.1:9083/telegram/0b1c", Wahelp, "127.0.0.1"),
            ("http://127.0.0.1:9083/webhook/17", Amocrm, "127.0.0.1"),
            ("https://", Other, ""),
        ] {
            assert_eq!(recognise(url, further), (kind, host.to_owned()), "{url}");
        }
    }
}
