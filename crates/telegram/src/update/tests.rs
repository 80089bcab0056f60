use bytes::Bytes;
use proptest::prelude::*;
use tandem_model::{Conversation, SourceId, Timestamp, UserId, VirtualId};

use super::*;

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// Kind, conversation, user, seconds of its date.
fn seen(text: &str) -> (Kind, String, Option<i64>, Option<i64>) {
    let body = bytes(text);
    let view = UpdateView::of(&body).unwrap();
    let date = view.date().map(|date| date.as_millis() / 1000);
    (view.kind(), view.conversation().to_string(), view.user_id().map(UserId::get), date)
}

fn update(kind: &str, object: &str) -> String {
    format!("{{\"update_id\":5,\n\"{kind}\":{object}}}")
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_kind_has_its_conversation_user_and_time() {
    let chat = r#""chat":{"id":-1007,"type":"supergroup"}"#;
    let from = r#""from":{"id":42,"is_bot":false}"#;
    let message = format!(r#"{{"message_id":9,{from},{chat},"date":100}}"#);
    let business = format!(r#"{{"message_id":9,{from},{chat},"date":100,"business_connection_id":"bc"}}"#);
    let edited = format!(r#"{{"message_id":9,{from},{chat},"date":100,"edit_date":200}}"#);
    let post = format!(r#"{{"message_id":9,"sender_chat":{{"id":-1007}},{chat},"date":100}}"#);
    let member = format!(
        r#"{{{chat},{from},"date":100,"old_chat_member":{{"status":"member"}},"new_chat_member":{{"user":{{"id":8}},"status":"kicked"}}}}"#
    );
    let query = format!(r#"{{"id":"77",{from},"query":"q"}}"#);
    let press = format!(r#"{{"id":"77",{from},"message":{message},"data":"d"}}"#);
    for (kind, object, conversation, user, date) in [
        ("message", &message, "-1007", Some(42), Some(100)),
        ("edited_message", &edited, "-1007", Some(42), Some(200)),
        ("channel_post", &post, "-1007", None, Some(100)),
        ("edited_channel_post", &post, "-1007", None, Some(100)),
        ("business_message", &business, "b:bc:-1007", Some(42), Some(100)),
        ("edited_business_message", &business, "b:bc:-1007", Some(42), Some(100)),
        ("guest_message", &message, "g:-1007", Some(42), Some(100)),
        ("callback_query", &press, "-1007", Some(42), None),
        (
            "callback_query",
            &press.replace(r#""message_id""#, r#""business_connection_id":"bc","message_id""#),
            "b:bc:-1007",
            Some(42),
            None,
        ),
        ("inline_query", &query, "u:42", Some(42), None),
        ("chosen_inline_result", &query, "u:42", Some(42), None),
        ("callback_query", &query, "u:42", Some(42), None),
        ("shipping_query", &query, "u:42", Some(42), None),
        ("pre_checkout_query", &query, "u:42", Some(42), None),
        ("purchased_paid_media", &query, "u:42", Some(42), None),
        ("my_chat_member", &member, "-1007", Some(42), Some(100)),
        ("chat_member", &member, "-1007", Some(42), Some(100)),
        (
            "chat_join_request",
            &format!(r#"{{{chat},{from},"user_chat_id":6,"date":100}}"#),
            "-1007",
            Some(42),
            Some(100),
        ),
        ("something_new", &message, "-1007", Some(42), Some(100)),
    ] {
        let expected = (Kind::of_name(kind.as_bytes()), conversation.to_owned(), user, date);
        assert_eq!(seen(&update(kind, object)), expected, "{kind}");
    }
    for (kind, object, conversation, user, date) in [
        (
            "business_connection",
            r#"{"id":"bc","user":{"id":42},"user_chat_id":6,"date":100}"#,
            "6",
            Some(42),
            None,
        ),
        (
            "deleted_business_messages",
            r#"{"business_connection_id":"bc","chat":{"id":7},"message_ids":[1]}"#,
            "b:bc:7",
            None,
            None,
        ),
        (
            "message_reaction",
            r#"{"chat":{"id":7},"message_id":1,"user":{"id":42},"date":100}"#,
            "7",
            Some(42),
            Some(100),
        ),
        ("message_reaction_count", r#"{"chat":{"id":7},"message_id":1,"date":100}"#, "7", None, Some(100)),
        ("poll", r#"{"id":"p1","question":"?"}"#, "p:p1", None, None),
        ("poll_answer", r#"{"poll_id":"p1","user":{"id":42},"option_ids":[0]}"#, "u:42", Some(42), None),
        (
            "poll_answer",
            r#"{"poll_id":"p1","voter_chat":{"id":-7},"user":{"id":136817688}}"#,
            "p:p1",
            None,
            None,
        ),
        (
            "chat_boost",
            r#"{"chat":{"id":7},"boost":{"add_date":100,"source":{"user":{"id":42}}}}"#,
            "7",
            Some(42),
            Some(100),
        ),
        (
            "removed_chat_boost",
            r#"{"chat":{"id":7},"remove_date":100,"source":{"user":{"id":42}}}"#,
            "7",
            Some(42),
            Some(100),
        ),
        ("managed_bot", r#"{"user":{"id":42},"bot":{"id":43}}"#, "u:42", Some(42), None),
        ("subscription", r#"{"user":{"id":42},"state":"active"}"#, "u:42", Some(42), None),
        ("stopped_message_generation", r#"{"chat":{"id":7},"draft_id":1}"#, "7", None, None),
        ("custom_event", r#"{"a":1}"#, "bot", None, None),
    ] {
        let expected = (Kind::of_name(kind.as_bytes()), conversation.to_owned(), user, date);
        assert_eq!(seen(&update(kind, object)), expected, "{kind}");
    }
}

#[test]
fn hostile_updates_still_give_a_view() {
    let deep = update(
        "message",
        &format!(r#"{{"chat":{{"id":7}},"x":{}{}}}"#, "[".repeat(200_000), "]".repeat(200_000)),
    );
    let huge =
        update("message", &format!(r#"{{"chat":{{"id":7}},"date":{},"message_id":1e999}}"#, "9".repeat(400)));
    for (text, kind, conversation) in [
        (r#"{"update_id":5}"#, Kind::Unknown, "bot"),
        (r#"{"update_id":0,"message":null}"#, Kind::Message, "bot"),
        (r#"{"update_id":5,"message":7}"#, Kind::Message, "bot"),
        (r#"{"update_id":5,"message":{}}"#, Kind::Message, "bot"),
        (r#"{"update_id":5,"message":{"chat":7,"from":{"id":"x"}}}"#, Kind::Message, "bot"),
        (r#"{"update_id":5,"message":{"chat":{"id":7.5},"from":{"id":42}}}"#, Kind::Message, "u:42"),
        (r#"{"update_id":5,"message":null,"poll":{"id":"p"}}"#, Kind::Poll, "p:p"),
        (r#"{"update_id":5,"new_thing":{"chat":{"id":7}}}"#, Kind::Unknown, "7"),
        (r#"{"update_id":5,"extra":{"chat":{"id":1}},"message":{"chat":{"id":7}}}"#, Kind::Message, "7"),
        (r#"{"update_id":5,"message":{"chat":{"id":1}},"message":{"chat":{"id":7}}}"#, Kind::Message, "7"),
        (r#"{"update_id":5,"message":{"chat":{"id":1},"chat":{"id":1,"id":7}}}"#, Kind::Message, "7"),
        (
            r#" {"\u006dessage" : {"c\u0068at" : {"\u0069d" : 7}} , "update\u005fid" : 5} "#,
            Kind::Message,
            "7",
        ),
        (r#"{"update_id":"x","update_id":5,"message":{"chat":{"id":7}}}"#, Kind::Message, "7"),
        (deep.as_str(), Kind::Message, "7"),
        (huge.as_str(), Kind::Message, "7"),
    ] {
        let (seen_kind, seen_conversation, ..) = seen(text);
        assert_eq!((seen_kind, seen_conversation.as_str()), (kind, conversation), "{text:.100}");
    }
    let mut broken_text = update("message", r#"{"chat":{"id":7},"text":"?"}"#).into_bytes();
    *broken_text.iter_mut().find(|byte| **byte == b'?').unwrap() = 0xFF;
    let body = Bytes::from(broken_text);
    let view = UpdateView::of(&body).unwrap();
    assert_eq!(view.message().text().unwrap(), "\u{fffd}");
}

#[test]
fn what_is_no_update_says_why() {
    let error = |text: &str| UpdateView::of(&bytes(text)).unwrap_err();
    for text in ["", "{", "nonsense", r#"{"update_id":5"#, r#"{"update_id":5}x"#, r#"{"update_id":5,}"#] {
        assert!(matches!(error(text), UpdateError::NotJson(_)), "{text}");
    }
    for text in ["[]", "5", "null", "\"update_id\""] {
        assert_eq!(error(text), UpdateError::NotAnObject, "{text}");
    }
    for text in [
        "{}",
        r#"{"update_id":"5"}"#,
        r#"{"update_id":5.0}"#,
        r#"{"update_id":5e0}"#,
        r#"{"message":{"update_id":5}}"#,
        r#"{"update_id":99999999999999999999}"#,
    ] {
        assert_eq!(error(text), UpdateError::NoUpdateId, "{text}");
    }
    assert_eq!(error(r#"{"update_id":-1}"#), UpdateError::UpdateIdOutOfRange(-1));
    assert_eq!(error(r#"{"update_id":2147483648}"#), UpdateError::UpdateIdOutOfRange(2_147_483_648));
}

#[test]
fn the_parts_that_rules_ask_for_are_there() {
    let body = bytes(&update(
        "message",
        r#"{"message_id":9,"from":{"id":42},"chat":{"id":42,"type":"private"},"date":100,"text":"/start@Shop src_42","media_group_id":"m","migrate_to_chat_id":-100}"#,
    ));
    let view = UpdateView::of(&body).unwrap();
    let message = view.message();
    assert_eq!(
        (view.chat_id(), view.message_id(), view.kind_name().as_ref()),
        (Some(42), Some(9), "message")
    );
    assert_eq!(view.chat_type().unwrap(), "private");
    assert_eq!(message.command().unwrap().bot(), Some("Shop"));
    assert_eq!(message.start_payload().unwrap(), "src_42");
    assert_eq!((message.media_group().unwrap().as_ref(), message.migrated_to()), ("m", Some(-100)));

    let body = bytes(&update(
        "message",
        r#"{"from":{"id":42},"contact":{"phone_number":"+7900","user_id":42},"text":"\/start"}"#,
    ));
    let message = UpdateView::of(&body).unwrap().message();
    let contact = message.contact().unwrap();
    assert_eq!(
        (contact.phone.as_ref(), contact.user.map(UserId::get), contact.own),
        ("+7900", Some(42), true)
    );
    assert_eq!((message.command().unwrap().name(), message.start_payload()), ("start", None));

    let body = bytes(&update(
        "message",
        r#"{"from":{"id":42},"contact":{"phone_number":"1","user_id":43},"caption":"c","poll":{"id":"p"}}"#,
    ));
    let message = UpdateView::of(&body).unwrap().message();
    assert!(!message.contact().unwrap().own);
    assert_eq!((message.caption().unwrap().as_ref(), message.poll_id().unwrap().as_ref()), ("c", "p"));
    assert!(message.command().is_none());

    let body = bytes(&update(
        "callback_query",
        r#"{"id":"77","from":{"id":42},"data":"amo:1","inline_message_id":"i"}"#,
    ));
    let view = UpdateView::of(&body).unwrap();
    assert_eq!(view.callback_data().unwrap(), "amo:1");
    assert_eq!((view.query_id().unwrap().as_ref(), view.inline_message_id().unwrap().as_ref()), ("77", "i"));

    let body =
        bytes(&update("my_chat_member", r#"{"chat":{"id":42},"new_chat_member":{"status":"kicked"}}"#));
    assert_eq!(UpdateView::of(&body).unwrap().new_status().unwrap(), "kicked");
}

#[test]
fn an_event_has_the_updates_own_time_unless_it_is_not_credible() {
    let source = SourceId::new(3).unwrap();
    let received = Timestamp::from_secs(1000);
    for (text, at) in [
        (update("message", r#"{"chat":{"id":7},"date":900}"#), 900),
        (update("message", r#"{"chat":{"id":7},"date":1001}"#), 1000),
        (update("message", r#"{"chat":{"id":7},"date":9223372036854775807}"#), 1000),
        (update("message", r#"{"chat":{"id":7},"date":0}"#), 1000),
        (update("message", r#"{"chat":{"id":7},"date":-5}"#), 1000),
        (update("callback_query", r#"{"message":{"chat":{"id":7},"date":5}}"#), 1000),
    ] {
        let body = bytes(&text);
        let event = UpdateView::of(&body).unwrap().to_event(source, received);
        assert_eq!(event.at, Timestamp::from_secs(at), "{text}");
        assert_eq!(event.conversation, Conversation::chat(7));
        assert_eq!(event.body, body);
        let upstream = event.upstream.unwrap();
        assert_eq!((upstream.source, upstream.id.get()), (source, 5));
    }
}

#[test]
fn an_answer_is_cut_into_the_updates_own_bytes() {
    let array = bytes("[ {\"update_id\":1 , \"x\":\"\\u00e9]\"},\n{\"update_id\":2}\t, 3 ]\n");
    let slices = split_array(&array).unwrap();
    assert_eq!(slices, ["{\"update_id\":1 , \"x\":\"\\u00e9]\"}", "{\"update_id\":2}", "3"]);
    // Views into the same buffer, not copies.
    assert_eq!(slices[0].as_ptr(), array[2..].as_ptr());
    assert!(split_array(&bytes("[]")).unwrap().is_empty());
    for bad in ["", "{}", "[1", "[1,]", "[1 2]", "[1]x", "[,1]"] {
        assert!(split_array(&bytes(bad)).is_err(), "{bad}");
    }
}

#[test]
fn the_virtual_id_replaces_the_number_and_nothing_else() {
    let id = VirtualId::new(2_000_001).unwrap();
    for (before, after) in [
        (
            "{\"update_id\":1,\n\"message\":{\"update_id\":1}}",
            "{\"update_id\":2000001,\n\"message\":{\"update_id\":1}}",
        ),
        (
            " {\"message\" : {\"text\":\"\\\"update_id\\\":1\"} , \"update_id\"\t:\r\n 123456789 } ",
            " {\"message\" : {\"text\":\"\\\"update_id\\\":1\"} , \"update_id\"\t:\r\n 2000001 } ",
        ),
        ("{\"update\\u005fid\":1}", "{\"update\\u005fid\":2000001}"),
        ("{\"update_id\":1,\"update_id\":2}", "{\"update_id\":2000001,\"update_id\":2000001}"),
    ] {
        assert_eq!(with_update_id(&bytes(before), id).unwrap(), after);
    }
    assert_eq!(with_update_id(&bytes("{}"), id), Err(UpdateError::NoUpdateId));
    assert_eq!(with_update_id(&bytes("[]"), id), Err(UpdateError::NotAnObject));
}

/// JSON text with white space and odd members, as (text before the number, text after it).
fn around_an_id() -> impl Strategy<Value = (String, String)> {
    let space = "[ \n\r\t]{0,3}";
    let value = prop_oneof![
        "[0-9]{1,5}".prop_map(|digits| format!("1{digits}")),
        ".{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        "[a-z]{0,8}".prop_map(|key| format!("{{\"update_id\":3,\"{key}\":[null,{{\"a\":\"}}\"}}]}}")),
    ];
    let member = (space, "[a-z\"\\\\é]{0,6}", space, value, space).prop_map(|(a, key, b, value, c)| {
        format!("{a}{}{b}:{value}{c}", serde_json::to_string(&key).unwrap())
    });
    let members = proptest::collection::vec(member, 0..4);
    let key = prop_oneof![Just("\"update_id\""), Just("\"\\u0075pdate_id\""), Just("\"update\\u005Fid\"")];
    (members.clone(), members, key, space, space).prop_map(|(before, after, key, a, b)| {
        let head: String = before.into_iter().map(|member| member + ",").collect();
        let tail = after.into_iter().map(|member| format!(",{member}")).collect::<Vec<_>>().concat();
        (format!("{a}{{{head}{b}{key}{a}:{b}"), format!("{a}{tail}}}{b}"))
    })
}

proptest! {
    #[test]
    fn splicing_changes_the_number_only((before, after) in around_an_id(), old in 0..=i32::MAX, new in 1..=i32::MAX) {
        let update = Bytes::from(format!("{before}{old}{after}"));
        let spliced = with_update_id(&update, VirtualId::new(new.into()).unwrap()).unwrap();
        prop_assert_eq!(&spliced, &format!("{before}{new}{after}"));
        prop_assert_eq!(UpdateView::of(&update).unwrap().id().get(), i64::from(old));
        prop_assert_eq!(UpdateView::of(&spliced).unwrap().id().get(), i64::from(new));
    }

    #[test]
    fn slices_of_an_answer_are_found_byte_for_byte_in_it(
        updates in proptest::collection::vec(around_an_id(), 0..5),
        spaces in proptest::collection::vec("[ \n]{0,2}", 6),
    ) {
        let updates: Vec<_> = updates.iter().map(|(a, b)| format!("{a}7{b}").trim().to_owned()).collect();
        let mut text = format!("{}[", spaces[5]);
        for (index, update) in updates.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            text.extend([comma, &spaces[index], update, &spaces[4 - index]]);
        }
        text += "]";
        let answer = Bytes::from(text);
        let slices = split_array(&answer).unwrap();
        prop_assert_eq!(slices, updates);
    }

    #[test]
    fn any_object_with_an_integer_id_gives_a_view(kind in "[a-z_]{0,20}", object in r#"[0-9\[\]{}":,a-z ]{0,30}"#) {
        let text = format!("{{\"update_id\":5,\"{kind}\":{object}}}");
        let valid = serde_json::from_str::<std::collections::HashMap<&str, &serde_json::value::RawValue>>(&text).is_ok();
        let body = bytes(&text);
        let view = UpdateView::of(&body);
        if valid && kind != "update_id" {
            let view = view.unwrap();
            let event = view.to_event(SourceId::MIN, Timestamp::EPOCH);
            prop_assert_eq!(event.body, body);
        }
    }

    #[test]
    fn any_bytes_are_survived(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let body = Bytes::from(body);
        let _ = UpdateView::of(&body);
        let _ = split_array(&body);
        let _ = with_update_id(&body, VirtualId::MIN);
    }
}
