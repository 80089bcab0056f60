//! What is done for the client of an open chat: a new name, a number shared later, a card that is gone, another `/start`.
//! Against the emulator.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use http::Method;
use serde_json::json;
use tandem_vendor::{Occasion, OpenedChat, Opening};

use self::support::{
    cards::{Cards, LATER_STAGE, WON, with_phone},
    opening,
};

/// Ann's chat is open; who she is there, and what it would be opened with now.
async fn open(cards: &Cards) -> (OpenedChat, u64, Opening) {
    let opened = cards.opens(&opening(None, json!(null))).await;
    let contact: u64 = opened.contact.clone().unwrap().parse().unwrap();
    let known = opening(opened.contact.as_deref(), json!({"language": "en"}));
    (opened, contact, known)
}

#[tokio::test]
async fn a_number_that_is_shared_later_is_added_to_the_card() {
    let cards = Cards::open().await;
    let (opened, ann, mut known) = open(&cards).await;
    let phones = json!([{"id": ann, "custom_fields_values": [
        {"field_code": "PHONE", "values": [{"value": "+7 495 000-00-00", "enum_code": "WORK"}]}]}]);
    cards.api(Method::PATCH, "contacts", Some(phones)).await;
    known.client.phone = with_phone(json!(null)).client.phone;
    assert_eq!(cards.tends(&known, &opened.ids, Occasion::Changed).await, Some(ann));
    assert_eq!(cards.values(ann, "PHONE").await, ["+7 495 000-00-00", "+79991112233"]);
    cards.tends(&known, &opened.ids, Occasion::Changed).await;
    assert_eq!(cards.values(ann, "PHONE").await.len(), 2, "once");
    assert_eq!(cards.values(ann, "TELEGRAM_ID").await, ["1001"]);
}

#[tokio::test]
async fn a_number_that_is_in_another_card_shows_both_and_the_open_lead_keeps_the_chat() {
    let cards = Cards::open().await;
    let (opened, ann, mut known) = open(&cards).await;
    let other = cards.contact("Анна", "+7 999 111-22-33").await;
    cards.lead(other, LATER_STAGE).await;
    known.client.phone = with_phone(json!(null)).client.phone;
    assert_eq!(cards.tends(&known, &opened.ids, Occasion::Changed).await, Some(ann));
    for contact in [ann, other] {
        assert!(cards.notes(contact).await[0].contains(&format!("{ann}, {other}")));
    }
    assert_eq!(cards.values(ann, "PHONE").await, ["+79991112233"]);
    // Her own lead is over: the other one's open lead counts, but the account does not let the chat move.
    let lead = cards.leads_of(ann).await[0];
    cards.api(Method::PATCH, &format!("leads/{lead}"), Some(json!({"status_id": WON}))).await;
    known.client.phone = Some("+7 999 111-22-44".to_owned());
    let third = cards.contact("Аня", "89991112244").await;
    cards.lead(third, LATER_STAGE).await;
    assert_eq!(cards.tends(&known, &opened.ids, Occasion::Changed).await, Some(ann));
    assert_eq!(cards.place_of(opened.ids.chat.as_deref().unwrap()).await, Some(ann));
}

#[tokio::test]
async fn a_new_name_is_written_unless_somebody_wrote_another_one_by_hand() {
    let cards = Cards::open().await;
    let (opened, ann, mut known) = open(&cards).await;
    known.client.name = "Анна К".to_owned();
    cards.tends_called(&known, &opened.ids, Occasion::Changed, Some("Анна")).await;
    assert_eq!(cards.card(ann).await["name"], "Анна К");
    cards.api(Method::PATCH, "contacts", Some(json!([{"id": ann, "name": "Каренина"}]))).await;
    known.client.name = "Anna".to_owned();
    cards.tends_called(&known, &opened.ids, Occasion::Silence, Some("Анна К")).await;
    assert_eq!(cards.card(ann).await["name"], "Каренина");
}

#[tokio::test]
async fn a_card_that_is_gone_gives_way_to_the_one_where_the_chat_is_now() {
    let cards = Cards::open().await;
    let (opened, ann, _) = open(&cards).await;
    // As after a merge: the number that we knew is nobody's, and the chat is in the other card.
    let merged = opening(Some("39"), json!(null));
    assert_eq!(cards.tends(&merged, &opened.ids, Occasion::Silence).await, Some(ann));
    assert_eq!(cards.contacts().await, [ann]);
}

#[tokio::test]
async fn another_start_closes_the_talk_where_the_route_says_so() {
    let cards = Cards::open().await;
    let (opened, _, mut known) = open(&cards).await;
    cards.writes(&opened.ids, 41).await;
    let open_talks = async || {
        let shown = cards.look("talks?filter[only_in_work]=1").await;
        shown["_embedded"]["talks"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(open_talks().await, 1);
    cards.tends(&known, &opened.ids, Occasion::Started).await;
    assert_eq!(open_talks().await, 1);
    known.route = json!({"close_talk_on_start": true});
    cards.tends(&known, &opened.ids, Occasion::Started).await;
    assert_eq!(open_talks().await, 0);
    // There is none to be closed, and where there is no list of talks, everything goes on.
    cards.fails("talks", json!({"kind": "status", "code": 404})).await;
    cards.tends(&known, &opened.ids, Occasion::Started).await;
}

#[tokio::test]
async fn nothing_is_asked_for_a_group_or_without_a_token() {
    let cards = Cards::open().await;
    let mut group = opening(None, json!(null));
    group.chat = tandem_model::message::ChatKey::of(tandem_model::BotId::new(777).unwrap(), None, -100_123);
    group.client.person = tandem_model::message::PersonKey::of_chat(-100_123);
    let opened = cards.opens(&group).await;
    assert_eq!((opened.contact, cards.contacts().await.len()), (None, 0));
    assert_eq!(cards.tends(&group, &opened.ids, Occasion::Unmatched).await, None);
    let without = support::Stage::connected(support::With::ChannelOnly).await;
    let opened = without.account.open_chat(&opening(None, json!(null))).await.unwrap();
    assert_eq!(opened.contact, None);
    assert!(without.server.seen().iter().all(|seen| !seen.path.starts_with("/api/")));
}
