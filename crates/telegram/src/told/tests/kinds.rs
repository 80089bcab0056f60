//! Every kind of content and every service message, one sample each.

use std::collections::BTreeSet;

use super::{
    super::{Reader, body::AROUND, content::CONTENT, service::SERVICE},
    bot, event, private, said, shown,
};
use crate::told::{object::Object, of_update};
use tandem_model::message::{Act, Language};

const FILE: &str = r#""file_id":"F","file_unique_id":"U","file_size":2048"#;

/// Member, the members of the message, how it reads.
fn every_sample() -> Vec<(&'static str, String, &'static str)> {
    let user = r#"{"id":7,"is_bot":false,"first_name":"Bob","last_name":"Ray"}"#;
    let chat = r#"{"id":-100,"type":"channel","title":"News"}"#;
    let file = |rest: &str| format!("{{{FILE}{rest}}}");
    let sizes = format!(
        r#"[{{"file_id":"S","file_unique_id":"s","width":90,"height":90,"file_size":9}},{}]"#,
        file(r#","width":800,"height":600"#)
    );
    let movie = file(r#","width":1,"height":1,"duration":7,"mime_type":"video/mp4","file_name":"cat.mp4""#);
    let task = r#"{"id":1,"text":"milk","completion_date":5},{"id":2,"text":"tea","completion_date":0}"#;
    let list = format!(r#"{{"title":"Shop","tasks":[{task}]}}"#);
    let of =
        |member: &'static str, value: String, expected| (member, format!("\"{member}\":{value}"), expected);
    let set = |member: &'static str, expected| (member, format!("\"{member}\":true"), expected);
    let empty = |member: &'static str, expected| (member, format!("\"{member}\":{{}}"), expected);
    vec![
        of("text", r#""Hello","entities":[{"type":"text_link","offset":0,"length":5,"url":"https://a.example/"}]"#.into(), "Hello (https://a.example/)"),
        of("rich_message", rich(&sizes), "[picture F photo.jpg image/jpeg 2048B] Prices / Tea (https://a.example) 5 / • one / ☑ two / a | b / [Photo] / our shop"),
        ("animation", format!(r#""animation":{movie},"document":{movie},"caption":"look""#), "[video F cat.mp4 video/mp4 2048B 7s] look"),
        of("audio", file(r#","duration":60,"performer":"Band","title":"Song/1","mime_type":"audio/mpeg""#), "[audio F 1.mp3 audio/mpeg 2048B 60s]"),
        of("document", file(r#","file_name":"price.pdf","mime_type":"application/pdf""#), "[file F price.pdf application/pdf 2048B]"),
        ("live_photo", format!(r#""photo":{sizes},"live_photo":{{"file_id":"L","file_unique_id":"l","photo":{sizes}}}"#), "[picture F photo.jpg image/jpeg 2048B]"),
        ("paid_media", format!(r#""paid_media":{{"star_count":5,"paid_media":[{{"type":"preview"}},{{"type":"photo","photo":{sizes}}}]}},"caption":"new""#), "[picture F photo.jpg image/jpeg 2048B] Paid media (2) for 5 ⭐ / new"),
        ("photo", format!(r#""photo":{sizes},"caption":"my cat","caption_entities":[],"has_media_spoiler":true"#), "[picture F photo.jpg image/jpeg 2048B] my cat"),
        of("sticker", file(r#","type":"regular","is_animated":false,"is_video":false,"emoji":"👍""#), "[sticker F sticker.webp image/webp 2048B] 👍"),
        of("story", format!(r#"{{"chat":{chat},"id":3}}"#), "[line] Story: News"),
        of("video", file(r#","duration":3"#), "[video F video.mp4 video/mp4 2048B 3s]"),
        of("video_note", file(r#","duration":4,"length":240"#), "[video F video_note.mp4 video/mp4 2048B 4s]"),
        of("voice", file(r#","duration":5,"mime_type":"audio/ogg""#), "[voice F voice.ogg audio/ogg 2048B 5s]"),
        of("checklist", list.clone(), "[line] Checklist: Shop / ☑ milk / ☐ tea"),
        of("contact", r#"{"phone_number":"+79990001122","first_name":"Ann","user_id":1001}"#.into(), "[contact Ann +79990001122 own]"),
        of("dice", r#"{"emoji":"🎲","value":5}"#.into(), "[line] 🎲 5"),
        of("game", format!(r#"{{"title":"Snake","description":"Eat","photo":{sizes}}}"#), "[line] Game “Snake” / Eat"),
        of("poll", r#"{"id":"1","type":"regular","question":"When?","options":[{"text":"Now","voter_count":0},{"text":"Later","voter_count":2}],"total_voter_count":2,"is_closed":false}"#.into(), "[line] Poll: When? / • Now — 0 / • Later — 2"),
        ("venue", r#""location":{"latitude":55.75,"longitude":37.6},"venue":{"location":{"latitude":55.750000,"longitude":-37.61},"title":"Shop","address":"1 Main St"}"#.into(), "[place 55.750000 -37.61 Shop, 1 Main St]"),
        of("location", r#"{"latitude":55.75583,"longitude":37.61778,"live_period":900}"#.into(), "[place 55.75583 37.61778]"),
        of("invoice", r#"{"title":"Order 5","description":"Tea","start_parameter":"","currency":"RUB","total_amount":49900}"#.into(), "[line] Invoice “Order 5”: 499.00 RUB / Tea"),
        of("giveaway", format!(r#"{{"chats":[{chat}],"winners_selection_date":1767607300,"winner_count":3,"prize_description":"a cup"}}"#), "[line] Giveaway: 3 to win, drawn on 2026-01-05 / a cup"),
        of("giveaway_winners", format!(r#"{{"chat":{chat},"winner_count":3,"winners":[{user}]}}"#), "[line] Giveaway drawn: 3 have won"),
        of("new_chat_members", format!("[{user},{{\"id\":8}}]"), "[line] Joined the chat: Bob Ray, 8"),
        of("left_chat_member", user.into(), "[line] Left the chat: Bob Ray"),
        empty("chat_owner_left", "[line] The chat's owner has left"),
        of("chat_owner_changed", format!(r#"{{"new_owner":{user}}}"#), "[line] The chat has a new owner: Bob Ray"),
        of("new_chat_title", r#""Friends""#.into(), "[line] The chat's new title: Friends"),
        of("new_chat_photo", sizes.clone(), "[line] The chat has a new photo"),
        set("delete_chat_photo", "[line] The chat's photo was deleted"),
        set("group_chat_created", "[line] The group was created"),
        set("supergroup_chat_created", "[line] The supergroup was created"),
        set("channel_chat_created", "[line] The channel was created"),
        of("message_auto_delete_timer_changed", r#"{"message_auto_delete_time":86400}"#.into(), "[line] Messages are deleted after 86400 s"),
        of("migrate_to_chat_id", "-1001".into(), "[line] The group has become a supergroup"),
        of("migrate_from_chat_id", "-5".into(), "[line] The group has become a supergroup"),
        of("pinned_message", format!(r#"{{"message_id":4,"date":1,"chat":{chat},"photo":{sizes},"caption":"sale"}}"#), "[line] A message was pinned: Photo: sale"),
        of("successful_payment", r#"{"currency":"RUB","total_amount":49900,"invoice_payload":"secret","order_info":{"name":"Ann","phone_number":"+7999","shipping_address":{"country_code":"RU","city":"Omsk","street_line1":"1 Main St"}}}"#.into(), "[line] Paid: 499.00 RUB / Ann, +7999 / RU, Omsk, 1 Main St"),
        of("refunded_payment", r#"{"currency":"XTR","total_amount":50}"#.into(), "[line] Refunded: 50 ⭐"),
        of("users_shared", r#"{"request_id":1,"users":[{"user_id":9,"first_name":"Zoe"},{"user_id":10}]}"#.into(), "[line] Users shared: Zoe, 10"),
        of("chat_shared", r#"{"request_id":1,"chat_id":-100}"#.into(), "[line] A chat was shared: -100"),
        of("gift", r#"{"gift":{"id":"1","sticker":{"emoji":"🎂"}},"text":"for you"}"#.into(), "[line] A gift: 🎂 for you"),
        of("unique_gift", r#"{"gift":{"base_name":"Star"}}"#.into(), "[line] A unique gift: Star"),
        empty("gift_upgrade_sent", "[line] An upgrade of a gift"),
        of("connected_website", r#""shop.example""#.into(), "[line] Logged in to a website: shop.example"),
        empty("write_access_allowed", "[line] The bot was allowed to write"),
        empty("passport_data", "[line] Telegram Passport data was sent"),
        of("proximity_alert_triggered", format!(r#"{{"traveler":{user},"watcher":{{"id":8,"first_name":"Kim"}},"distance":50}}"#), "[line] Bob Ray and Kim are 50 m apart"),
        of("boost_added", r#"{"boost_count":2}"#.into(), "[line] Boosted the chat: 2"),
        empty("chat_background_set", "[line] The chat has a new background"),
        of("checklist_tasks_done", format!(r#"{{"checklist_message":{{"checklist":{list}}},"marked_as_done_task_ids":[1,9],"marked_as_not_done_task_ids":[2]}}"#), "[line] Done: milk / Not done after all: tea"),
        of("checklist_tasks_added", format!(r#"{{"tasks":[{task}]}}"#), "[line] Added to the checklist: milk, tea"),
        of("direct_message_price_changed", r#"{"are_direct_messages_enabled":true,"direct_message_star_count":3}"#.into(), "[line] The price of a message to the channel: 3 ⭐"),
        of("forum_topic_created", r#"{"name":"Orders","icon_color":1}"#.into(), "[line] A topic was created: Orders"),
        of("forum_topic_edited", r#"{"name":"Old orders"}"#.into(), "[line] The topic was changed: Old orders"),
        empty("forum_topic_closed", "[line] The topic was closed"),
        empty("forum_topic_reopened", "[line] The topic was opened again"),
        empty("general_forum_topic_hidden", "[line] The general topic was hidden"),
        empty("general_forum_topic_unhidden", "[line] The general topic is shown again"),
        of("giveaway_created", r#"{"prize_star_count":100}"#.into(), "[line] A giveaway was created: 100 ⭐"),
        of("giveaway_completed", r#"{"winner_count":2}"#.into(), "[line] The giveaway is over, winners: 2"),
        of("managed_bot_created", r#"{"bot":{"id":9,"is_bot":true,"first_name":"Helper Bot"}}"#.into(), "[line] A bot was created: Helper Bot"),
        of("paid_message_price_changed", r#"{"paid_message_star_count":0}"#.into(), "[line] The new price of a message: 0 ⭐"),
        of("poll_option_added", r#"{"option_persistent_id":"1","option_text":"Never"}"#.into(), "[line] Added to the poll: Never"),
        of("poll_option_deleted", r#"{"option_persistent_id":"1","option_text":"Never"}"#.into(), "[line] Removed from the poll: Never"),
        of("suggested_post_approved", r#"{"send_date":1767607300}"#.into(), "[line] The suggested post was approved: 2026-01-05"),
        empty("suggested_post_approval_failed", "[line] The suggested post could not be approved"),
        of("suggested_post_declined", r#"{"comment":"too long"}"#.into(), "[line] The suggested post was declined: too long"),
        empty("suggested_post_paid", "[line] The suggested post was paid for"),
        empty("suggested_post_refunded", "[line] The payment for the suggested post was refunded"),
        of("video_chat_scheduled", r#"{"start_date":1767607300}"#.into(), "[line] A video chat is planned: 2026-01-05"),
        empty("video_chat_started", "[line] A video chat has begun"),
        of("video_chat_ended", r#"{"duration":5}"#.into(), "[line] The video chat is over"),
        of("video_chat_participants_invited", format!(r#"{{"users":[{user}]}}"#), "[line] Invited to the video chat: Bob Ray"),
        of("web_app_data", r#"{"data":"{\"size\": 42}","button_text":"Choose"}"#.into(), "[line] Data from “Choose”: {\"size\": 42}"),
        of("community_chat_added", r#"{"community":{"id":1,"name":"Town"}}"#.into(), "[line] The chat is now in a community: Town"),
        empty("community_chat_removed", "[line] The chat is no longer in a community"),
        empty("community_chat_joined", "[line] Joined through a community"),
    ]
}

fn rich(sizes: &str) -> String {
    format!(
        r#"{{"blocks":[{{"type":"heading","text":{{"type":"bold","text":"Prices"}},"size":1}},{{"type":"paragraph","text":[{{"type":"url","text":"Tea","url":"https://a.example"}}," 5"]}},{{"type":"list","items":[{{"label":"•","blocks":[{{"type":"paragraph","text":"one"}}]}},{{"label":"","has_checkbox":true,"is_checked":true,"blocks":[{{"type":"paragraph","text":"two"}}]}}]}},{{"type":"table","cells":[[{{"text":"a"}},{{"text":"b"}}]]}},{{"type":"photo","photo":{sizes},"caption":{{"text":"our shop"}}}},{{"type":"thinking","text":"hm"}}]}}"#
    )
}

#[test]
fn every_kind_of_message_reads_as_people_expect() {
    for (member, members, expected) in every_sample() {
        assert_eq!(shown(&said(&private(&members))), expected, "{member}");
    }
}

#[test]
fn in_russian_everything_says_something_too_and_says_it_in_russian() {
    for (member, members, english) in every_sample() {
        let told = of_update(Language::Russian, &event(&private(&members))).unwrap();
        let Act::Said(body) = told.act else { panic!("{member}") };
        let russian = shown(&body);
        if english.starts_with("[line]") && member != "dice" {
            assert_ne!(russian, english, "{member}");
            assert!(russian.contains(|letter: char| ('а'..='я').contains(&letter)), "{member}: {russian}");
        }
    }
}

#[test]
fn every_member_of_a_message_in_the_description_is_read_or_known_to_be_no_content() {
    #[derive(serde::Deserialize)]
    struct Described {
        message_members: BTreeSet<String>,
    }
    let described: Described = serde_json::from_str(include_str!("../../../data/bot-api.json")).unwrap();
    let content: BTreeSet<_> = CONTENT.iter().map(|(member, _)| (*member).to_owned()).collect();
    let service: BTreeSet<_> = SERVICE.iter().map(|(member, _)| (*member).to_owned()).collect();
    let around: BTreeSet<_> = AROUND.iter().map(|member| (*member).to_owned()).collect();
    assert_eq!(content.len() + service.len() + around.len(), described.message_members.len());
    let known: BTreeSet<_> = content.iter().chain(&service).chain(&around).cloned().collect();
    assert_eq!(known, described.message_members);
    let sampled: BTreeSet<_> = every_sample().into_iter().map(|(member, ..)| member.to_owned()).collect();
    assert_eq!(sampled, content.union(&service).cloned().collect(), "each is sampled");
}

#[test]
fn what_nobody_knows_yet_is_a_line_that_names_it() {
    let body = said(&private(r#""hologram":{"file_id":"x"},"caption":"see""#));
    assert_eq!(shown(&body), "[line] A message of an unknown kind: hologram / see");
    // A photo without sizes, a place nowhere, a text that is a number.
    for strange in [r#""photo":[]"#, r#""location":{"latitude":1e400,"longitude":2}"#, r#""text":7"#] {
        assert_eq!(shown(&said(&private(strange))), "[line] A message of an unknown kind", "{strange}");
    }
}

#[test]
fn stickers_that_move_are_files_that_move() {
    for (rest, expected) in [
        (r#""is_animated":true"#, "[file F sticker.tgs application/x-tgsticker 2048B] 🔥"),
        (r#""is_video":true"#, "[video F sticker.webm video/webm 2048B] 🔥"),
    ] {
        let members = format!(r#""sticker":{{{FILE},"emoji":"🔥",{rest}}}"#);
        assert_eq!(shown(&said(&private(&members))), expected);
    }
}

#[test]
fn a_large_file_keeps_its_size() {
    let members =
        r#""document":{"file_id":"F","file_unique_id":"U","file_size":2147483648,"file_name":"a.iso"}"#;
    assert_eq!(shown(&said(&private(members))), "[file F a.iso 2147483648B]");
}

#[test]
fn a_contact_is_the_senders_own_only_if_it_is_his() {
    for (contact, expected) in [
        (
            r#"{"phone_number":"79990001122","first_name":"Ann","last_name":"Lee","user_id":1001}"#,
            "[contact Ann Lee 79990001122 own]",
        ),
        (r#"{"phone_number":"+1","first_name":"Bob","user_id":7}"#, "[contact Bob +1]"),
        (r#"{"phone_number":"+1","first_name":""}"#, "[contact +1 +1]"),
    ] {
        assert_eq!(shown(&said(&private(&format!("\"contact\":{contact}")))), expected);
    }
}

#[test]
fn closed_polls_and_quizzes_say_so() {
    let reader = Reader { bot: bot(), language: Language::English };
    let poll = |rest: &str| {
        let poll = format!(
            r#"{{"question":"2+2?","options":[{{"text":"4","voter_count":3}}],"total_voter_count":3,{rest}}}"#
        );
        reader.poll(&Object::of(poll.as_bytes()).unwrap())
    };
    assert_eq!(poll(r#""type":"quiz","is_closed":false"#), "Quiz: 2+2?\n• 4 — 3");
    assert_eq!(poll(r#""type":"regular","is_closed":true"#), "Poll, closed: 2+2?\n• 4 — 3");
}
