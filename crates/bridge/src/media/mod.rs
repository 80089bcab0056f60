//! Files of Telegram's for vendors: `/media/<signed>/<name>` on the public listener.
//!
//! Telegram's own addresses of files hold the bot's token, so nobody outside is given them. A vendor gets an address of
//! ours instead ([`Media::link`]) and fetches the file through us, streamed and never held:
//!
//! - The address is sealed with the key that secrets are sealed with. It says which bot's which file, what type, and until
//!   when; only we can read or make one, and nothing is stored for it. The name at its end is bound to it.
//! - A wrong, expired or foreign one, and a file that Telegram no longer has, are one and the same 404.
//! - What is served is what strangers have sent. It is marked so that no browser runs it in the name of our address.
//!
//! Who gets an address, and what is said of a file too large for one, is not decided here.

mod avatar;
mod bounded;
mod link;
mod path;
mod range;
mod serve;
mod slice;

use std::{fmt, sync::Arc, time::Duration};

use tandem_gateway::Directory;
use tandem_journal::Sealer;
use tandem_model::{BotId, Clock, Rng, message::Attachment};
use tandem_telegram::{told::FETCHABLE_BYTES, upstream::Upstream};
use tokio::sync::Semaphore;

use self::{avatar::Avatars, link::Linked, path::Paths};
use crate::{Parts, PublicUrl};

/// How many files are fetched from Telegram at a time: what else is asked of it needs connections too.
const AT_A_TIME: usize = 64;

/// Addresses of files, and the files. Cheap to clone: clones are the same.
#[derive(Clone)]
pub struct Media(Arc<Inner>);

struct Inner {
    sealer: Arc<Sealer>,
    directory: Arc<Directory>,
    upstream: Upstream,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    public_url: Option<PublicUrl>,
    lifetime: Duration,
    paths: Paths,
    avatars: Avatars,
    places: Arc<Semaphore>,
}

impl Media {
    /// Of a bridge made of these parts.
    pub fn new(parts: &Parts) -> Self {
        Self(Arc::new(Inner {
            sealer: Arc::clone(&parts.sealer),
            directory: Arc::clone(&parts.directory),
            upstream: parts.upstream.clone(),
            clock: Arc::clone(&parts.clock),
            rng: Arc::clone(&parts.rng),
            public_url: parts.config.public_url.clone(),
            lifetime: parts.config.media_lifetime,
            paths: Paths::default(),
            avatars: Avatars::default(),
            places: Arc::new(Semaphore::new(AT_A_TIME)),
        }))
    }

    /// An address at which this file can be fetched for [some hours](crate::Config::media_lifetime). `None` where we are
    /// not reached from outside, and for what Telegram says is larger than it gives to bots.
    pub fn link(&self, bot: BotId, attachment: &Attachment) -> Option<String> {
        if attachment.size_bytes.is_some_and(|size| size > FETCHABLE_BYTES) {
            return None;
        }
        self.link_to(&Linked {
            bot,
            file: attachment.file.clone(),
            name: attachment.name.clone(),
            mime: attachment.mime.clone(),
            until: self.0.clock.now().plus(self.0.lifetime),
        })
    }

    fn link_to(&self, linked: &Linked) -> Option<String> {
        let Inner { sealer, rng, public_url, .. } = &*self.0;
        Some(public_url.as_ref()?.at(&linked.path(sealer, &**rng)?))
    }
}

impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media").field("lifetime", &self.0.lifetime).finish_non_exhaustive()
    }
}
