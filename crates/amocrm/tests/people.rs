//! Who a client is: found by his Telegram id, by his phone, made if nobody is found, and his chat in his card before
//! anything is said. Against the emulator.

mod support;

use serde_json::json;
use tandem_model::{UserId, message::PersonKey};
use tandem_vendor::{FailureKind, FindingState, Occasion};

use self::support::{
    cards::{Cards, FIRST_STAGE, LATER_STAGE, PHONE, in_another_bot, with_phone},
    opening,
};

#[tokio::test]
async fn a_contact_with_his_telegram_id_is_the_client_and_nothing_else_is_made() {
    let cards = Cards::open().await;
    let ann = cards.contact_of_user("Анна Каренина", "1001").await;
    cards.contact_of_user("Somebody else", "11001").await;
    cards.contact("With the digits in the number", "+7 495 100-11-00").await;
    let opened = cards.opens(&opening(None, json!({"leads": "leave"}))).await;
    assert_eq!(opened.contact, Some(ann.to_string()));
    cards.writes(&opened.ids, 41).await;
    assert_eq!(cards.place_of(opened.ids.chat.as_deref().unwrap()).await, Some(ann));
    assert_eq!((cards.contacts().await.len(), cards.unsorted().await), (3, 0));
    assert_eq!(cards.card(ann).await["name"], "Анна Каренина", "whoever was named by hand keeps the name");
}

#[tokio::test]
async fn a_contact_with_his_phone_is_the_client_however_it_is_written_and_says_his_id_from_then_on() {
    let cards = Cards::open().await;
    let ann = cards.contact("Анна", "8 (999) 111-22-33 доб. 4").await;
    cards.contact("Another number that has these digits", "+7 999 111-22-334").await;
    let opened = cards.opens(&with_phone(json!(null))).await;
    assert_eq!(opened.contact, Some(ann.to_string()));
    assert_eq!(cards.values(ann, "TELEGRAM_ID").await, ["1001"]);
    assert_eq!(cards.values(ann, "PHONE").await, ["8 (999) 111-22-33 доб. 4"], "it is the same number");
    // Without a phone, and known by nothing but the field.
    let again = in_another_bot(opening(None, json!(null)));
    assert_eq!(cards.opens_for(&again).await, ann);
    assert_eq!(cards.contacts().await.len(), 2);
}

#[tokio::test]
async fn whom_nobody_knows_becomes_a_contact_with_a_lead_and_nothing_is_unsorted() {
    let cards = Cards::open().await;
    let opened = cards.opens(&with_phone(json!(null))).await;
    let ann: u64 = opened.contact.clone().unwrap().parse().unwrap();
    cards.writes(&opened.ids, 41).await;
    assert_eq!(cards.contacts().await, [ann]);
    let card = cards.card(ann).await;
    assert_eq!(card["name"], "Анна");
    assert_eq!(cards.values(ann, "TELEGRAM_ID").await, ["1001"]);
    assert_eq!(cards.values(ann, "PHONE").await, ["+79991112233"]);
    let leads = cards.leads_of(ann).await;
    assert_eq!(leads.len(), 1);
    assert_eq!(cards.lead_card(leads[0]).await["status_id"], FIRST_STAGE);
    assert_eq!(cards.unsorted().await, 0);
    // The same chat again changes nothing.
    assert_eq!(cards.opens_for(&with_phone(json!(null))).await, ann);
    assert_eq!((cards.contacts().await.len(), cards.leads_of(ann).await), (1, leads));
}

#[tokio::test]
async fn one_person_who_writes_to_two_bots_at_the_same_moment_becomes_one_contact_with_one_lead() {
    let cards = Cards::open().await;
    let (first, second) = (opening(None, json!(null)), in_another_bot(opening(None, json!(null))));
    let (first, second) = tokio::join!(cards.opens_for(&first), cards.opens_for(&second));
    assert_eq!(first, second);
    assert_eq!((cards.contacts().await, cards.leads_of(first).await.len()), (vec![first], 1));
}

#[tokio::test]
async fn of_two_contacts_with_one_phone_the_one_with_an_open_lead_gets_the_chat_and_both_are_shown() {
    let cards = Cards::open().await;
    let busy = cards.contact("Анна", "+7 999 111-22-33").await;
    cards.lead(busy, LATER_STAGE).await;
    cards.emulator.advance(std::time::Duration::from_mins(1));
    let idle = cards.contact("Аня", "89991112233").await;
    assert_eq!(cards.opens_for(&with_phone(json!({"language": "en"}))).await, busy);
    assert_eq!(cards.contacts().await.len(), 2, "they are not merged");
    for contact in [busy, idle] {
        let notes = cards.notes(contact).await;
        assert!(notes.len() == 1 && notes[0].contains(&format!("{busy}, {idle}")), "{notes:?}");
    }
    let findings = cards.emulator.account.check().await;
    let double = findings.iter().find(|finding| finding.step == "doubles").unwrap();
    assert_eq!(double.state, FindingState::Warning);
    assert!(double.sentence.contains(&idle.to_string()) && !double.sentence.contains("999"), "{double:?}");
}

#[tokio::test]
async fn of_two_contacts_without_open_leads_the_one_changed_last_gets_the_chat() {
    let cards = Cards::open().await;
    let last = cards.contact("Анна", "+7 999 111-22-33").await;
    cards.contact("Аня", "89991112233").await;
    cards.emulator.advance(std::time::Duration::from_mins(1));
    let renamed = json!([{"id": last, "name": "Анна Петровна"}]);
    cards.api(http::Method::PATCH, "contacts", Some(renamed)).await;
    assert_eq!(cards.opens_for(&with_phone(json!(null))).await, last);
}

#[tokio::test]
async fn a_contact_that_is_gone_is_looked_for_again() {
    let cards = Cards::open().await;
    let ann = cards.contact_of_user("Анна", "2002, 1001").await;
    assert_eq!(cards.opens_for(&opening(Some("39"), json!(null))).await, ann);
    assert_eq!(cards.contacts().await, [ann]);
    // And made again, if nobody is found.
    let mut bob = opening(Some("39"), json!(null));
    bob.chat = tandem_model::message::ChatKey::of(tandem_model::BotId::new(777).unwrap(), None, 3003);
    bob.client.person = PersonKey::of(UserId::new(3003).unwrap());
    assert_ne!(cards.opens_for(&bob).await, ann);
    assert_eq!(cards.contacts().await.len(), 2);
}

#[tokio::test]
async fn a_chat_that_is_in_another_card_stays_there_and_both_cards_are_shown() {
    let cards = Cards::open().await;
    let first = cards.opens(&opening(None, json!(null))).await;
    let there: u64 = first.contact.unwrap().parse().unwrap();
    let other = cards.contact("Анна", "+7 999 111-22-33").await;
    let known = opening(Some(&other.to_string()), json!(null));
    assert_eq!(cards.opens_for(&known).await, there);
    assert!(cards.notes(other).await[0].contains(&there.to_string()));
}

#[tokio::test]
async fn a_token_that_ends_and_a_wish_for_fewer_requests_change_nothing() {
    let cards = Cards::open().await;
    let ann = cards.contact("Анна", "+7 999 111-22-33").await;
    cards.fails("contacts", json!({"kind": "status", "code": 401})).await;
    let slower = json!({"kind": "status", "code": 429, "retry_after": 20});
    cards.emulator.advance(std::time::Duration::from_hours(24));
    cards.fails("contacts", slower).await;
    // Soon enough to be waited for: nothing is told of her in the meantime.
    let failure = cards.emulator.account.open_chat(&with_phone(json!(null))).await.unwrap_err();
    assert!(matches!(failure.kind, FailureKind::Later { .. }), "{failure:?}");
    cards.emulator.advance(std::time::Duration::from_secs(20));
    assert_eq!(cards.opens_for(&with_phone(json!(null))).await, ann);
    assert_eq!((cards.contacts().await, cards.unsorted().await), (vec![ann], 0));
}

#[tokio::test]
async fn who_came_while_the_api_was_closed_is_matched_later_with_the_card_he_had() {
    let cards = Cards::open().await;
    let ann = cards.contact_of_user("Анна", "1001").await;
    cards.is_closed().await;
    let opened = cards.opens(&opening(None, json!(null))).await;
    assert_eq!(opened.contact, None, "nobody waits for minutes");
    cards.writes(&opened.ids, 41).await;
    cards.opens_again().await;
    assert_eq!(cards.unsorted().await, 1, "amoCRM has made a card of its own");
    let matched = cards.tends(&opening(None, json!(null)), &opened.ids, Occasion::Unmatched).await;
    assert_eq!(matched, Some(ann));
    assert_eq!(cards.place_of(opened.ids.chat.as_deref().unwrap()).await, Some(ann));
    assert_eq!((cards.contacts().await, cards.unsorted().await), (vec![ann], 0));
    assert_eq!(cards.leads_of(ann).await.len(), 1);
}

#[tokio::test]
async fn whom_nobody_knew_while_the_api_was_closed_keeps_the_card_that_amocrm_made() {
    for accepts in [true, false] {
        let cards = Cards::open().await;
        cards.is_closed().await;
        let route = json!({"accept_unsorted": accepts});
        let opened = cards.opens(&opening(None, route.clone())).await;
        cards.writes(&opened.ids, 41).await;
        cards.opens_again().await;
        let matched = cards.tends(&opening(None, route.clone()), &opened.ids, Occasion::Unmatched).await;
        let own = cards.place_of(opened.ids.chat.as_deref().unwrap()).await;
        assert_eq!(matched, own);
        assert_eq!(cards.values(own.unwrap(), "TELEGRAM_ID").await, ["1001"]);
        assert_eq!(
            (cards.leads_of(own.unwrap()).await.len(), cards.unsorted().await),
            (1, usize::from(!accepts))
        );
        // The next time he is known by it.
        let again = in_another_bot(opening(None, route));
        assert_eq!(Some(cards.opens_for(&again).await), own);
    }
}

#[tokio::test]
async fn a_silent_route_finds_people_and_makes_nobody() {
    let cards = Cards::open().await;
    let silent = || json!({"silent": true});
    let opened = cards.opens(&opening(None, silent())).await;
    assert_eq!((opened.contact, cards.contacts().await.len()), (None, 0));
    let ann = cards.contact("Анна", PHONE).await;
    assert_eq!(cards.opens_for(&with_phone(silent())).await, ann);
    assert!(cards.leads_of(ann).await.is_empty());
}
