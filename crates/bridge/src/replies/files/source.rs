//! Where a file is, and whether it may be fetched from there.

use http::Uri;
use tandem_model::BotId;
use url::Url;

use super::{FileTrouble, Files};

/// Where a file is.
#[derive(Debug, Clone, Copy)]
pub(in crate::replies) struct Source<'a> {
    /// For which bot.
    pub(in crate::replies) bot: BotId,
    /// By which of its routes, by name.
    pub(in crate::replies) route: &'a str,
    /// Where.
    pub(in crate::replies) url: &'a str,
}

impl Files {
    /// Whether an address may be asked, and as what.
    pub(super) fn admit(&self, source: Source<'_>, url: &Url) -> Result<Uri, FileTrouble> {
        let scheme = match url.scheme() {
            "https" => true,
            "http" => self.guard.is_none(),
            _ => false,
        };
        if !scheme {
            return Err(FileTrouble::never("the file's address does not begin with https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FileTrouble::never("the file's address has a user in it"));
        }
        if !self.rule.may_fetch(source.bot, source.route, url) {
            return Err(FileTrouble::Never(format!(
                "files are not fetched from {}",
                url.host_str().unwrap_or("there")
            )));
        }
        url.as_str().parse().map_err(|_malformed| FileTrouble::never("the file's address cannot be used"))
    }
}
