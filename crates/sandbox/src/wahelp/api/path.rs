//! Which operation a path is, and how it is spelled (reference 4.4, 5).

use axum::http::Method;

use crate::wahelp::switches::Slashes;

/// One operation with the names in its path. Channels are named by uuid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    Login,
    Refresh,
    Account,
    Projects,
    Project(i64),
    Channels(i64),
    Channel(i64, String),
    ChannelStatus(i64, String),
    Users(i64, String),
    AddUser(i64, String),
    User(i64, String, i64),
    ContactByPhone(i64),
    SendMessage(i64, String, i64),
    Messages(i64, String),
    Message(i64, String, i64),
    Webhooks(i64),
    AddWebhook(i64),
    ChangeWebhook(i64, String),
    RemoveWebhook(i64, String),
    AmoConfig(i64),
    AmoChannels(i64),
    AmoConnect(i64, String),
    AmoDisconnect(i64, String),
}

impl Endpoint {
    pub(super) fn of(method: &Method, path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (first, rest) = (*parts.first()?, parts.get(1..)?);
        let (get, post) = (*method == Method::GET, *method == Method::POST);
        if first == "user" {
            return match rest {
                [] if get => Some(Self::Account),
                ["login"] if post => Some(Self::Login),
                ["refresh-token"] if get => Some(Self::Refresh),
                _ => None,
            };
        }
        if first != "projects" {
            return None;
        }
        let Some((project, rest)) = rest.split_first() else { return get.then_some(Self::Projects) };
        let project: i64 = project.parse().ok()?;
        let channel = |name: &str| name.to_owned();
        Some(match rest {
            [] if get => Self::Project(project),
            ["channels"] if get => Self::Channels(project),
            ["channels", name] if get => Self::Channel(project, channel(name)),
            ["channels", name, "status"] if get => Self::ChannelStatus(project, channel(name)),
            ["channels", name, "users"] if get => Self::Users(project, channel(name)),
            ["channels", name, "users"] if post => Self::AddUser(project, channel(name)),
            ["channels", name, "users", user] if get => {
                Self::User(project, channel(name), user.parse().ok()?)
            }
            ["channels", name, "send_message", user] if post => {
                Self::SendMessage(project, channel(name), user.parse().ok()?)
            }
            ["channels", name, "messages"] if get => Self::Messages(project, channel(name)),
            ["channels", name, "messages", id] if get => {
                Self::Message(project, channel(name), id.parse().ok()?)
            }
            ["contacts", "contact_by_phone"] if post => Self::ContactByPhone(project),
            ["webhooks"] if get => Self::Webhooks(project),
            ["webhooks"] if post => Self::AddWebhook(project),
            ["webhooks", uuid] if *method == Method::PUT => Self::ChangeWebhook(project, channel(uuid)),
            ["webhooks", uuid] if *method == Method::DELETE => Self::RemoveWebhook(project, channel(uuid)),
            ["config", "amo"] if get => Self::AmoConfig(project),
            ["integrations", "amocrm", "channels"] if get => Self::AmoChannels(project),
            ["integrations", "amocrm", "channels", name, "connect"] if post => {
                Self::AmoConnect(project, channel(name))
            }
            ["integrations", "amocrm", "channels", name, "disconnect"] if post => {
                Self::AmoDisconnect(project, channel(name))
            }
            _ => return None,
        })
    }

    /// The word in the record and in faults.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Refresh => "refresh",
            Self::Account => "account",
            Self::Projects => "projects",
            Self::Project(_) => "project",
            Self::Channels(_) => "channels",
            Self::Channel(..) => "channel",
            Self::ChannelStatus(..) => "channel_status",
            Self::Users(..) => "users",
            Self::AddUser(..) => "add_user",
            Self::User(..) => "user",
            Self::ContactByPhone(_) => "contact_by_phone",
            Self::SendMessage(..) => "send_message",
            Self::Messages(..) => "messages",
            Self::Message(..) => "message",
            Self::Webhooks(_) => "webhooks",
            Self::AddWebhook(_) => "add_webhook",
            Self::ChangeWebhook(..) => "change_webhook",
            Self::RemoveWebhook(..) => "remove_webhook",
            Self::AmoConfig(_) => "amo_config",
            Self::AmoChannels(_) => "amo_channels",
            Self::AmoConnect(..) => "amo_connect",
            Self::AmoDisconnect(..) => "amo_disconnect",
        }
    }

    pub(super) fn project(&self) -> Option<i64> {
        match self {
            Self::Login | Self::Refresh | Self::Account | Self::Projects => None,
            Self::Project(project)
            | Self::Channels(project)
            | Self::Channel(project, _)
            | Self::ChannelStatus(project, _)
            | Self::Users(project, _)
            | Self::AddUser(project, _)
            | Self::User(project, ..)
            | Self::ContactByPhone(project)
            | Self::SendMessage(project, ..)
            | Self::Messages(project, _)
            | Self::Message(project, ..)
            | Self::Webhooks(project)
            | Self::AddWebhook(project)
            | Self::ChangeWebhook(project, _)
            | Self::RemoveWebhook(project, _)
            | Self::AmoConfig(project)
            | Self::AmoChannels(project)
            | Self::AmoConnect(project, _)
            | Self::AmoDisconnect(project, _) => Some(*project),
        }
    }

    /// Whether the vendor's own listing spells it with a slash at the end.
    fn ends_with_slash(&self) -> bool {
        matches!(
            self,
            Self::Account | Self::Projects | Self::Channels(_) | Self::Webhooks(_) | Self::AddWebhook(_)
        )
    }
}

/// The other spelling, when the one that was used is not the one that is answered.
pub(super) fn spelled_otherwise(endpoint: &Endpoint, path: &str, slashes: Slashes) -> Option<String> {
    let wanted = match slashes {
        Slashes::Either => return None,
        Slashes::Vendor => endpoint.ends_with_slash(),
        Slashes::Always => true,
        Slashes::Never => false,
    };
    match (wanted, path.strip_suffix('/')) {
        (true, None) => Some(format!("{path}/")),
        (false, Some(without)) => Some(without.to_owned()),
        (true, Some(_)) | (false, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_with_and_without_the_slash() {
        let of = |method: Method, path: &str| Endpoint::of(&method, path);
        assert_eq!(of(Method::GET, "/projects/"), Some(Endpoint::Projects));
        assert_eq!(of(Method::GET, "/projects"), Some(Endpoint::Projects));
        assert_eq!(
            of(Method::POST, "/projects/7/channels/a-b/send_message/5"),
            Some(Endpoint::SendMessage(7, "a-b".to_owned(), 5))
        );
        assert_eq!(
            of(Method::DELETE, "/projects/7/webhooks/u"),
            Some(Endpoint::RemoveWebhook(7, "u".into()))
        );
        assert_eq!(of(Method::POST, "/projects/seven/channels"), None);
        assert_eq!(of(Method::PUT, "/projects/7/hook"), None);
    }

    #[test]
    fn the_spelling_that_is_not_answered_is_told_by_the_other_one() {
        let send = Endpoint::SendMessage(7, "u".into(), 5);
        for (endpoint, path, slashes, other) in [
            (&Endpoint::Projects, "/projects", Slashes::Vendor, Some("/projects/")),
            (&Endpoint::Projects, "/projects/", Slashes::Vendor, None),
            (&Endpoint::Projects, "/projects/", Slashes::Never, Some("/projects")),
            (&send, "/s", Slashes::Vendor, None),
            (&send, "/s", Slashes::Always, Some("/s/")),
            (&send, "/s/", Slashes::Either, None),
        ] {
            assert_eq!(spelled_otherwise(endpoint, path, slashes).as_deref(), other, "{path} {slashes:?}");
        }
    }
}
