//! Who holds a bot's stream, by the address of his webhook.
//!
//! Only the host decides, and for amoCRM's and Kommo's the path (reference: amoCRM 7.1, Wahelp 11.1): an address of
//! theirs that looks otherwise is one they may have moved to, so it is theirs too. A wrong guess costs a name:
//! whoever it is gets the same bytes.

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

/// Who has this webhook, and its host. `amocrm_hosts`: further hosts on which amoCRM's paths are amoCRM's, an
/// emulator's for instance.
pub(crate) fn recognise(url: &str, amocrm_hosts: &[String]) -> (HolderKind, String) {
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
    } else if amocrm_hosts.contains(&host) && is_amocrm_path(parsed.path()) {
        HolderKind::Amocrm
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
            ("https://", Other, ""),
        ] {
            assert_eq!(recognise(url, &local), (kind, host.to_owned()), "{url}");
        }
    }
}
