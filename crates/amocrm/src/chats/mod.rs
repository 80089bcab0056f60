//! The client of the chat service: signs, keeps the pace, sends.

mod pace;

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use tandem_model::{Blame, Clock, Rng, Timestamp};
use tandem_vendor::{Failure, FailureKind};

use self::pace::{Pace, Went};
use crate::{
    connection::{Base, Channel},
    http::{Http, NoAnswer, Outgoing, unanswered},
    request::{ChatsRequest, Repeat},
    response::{Answer, Api, Meaning, Trouble},
    sign,
};

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");

/// The chat service, for one channel.
#[derive(Debug)]
pub(crate) struct Chats {
    http: Http,
    base: Base,
    channel: Channel,
    pace: Pace,
    clock: Arc<dyn Clock>,
}

/// Why a request did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unsuccessful {
    /// The service wants to be left alone.
    Resting(Failure),
    /// Nobody answered.
    NoAnswer(NoAnswer),
    /// The answer is no success.
    Answered(Trouble),
}

impl Chats {
    pub(crate) fn new(
        http: Http,
        base: Base,
        channel: Channel,
        most_at_once: u32,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Self {
        let pace = Pace::new(most_at_once, Arc::clone(&clock), rng);
        Self { http, base, channel, pace, clock }
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    pub(crate) fn base(&self) -> &Base {
        &self.base
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sends a request when its turn has come.
    pub(crate) async fn send(&self, request: &ChatsRequest) -> Result<Answer, Unsuccessful> {
        let leave = self.pace.enter().await.map_err(|left| {
            let kind = FailureKind::Later { after: Some(left), blame: Blame::Destination };
            let words =
                format!("the chat service wants to be left alone for {} more seconds", left.as_secs() + 1);
            Unsuccessful::Resting(Failure::new(kind, words))
        })?;
        // Signed only now: a signature lives for a quarter of an hour.
        let sent = self.send_as_of(request, self.clock.now()).await;
        let result = match sent {
            Ok(answer) => match answer.trouble(Api::Chats) {
                None => Ok(answer),
                Some(trouble) => Err(Unsuccessful::Answered(trouble)),
            },
            Err(no_answer) => Err(Unsuccessful::NoAnswer(no_answer)),
        };
        leave.went(match &result {
            Ok(_) => Went::Well,
            Err(unsuccessful) => unsuccessful.for_pace(),
        });
        result
    }

    /// Sends a request as if it were this time, whatever the pace: to try out what comes of it.
    pub(crate) async fn send_as_of(&self, request: &ChatsRequest, at: Timestamp) -> Result<Answer, NoAnswer> {
        self.http.send(self.signed(request, at)).await
    }

    fn signed(&self, request: &ChatsRequest, at: Timestamp) -> Outgoing {
        let path = self.base.path(&request.path);
        let date = sign::date(at);
        let signed = self.channel.key.sign(&request.method, &path, &request.body, date);
        let value =
            |text: &str| HeaderValue::from_str(text).expect("dates and hexadecimal digits are header values");
        let headers = HeaderMap::from_iter([
            (header::DATE, value(&signed.date)),
            (header::CONTENT_TYPE, HeaderValue::from_static(sign::CONTENT_TYPE)),
            (CONTENT_MD5, value(&signed.content_md5)),
            (SIGNATURE, value(&signed.signature)),
        ]);
        Outgoing {
            method: request.method.clone(),
            url: self.base.at(&path, request.query.as_deref()),
            headers,
            body: request.body.clone(),
        }
    }
}

impl Unsuccessful {
    fn for_pace(&self) -> Went {
        match self {
            Self::NoAnswer(NoAnswer::Lost { .. }) => Went::TooMuch { wish: None },
            Self::Answered(Trouble { means: Meaning::TooFast | Meaning::Failed, retry_after, .. }) => {
                Went::TooMuch { wish: *retry_after }
            }
            Self::Resting(_) | Self::NoAnswer(_) | Self::Answered(_) => Went::Aside,
        }
    }

    /// Whether the channel is not connected to the account.
    pub(crate) fn is_unconnected(&self) -> bool {
        matches!(self, Self::Answered(Trouble { means: Meaning::Unconnected, .. }))
    }

    /// What follows.
    pub(crate) fn failure(&self, repeat: Repeat) -> Failure {
        match self {
            Self::Resting(failure) => failure.clone(),
            Self::NoAnswer(no_answer) => unanswered(no_answer, repeat, "the chat service"),
            Self::Answered(trouble) => trouble.failure(repeat),
        }
    }
}
