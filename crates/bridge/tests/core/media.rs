//! Files of Telegram's at addresses of ours, as a vendor fetches them.

mod avatars;
mod fetching;
mod file_server;
mod trouble;

use reqwest::{Method, Response, header::HeaderMap};
use tandem_bridge::Media;
use tandem_model::message::{Attachment, AttachmentKind, FileRef};
use tandem_sandbox::telegram::Bot;

use crate::support::{Service, Stage, id};

/// A file of this id, as a message would have it.
fn attachment(file_id: &str) -> Attachment {
    Attachment {
        kind: AttachmentKind::Video,
        file: FileRef { id: file_id.to_owned(), unique_id: format!("u-{file_id}") },
        name: "video.mp4".to_owned(),
        mime: Some("video/mp4".to_owned()),
        size_bytes: None,
        duration_secs: None,
        link: None,
    }
}

/// Everything that a vendor sees of an answer.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn ask(stage: &Stage, method: Method, link: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = stage.http.request(method, link);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    whole(request.send().await.unwrap()).await
}

async fn get(stage: &Stage, link: &str, headers: &[(&str, &str)]) -> Answer {
    ask(stage, Method::GET, link, headers).await
}

async fn whole(response: Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
}

fn media(service: &Service) -> &Media {
    service.bridge.media()
}

fn link(service: &Service, bot: &Bot, attachment: &Attachment) -> String {
    media(service).link(id(bot), attachment).unwrap()
}
