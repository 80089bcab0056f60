//! The link to amoCRM: a channel of the Chats API, one source in it for each channel of the project (reference 10).
//!
//! amoCRM is reached over HTTP like any other account; only the channel itself is asked for at the sandbox's
//! control API, because at the real one support hands it out.

mod hear;
mod link;
mod tell;

use serde::Serialize;

pub(crate) use self::hear::hook;
pub(crate) use self::link::LinkError;
pub(crate) use self::tell::{Telling, worker};

/// The origin code of Wahelp's channel.
const ORIGIN: &str = "wahelp.whatbot";
/// What it is called in amoCRM.
const TITLE: &str = "WAhelp";

/// A project's channel at amoCRM's chat service.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Linkage {
    /// The id of the channel.
    pub(crate) channel: String,
    #[serde(skip)]
    secret: String,
    scope: String,
    /// The integration whose sources it has.
    client_id: String,
    /// In whose name employees' messages are shown: the one technical account of the integration.
    technical: String,
    /// What amoCRM refused, oldest first.
    refused: Vec<String>,
}
