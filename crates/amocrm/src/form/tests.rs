//! Hooks as the reference shows them (5.3 to 5.6), and all their oddities.

use proptest::prelude::*;
use tandem_model::{Timestamp, UserId};
use tandem_vendor::{HeardAct, News, Notice, Noticed};

use super::{AccountHook, FormError, Tree};

const CHAT: &str = "6d5c4b3a-2918-4706-95f4-e3d2c1b0a998";
const MESSAGE: &str = "7e6d5c4b-3a29-4817-96f5-e4d3c2b1a098";

/// A form of these lines, percent-encoded as amoCRM does it.
fn form(prefix: &str, lines: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (key, value) in lines {
        form.append_pair(&format!("{prefix}{key}"), value);
    }
    form.append_pair("account[subdomain]", "shopexample").append_pair("account[id]", "31000001");
    form.finish()
}

fn message<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut lines = vec![
        ("[id]", MESSAGE),
        ("[chat_id]", CHAT),
        ("[talk_id]", "117"),
        ("[contact_id]", "40100001"),
        ("[text]", "hello + you"),
        ("[created_at]", "1767607200"),
        ("[type]", "incoming"),
        ("[author][id]", "3c2b1a09-f8e7-46d5-84c3-b2a190817263"),
        ("[author][type]", "external"),
        ("[author][name]", "Anna"),
        ("[origin]", "telegram"),
    ];
    lines.retain(|(key, _)| !more.iter().any(|(other, _)| key == other));
    lines.extend(more.iter().filter(|(_, value)| !value.is_empty()));
    lines
}

fn news(form: &str) -> Vec<News> {
    AccountHook::read(form.as_bytes()).unwrap().news()
}

fn noticed(form: &str) -> Noticed {
    match news(form).remove(0) {
        News::Noticed(noticed) => *noticed,
        other => panic!("{other:?}"),
    }
}

fn ignored(form: &str) -> String {
    match news(form).remove(0) {
        News::Ignored(word) => word,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_clients_message_is_shown_with_its_chat_and_contact() {
    let body = form("message[add][0]", &message(&[]));
    assert_eq!(AccountHook::read(body.as_bytes()).unwrap().account, Some(31_000_001));
    let shown = noticed(&body);
    assert_eq!((shown.id.as_str(), shown.chat.theirs.as_str()), (MESSAGE, CHAT));
    assert_eq!(shown.contact.as_deref(), Some("40100001"));
    assert_eq!(shown.at, Timestamp::from_secs(1_767_607_200));
    assert_eq!(shown.notice, Notice::Shown { text: "hello + you".to_owned(), name: Some("Anna".to_owned()) });
    // Both spellings of a space, and brackets as they are.
    let bare = body.replace("%5B", "[").replace("%5D", "]").replace("hello+%2B+you", "hello%20%2B%20you");
    assert_eq!(noticed(&bare), shown);
}

#[test]
fn a_managers_message_is_heard_wherever_it_stands() {
    let by = [
        ("[type]", "outgoing"),
        ("[author][type]", "internal"),
        ("[author][user_id]", "8100001"),
        ("[author][name]", "Olga"),
    ];
    for prefix in ["outgoing_message[add][0]", "message[add][1]", "add[0]", "message[add]"] {
        match news(&form(prefix, &message(&by))).remove(0) {
            News::Heard(heard) => {
                assert_eq!(
                    (heard.id.as_deref(), heard.chat.theirs.as_str()),
                    (Some(MESSAGE), CHAT),
                    "{prefix}"
                );
                assert_eq!((heard.by.id.as_str(), heard.by.name.as_deref()), ("8100001", Some("Olga")));
                assert_eq!(heard.act, HeardAct::Said("hello + you".to_owned()));
            }
            other => panic!("{prefix}: {other:?}"),
        }
    }
    let file = [("[text]", ""), ("[attachment][type]", "picture"), ("[attachment][file_name]", "photo.jpg")];
    let lines = message(&[by.as_slice(), &file].concat());
    match news(&form("outgoing_message[add][0]", &lines)).remove(0) {
        News::Heard(heard) => assert_eq!(heard.act, HeardAct::Said("[photo.jpg]".to_owned())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn messages_of_channels_and_of_robots_are_nobodys() {
    for (more, word) in [
        (&[("[origin]", "amo.ext.12345678")][..], "message[add] of amo.ext.12345678"),
        (&[("[origin]", "")], "message[add] of no origin"),
        (&[("[type]", "outgoing"), ("[author][type]", "bot")], "message[add] by the Salesbot"),
        (&[("[author][type]", "martian")], "message[add] by nobody known"),
        (&[("[chat_id]", "../../x")], "message[add] without an id or a chat"),
        (&[("[created_at]", "soon")], "message[add] of no time"),
    ] {
        assert_eq!(ignored(&form("message[add][0]", &message(more))), word);
    }
}

#[test]
fn a_new_lead_tells_whose_chat_it_is() {
    let lines = [
        ("[uid]", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
        ("[source]", "telegram:0f1e2d3c"),
        ("[category]", "chats"),
        ("[source_data][service]", "telegram"),
        ("[source_data][client][name]", "Anna"),
        ("[source_data][client][id]", "1001"),
        ("[source_data][origin][provider]", "telegram"),
        ("[source_data][origin][chat_id]", CHAT),
        ("[source_data][source_name]", "shop_example_bot"),
        ("[data][contacts][0][id]", "40100001"),
        ("[created_at]", "1767607200"),
    ];
    let met = noticed(&form("unsorted[add][0]", &lines));
    assert_eq!((met.chat.theirs.as_str(), met.contact.as_deref()), (CHAT, Some("40100001")));
    let bot = Some("shop_example_bot".to_owned());
    assert_eq!(met.notice, Notice::Met { user: UserId::new(1001).unwrap(), bot });
    let without = |key: &str| {
        let lines: Vec<_> = lines.iter().copied().filter(|(known, _)| *known != key).collect();
        ignored(&form("unsorted[add][0]", &lines))
    };
    assert_eq!(without("[source_data][client][id]"), "unsorted[add] without a chat or its client");
    assert_eq!(without("[category]"), "unsorted[add] of no chat");
    let accepted = [("[action]", "accept"), ("[uid]", "0f1e"), ("[accept_result][leads][]", "50100001")];
    assert_eq!(ignored(&form("unsorted[delete][0]", &accepted)), "unsorted[delete]");
}

#[test]
fn a_talk_that_is_no_longer_in_work_is_over_once() {
    let lines = |in_work| {
        [("[talk_id]", "117"), ("[chat_id]", CHAT), ("[is_in_work]", in_work), ("[updated_at]", "1767607260")]
    };
    for no in ["0", "", "false"] {
        let over = noticed(&form("talk[update][0]", &lines(no)));
        assert_eq!((over.id.as_str(), &over.notice), ("talk:117:closed", &Notice::TalkClosed));
    }
    assert_eq!(ignored(&form("talk[update][0]", &lines("1"))), "talk[update] in work");
    assert_eq!(ignored(&form("talk[add][0]", &lines("0"))), "talk[add] in work");
}

#[test]
fn several_items_and_entities_share_one_request_and_are_told_in_order() {
    let first = message(&[("[text]", "one")]);
    let second = message(&[("[text]", "two"), ("[id]", "00000000-0000-4000-8000-000000000002")]);
    let mut body = form("message[add][10]", &second);
    body.push('&');
    body += &form("message[add][2]", &first);
    body += "&leads%5Badd%5D%5B0%5D%5Bid%5D=5&contacts%5Bupdate%5D%5B0%5D%5Bid%5D=6";
    let texts: Vec<String> = news(&body)
        .into_iter()
        .map(|news| match news {
            News::Noticed(noticed) => match noticed.notice {
                Notice::Shown { text, .. } => text,
                other => panic!("{other:?}"),
            },
            News::Ignored(word) => word,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(texts, ["contacts[update]", "leads[add]", "one", "two"]);
}

#[test]
fn what_is_wrapped_twice_is_unwrapped_and_true_maps_stay_maps() {
    let item = |body: &str| AccountHook::read(body.as_bytes()).unwrap().items.remove(0).fields;
    for body in ["task[update][0][0][id]=7", "task[update][0][id]=7", "task[update][0][task][id]=7"] {
        assert_eq!(item(body).number("id"), Some(7), "{body}");
    }
    assert_eq!(item("leads[note][0][note][text]=x").text("text"), Some("x"));
    assert_eq!(item("contacts[delete][0][id]=9").number("id"), Some(9));
    let lead = item("contacts[update][0][linked_leads_id][501][ID]=501&contacts[update][0][id]=4");
    let linked = lead.at("linked_leads_id").unwrap();
    assert_eq!(linked.at("501").unwrap().number("ID"), Some(501));
    assert_eq!(linked.numbered().len(), 1);
}

#[test]
fn a_key_that_does_not_fit_is_one_part_and_nothing_is_without_bounds() {
    for key in ["a[b", "a]b[", "[a]", "a[b]c", "a[b]c[d]", ""] {
        let tree = Tree::read(format!("{key}=v").as_bytes()).unwrap();
        assert_eq!(tree.at(key).and_then(Tree::value), Some("v"), "{key}");
    }
    let listed = Tree::read(b"a[]=1&a[]=2").unwrap();
    let values: Vec<_> = listed.at("a").unwrap().numbered().into_iter().filter_map(Tree::value).collect();
    assert_eq!(values, ["1", "2"]);
    assert_eq!(Tree::read(b"a=1&a=2").unwrap().text("a"), Some("2"));
    let deep = format!("a{}=1", "[x]".repeat(16));
    assert_eq!(Tree::read(deep.as_bytes()), Err(FormError::TooDeep));
    let many = "a=1&".repeat(4097);
    assert_eq!(Tree::read(many.as_bytes()), Err(FormError::TooMany));
    assert_eq!(ignored("account[id]=1"), "an empty form");
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(hook) = AccountHook::read(&body) {
            prop_assert!(!hook.news().is_empty());
        }
    }

    #[test]
    fn whatever_is_written_is_found_again(path in proptest::collection::vec("[a-zа-я0-9_ +&=%]{1,6}", 1..8), value in ".{0,20}") {
        let key = path[1..].iter().fold(path[0].clone(), |key, part| format!("{key}[{part}]"));
        let body = form_urlencoded::Serializer::new(String::new()).append_pair(&key, &value).finish();
        let tree = Tree::read(body.as_bytes()).unwrap();
        let found = path.iter().try_fold(&tree, |tree, part| tree.at(part));
        prop_assert_eq!(found.and_then(Tree::value), Some(value.as_str()));
    }
}
