use http::{HeaderValue, header};

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_767_607_200);

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body.as_bytes()), asked_at: NOW }
}

/// An answer that the row is about.
fn example(row: &Fault, status: u16) -> Answer {
    let mut answer = match row.says {
        Says::Anything => answer(status, ""),
        Says::Type(name) => {
            answer(status, &format!(r#"{{"status":0,"error_code":{status},"error_type":"{name}"}}"#))
        }
        Says::Html => answer(status, "<html>\r\n<head><title>403 Forbidden</title></head>"),
        Says::OtherTime => answer(status, r#"{"error_type":"ORIGIN_INVALID_SIGNATURE"}"#),
    };
    if row.says == Says::OtherTime {
        let theirs = sign::date(NOW.plus(Duration::from_secs(17 * 60 - 10)));
        answer.headers.insert(header::DATE, HeaderValue::from_str(&theirs).unwrap());
    }
    answer
}

fn expected(means: Meaning, repeat: Repeat) -> FailureKind {
    let later =
        |after: Option<u64>, blame| FailureKind::Later { after: after.map(Duration::from_secs), blame };
    match means {
        Meaning::Refused | Meaning::NotThere => FailureKind::Refused,
        Meaning::Forbidden | Meaning::Unauthorized | Meaning::Clock => {
            FailureKind::Stop(PauseReason::Refused)
        }
        Meaning::Unconnected | Meaning::Elsewhere => later(None, Blame::Destination),
        Meaning::TooFast => later(Some(1), Blame::Unclear),
        Meaning::Banned => later(Some(300), Blame::Destination),
        Meaning::Failed => match repeat {
            Repeat::Refused => FailureKind::Lost { blame: Blame::Unclear },
            Repeat::Harmless => later(None, Blame::Unclear),
        },
    }
}

#[test]
fn each_answer_of_the_table_means_what_it_says() {
    for row in FAULTS {
        for status in [*row.status.start(), *row.status.end()] {
            let first = FAULTS.iter().find(|other| {
                other.api == row.api && other.status.contains(&status) && other.says == row.says
            });
            let row = first.unwrap();
            let trouble = example(row, status).trouble(row.api).unwrap();
            assert_eq!(trouble.means, row.means, "{:?} {status} {:?}", row.api, row.says);
            for repeat in [Repeat::Harmless, Repeat::Refused] {
                let failure = trouble.failure(repeat);
                assert_eq!(failure.kind, expected(row.means, repeat), "{:?} {status}", row.api);
                assert!(!failure.words.is_empty());
            }
        }
    }
}

#[test]
fn each_status_that_is_no_success_has_a_row() {
    for api in [Api::Chats, Api::Rest, Api::Oauth] {
        for status in 300..600 {
            let rows = FAULTS.iter().filter(|row| row.api == api && row.status.contains(&status));
            assert!(rows.clone().any(|row| row.says == Says::Anything), "{api:?} {status}");
        }
        for status in [200, 202, 204] {
            assert_eq!(answer(status, "").trouble(api), None);
        }
    }
    assert_eq!(answer(199, "").trouble(Api::Chats).unwrap().means, Meaning::Failed);
}

#[test]
fn the_vendors_own_words_come_along_bounded() {
    let words = |api, status, body: &str| answer(status, body).trouble(api).unwrap().words;
    let envelope = r#"{"status":0,"error_code":403,"error_type":"ORIGIN_INVALID_SIGNATURE","error_description":"invalid signature"}"#;
    assert_eq!(
        words(Api::Chats, 403, envelope),
        "the chat service refuses the signature: the channel's secret is wrong, or it is not this channel's (403: ORIGIN_INVALID_SIGNATURE, invalid signature)"
    );
    let invalid = r#"{"validation-errors":[{"request_id":"0","errors":[{"code":"NotSupportedChoice","path":"custom_fields_values.0.field_id","detail":"The value is not valid."}]}],"title":"Bad Request","status":400,"detail":"Request validation failed"}"#;
    assert_eq!(
        words(Api::Rest, 400, invalid),
        "the account refuses what it was sent (400: Bad Request, NotSupportedChoice custom_fields_values.0.field_id The value is not valid.)"
    );
    let hint = r#"{"hint":"Token has been revoked","title":"Некорректный запрос","status":400,"detail":"x"}"#;
    assert_eq!(words(Api::Oauth, 400, hint), "the account gives no token (400: Token has been revoked, x)");
    let ban = "<html><head><title>403 Forbidden</title></head></html>";
    assert!(words(Api::Rest, 403, ban).ends_with("support lifts that (403)"));
    assert_eq!(words(Api::Chats, 502, "\u{1}nonsense"), "the chat service has failed (502)");
    let long = format!(r#"{{"error_description":"{}\n"}}"#, "я".repeat(1000));
    assert!(words(Api::Chats, 400, &long).chars().count() < 400);
}

#[test]
fn a_clock_that_is_off_is_said_to_be_instead_of_the_secret() {
    let off = |minutes: i64, status| {
        let mut answer = answer(status, r#"{"error_type":"ORIGIN_INVALID_SIGNATURE"}"#);
        let theirs = sign::date(Timestamp::from_secs(NOW.as_millis() / 1000 + minutes * 60));
        answer.headers.insert(header::DATE, HeaderValue::from_str(&theirs).unwrap());
        answer.trouble(Api::Chats).unwrap()
    };
    let slow = "the clock of this machine is 17 minutes slow, and the chat service takes at most 15: set it";
    assert_eq!(off(17, 403).words, slow);
    assert_eq!(off(-17, 403).words, slow.replace("slow", "fast"));
    assert_eq!(off(17, 403).failure(Repeat::Refused).kind, FailureKind::Stop(PauseReason::Refused));
    assert_eq!(off(14, 403).means, Meaning::Forbidden);
    assert_eq!(off(17, 400).means, Meaning::Refused);
}

#[test]
fn a_wish_to_be_asked_later_is_heard_wherever_it_stands() {
    let after = |answer: &Answer| match answer.trouble(Api::Rest).unwrap().failure(Repeat::Harmless).kind {
        FailureKind::Later { after, .. } => after,
        other => panic!("{other:?}"),
    };
    let body =
        r#"{"title":"Too Many Requests","status":429,"detail":"Request limit exceeded","retry_after":300}"#;
    assert_eq!(after(&answer(429, body)), Some(Duration::from_mins(5)));
    assert_eq!(after(&answer(429, "Too many requests")), Some(Duration::from_secs(1)));
    let mut with_header = answer(429, body);
    with_header.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("7"));
    assert_eq!(after(&with_header), Some(Duration::from_secs(7)));
}

#[test]
fn whose_a_chat_is_already_is_read_off_the_refusal() {
    let body = r#"{"validation-errors":[{"request_id":"0","errors":[{"code":"AlreadyExists","path":"chat_id","detail":"","entity_id":40100001}]}],"status":400}"#;
    assert_eq!(answer(400, body).belongs_to(), Some(40_100_001));
    let other = body.replace("AlreadyExists", "EntityNotFound");
    assert_eq!(answer(400, &other).belongs_to(), None);
}
