//! Pictures of clients.

use std::time::Duration;

use tandem_bridge::UpstreamMode;
use tandem_model::UserId;

use super::{
    file_server::{Behaviour, FileServer},
    get, media,
};
use crate::support::{Stage, id};

const PICTURES: &str = r#"{"total_count":3,"photos":[[
    {"file_id":"large","file_unique_id":"l","width":640,"height":640},
    {"file_id":"small","file_unique_id":"s","width":160,"height":160},
    {"file_id":"tiny","file_unique_id":"t","width":90,"height":90}]]}"#;
const NONE: &str = r#"{"total_count":0,"photos":[]}"#;

#[tokio::test]
async fn a_clients_picture_has_one_address_for_hours_and_is_asked_for_once_a_day() {
    let mut stage = Stage::new().await;
    let (server, url) =
        FileServer::start(Behaviour { pictures: Some(PICTURES), ..Behaviour::default() }).await;
    stage.telegram = Some(url);
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Webhook, &[]).await;
    let user = UserId::new(1001).unwrap();
    let link = async || media(&service).avatar_link(id(&bot), user).await;
    let first = link().await.unwrap();
    assert!(first.ends_with("/avatar.jpg"));
    let answer = get(&stage, &first, &[("range", "bytes=0-0")]).await;
    assert_eq!((answer.status, answer.header("content-type")), (206, "image/jpeg"));
    assert_eq!(answer.header("etag"), "\"s\"", "the smallest that is large enough");
    stage.clock.advance(Duration::from_hours(11));
    assert_eq!(link().await, Some(first.clone()));
    stage.clock.advance(Duration::from_hours(1));
    let second = link().await.unwrap();
    assert_ne!(second, first, "the first has not long to live");
    assert_eq!(server.take_seen("getUserProfilePhotos").len(), 1);
    server.change(|server| server.pictures = Some(NONE));
    stage.clock.advance(Duration::from_hours(12));
    assert_eq!(link().await, None, "he has taken it away");
    assert_eq!(link().await, None);
    assert_eq!(server.take_seen("getUserProfilePhotos").len(), 1);
    service.stop().await;
}

#[tokio::test]
async fn a_picture_that_cannot_be_found_out_is_none_and_asked_for_again_soon() {
    let mut stage = Stage::new().await;
    let (server, url) = FileServer::start(Behaviour::default()).await;
    stage.telegram = Some(url);
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Webhook, &[]).await;
    let user = UserId::new(1001).unwrap();
    let link = async || media(&service).avatar_link(id(&bot), user).await;
    assert_eq!(link().await, None);
    assert_eq!(link().await, None);
    assert_eq!(server.take_seen("getUserProfilePhotos").len(), 1);
    server.change(|server| server.pictures = Some(PICTURES));
    stage.clock.advance(Duration::from_mins(5));
    assert!(link().await.is_some());
    service.stop().await;
}
