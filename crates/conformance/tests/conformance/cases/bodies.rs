//! Group 1, second half: body forms, their leniencies and their sizes (1.2, 1.3).

use serde_json::{Value, json};

use crate::{
    stage::{
        Person, Stage,
        http::{
            Answer, FORM, JSON, MULTIPART, Part, chunked, deflate, encoded, escape, file, get, gzip,
            multipart, post, request, text,
        },
    },
    table::{Case, Habit, case},
};

pub(crate) const CASES: &[Case] = &[
    case!(
        all_forms_mean_the_same,
        "1.2, 10.1",
        "Query, urlencoded, JSON and multipart carry the same parameters, for methods that pass and for those that concern updates."
    ),
    case!(
        the_query_overrides_the_body,
        "1.2, 10.1",
        "The query string is read first, and the first occurrence of a name wins, in a form too."
    ),
    case!(
        json_values_keep_their_text,
        "1.2",
        "Numbers as strings and as numbers, booleans, arrays and objects as JSON or as its text are the same."
    ),
    case!(null_is_a_text_of_four_letters, "1.2, 10.1", "`null` in JSON arrives as the text `null`."),
    case!(
        broken_json_counts_up_to_the_break,
        "1.2",
        "What came before a syntax error is used, and no error is answered."
    ),
    case!(
        json_that_is_no_object_has_no_parameters,
        "1.2",
        "A bare string, an array, a number and nothing at all are no error."
    ),
    case!(
        content_types_are_found_by_containing,
        "1.2",
        "`Application/JSON; charset=utf-8` and `text/plain, APPLICATION/X-WWW-FORM-URLENCODED` are recognised."
    ),
    case!(
        other_content_types_are_kept_aside,
        "1.2",
        "The body of `text/plain`, and of no type at all, is ignored; the query counts."
    ),
    case!(
        a_multipart_body_that_is_empty,
        "1.2, 10.1",
        "go-telegram/bot announces multipart, chunked, and sends nothing: no parameters."
    ),
    case!(
        a_part_with_a_file_name_is_a_file,
        "1.2",
        "A part with a `filename`, even an empty one, is no parameter."
    ),
    case!(
        a_part_may_be_a_form_itself,
        "1.2",
        "A part of the type `application/x-www-form-urlencoded` is expanded into parameters."
    ),
    case!(
        other_part_headers_are_ignored,
        "1.2",
        "`Content-Transfer-Encoding` and anything else in a part's head change nothing."
    ),
    case!(
        boundaries_may_be_quoted,
        "1.2",
        "Quoted and unquoted boundaries of up to 70 characters are accepted."
    ),
    case!(
        a_boundary_over_70_characters_is_refused,
        "1.2, 1.3",
        "A boundary of 71 characters is a request that cannot be read: a bare 400."
    )
    .tandem_differs("400 in the envelope (the rule of 1.3)"),
    case!(chunked_bodies, "1.2", "Bodies in chunks of any size are read, in each form."),
    case!(
        compressed_bodies,
        "1.2",
        "`Content-Encoding: gzip` and `deflate`, in any case, with and without chunks."
    ),
    case!(unknown_content_encodings_are_refused, "1.2, 1.3", "`br` gets a bare 415.")
        .tandem_differs("415 in the envelope (the rule of 1.3)"),
    case!(unknown_transfer_encodings_are_refused, "1.2", "`Transfer-Encoding: gzip` gets 501.")
        .both_differ("400, before anything of ours sees the request (hyper)"),
    case!(
        a_library_that_sends_everything_in_the_query,
        "1.2, 8.2",
        "Every parameter in the query of a POST, a long text with a keyboard too."
    )
    .habit(Habit::SendsEverythingInTheQuery),
    case!(
        a_library_whose_json_values_are_all_strings,
        "1.2",
        "telebot's `{\"limit\":\"1\",\"timeout\":\"0\",\"allowed_updates\":\"null\"}`."
    ),
    case!(query_strings_of_60_kb, "1.2, 10.1", "An address of 60 kB is read.")
        .habit(Habit::SendsEverythingInTheQuery),
    case!(
        query_strings_of_100_kb,
        "1.2, 1.3, 10.1",
        "256 KiB of request line and headers are allowed: an address of 100 kB is read."
    )
    .both_differ("a bare 414 above 64 KiB of address (DESIGN 5; hyper's limit)"),
    case!(headers_over_256_kib_are_refused, "1.3", "300 KiB of headers get a bare 431."),
    case!(
        parameters_over_1_mib_are_refused,
        "1.3",
        "A form or JSON body over 1 MiB gets 413 `Request Entity Too Large`, as the cloud says it."
    ),
    case!(parameters_just_below_1_mib_are_read, "1.3", "A body of 1,000,000 bytes is read."),
    case!(a_multipart_value_over_1_mib_is_refused, "1.3", "413, while files may be larger."),
    case!(fifty_files_and_no_more, "1.3", "50 files in a request are read, 51 get 413."),
];

/// Sends a text in each form and looks at what came of it.
async fn says(t: &Stage, person: &Person, request: Vec<u8>) -> Value {
    t.app.send(request).await.result();
    person.last().await
}

async fn all_forms_mean_the_same(t: &mut Stage) {
    let person = t.person().await;
    let (id, words) = (person.id.to_string(), "Привет & пока + \"ещё\" 100%");
    let path = t.app.path("sendMessage");
    let form = format!("chat_id={id}&text={}", escape(words));
    let plus = form.replace("%20", "+");
    for request in [
        get(&format!("{path}?{form}")),
        get(&format!("{path}?{plus}")),
        post(&format!("{path}?{form}"), "text/plain", ""),
        post(&path, FORM, &form),
        post(&path, FORM, &plus),
        post(&path, JSON, json!({"chat_id": person.id, "text": words}).to_string()),
        post(&path, JSON, json!({"chat_id": id, "text": words}).to_string()),
        post(&path, MULTIPART, multipart(&[text("chat_id", &id), text("text", words)])),
        request("GET", &path, &["Content-Type: application/json", "Content-Length: 2"], b"{}"),
    ]
    .into_iter()
    .take(8)
    {
        assert_eq!(says(t, &person, request).await["text"], words);
    }
    t.updates(json!({"offset": -1})).await;
    t.says(7, "more").await;
    let path = t.app.path("getUpdates");
    for request in [
        get(&format!("{path}?limit=1")),
        post(&path, FORM, "limit=1"),
        post(&path, JSON, r#"{"limit":1}"#),
        post(&path, MULTIPART, multipart(&[text("limit", "1")])),
    ] {
        assert_eq!(given(t, request).await, 1);
    }
}

/// How many updates a request for them gets.
async fn given(t: &Stage, request: Vec<u8>) -> usize {
    t.later(4).await;
    t.app.send(request).await.result().as_array().unwrap().len()
}

async fn three(t: &Stage) -> String {
    for text in ["one", "two", "three"] {
        t.says(7, text).await;
    }
    t.app.path("getUpdates")
}

async fn the_query_overrides_the_body(t: &mut Stage) {
    let path = three(t).await;
    for (request, found) in [
        (post(&format!("{path}?limit=1"), FORM, "limit=3"), 1),
        (post(&format!("{path}?limit=2"), JSON, r#"{"limit":3}"#), 2),
        (post(&format!("{path}?limit=2"), MULTIPART, multipart(&[text("limit", "1")])), 2),
        (get(&format!("{path}?limit=2&limit=1")), 2),
        (post(&path, FORM, "limit=1&limit=3"), 1),
        (post(&path, JSON, r#"{"limit":2,"limit":1}"#), 2),
        (post(&path, MULTIPART, multipart(&[text("limit", "2"), text("limit", "1")])), 2),
    ] {
        assert_eq!(given(t, request).await, found);
    }
    let person = t.person().await;
    let path = t.app.path("sendMessage");
    let form = format!("chat_id={}&text=body", person.id);
    let said = says(t, &person, post(&format!("{path}?text=query"), FORM, form)).await;
    assert_eq!(said["text"], "query");
    if let Some(sent) = t.mirrored().await {
        assert_eq!(sent[0]["parameters"]["texts"]["text"], "query");
    }
}

async fn json_values_keep_their_text(t: &mut Stage) {
    let person = t.person().await;
    let keyboard = json!({"inline_keyboard": [[{"text": "Yes", "callback_data": "yes"}]]});
    for (chat, silent, markup) in [
        (json!(person.id), json!(true), keyboard.clone()),
        (json!(person.id.to_string()), json!("true"), json!(keyboard.to_string())),
        (json!(person.id), json!(1), keyboard.clone()),
        (json!(person.id), json!("Yes"), keyboard.clone()),
    ] {
        let params = json!({"chat_id": chat, "text": "x", "protect_content": silent, "reply_markup": markup});
        let sent = t.app.call("sendMessage", params).await.result();
        assert_eq!(sent["has_protected_content"], true);
        assert_eq!(sent["reply_markup"], keyboard);
    }
    let path = three(t).await;
    for limit in ["2", "\"2\"", "2.9", "\"2 \""] {
        assert_eq!(given(t, post(&path, JSON, format!("{{\"limit\":{limit}}}"))).await, 2, "{limit}");
    }
}

async fn null_is_a_text_of_four_letters(t: &mut Stage) {
    let person = t.person().await;
    let sent = t.app.call("sendMessage", json!({"chat_id": person.id, "text": null})).await.result();
    assert_eq!(sent["text"], "null");
    let path = three(t).await;
    let nulls = r#"{"limit":null,"offset":null,"timeout":null,"allowed_updates":null}"#;
    assert_eq!(given(t, post(&path, JSON, nulls)).await, 1, "a limit of garbage is 0, and that is 1");
}

async fn broken_json_counts_up_to_the_break(t: &mut Stage) {
    let path = three(t).await;
    for (body, found) in [
        ("{\"limit\":1,", 1),
        ("{\"limit\":2,\"offset\":[1,}", 2),
        ("{\"limit\":2 \"limit\":1}", 2),
        ("{\"limit\":1}garbage", 1),
        ("{limit:1}", 3),
        ("{\"offset\":0,\"limit", 3),
    ] {
        assert_eq!(given(t, post(&path, JSON, body)).await, found, "{body}");
    }
    let person = t.person().await;
    let path = t.app.path("sendMessage");
    let refused = t.app.send(post(&path, JSON, format!("{{\"chat_id\":{},\"text\":\"x", person.id))).await;
    refused.is_refusal(400, "Bad Request: message text is empty");
}

async fn json_that_is_no_object_has_no_parameters(t: &mut Stage) {
    let path = three(t).await;
    for body in ["\"hello\"", "[1]", "7", "", "null", "{}", "nonsense", "   "] {
        assert_eq!(given(t, post(&path, JSON, body)).await, 3, "{body}");
    }
}

async fn content_types_are_found_by_containing(t: &mut Stage) {
    let path = three(t).await;
    for (kind, body) in [
        ("Application/JSON; charset=utf-8", "{\"limit\":1}"),
        ("text/plain, APPLICATION/X-WWW-FORM-URLENCODED", "limit=1"),
        ("x-application/json+y", "{\"limit\":1}"),
    ] {
        assert_eq!(given(t, post(&path, kind, body)).await, 1, "{kind}");
    }
    let parts = multipart(&[text("limit", "1")]);
    assert_eq!(given(t, post(&path, "Multipart/Form-Data; charset=utf-8; Boundary=b", parts)).await, 1);
}

async fn other_content_types_are_kept_aside(t: &mut Stage) {
    let path = three(t).await;
    assert_eq!(given(t, post(&path, "text/plain", "limit=1")).await, 3);
    assert_eq!(given(t, post(&path, "application/xml", "limit=1")).await, 3);
    assert_eq!(given(t, request("POST", &path, &["Content-Length: 7"], b"limit=1")).await, 3);
    assert_eq!(given(t, post(&format!("{path}?limit=2"), "text/plain", "limit=1")).await, 2);
}

async fn a_multipart_body_that_is_empty(t: &mut Stage) {
    let path = three(t).await;
    assert_eq!(given(t, chunked(&path, MULTIPART, &[])).await, 3);
    assert_eq!(given(t, post(&path, MULTIPART, "")).await, 3);
    assert_eq!(t.app.send(chunked(&t.app.path("getMe"), MULTIPART, &[])).await.result()["id"], t.bot.id());
}

async fn a_part_with_a_file_name_is_a_file(t: &mut Stage) {
    let path = three(t).await;
    for name in ["limit.txt", ""] {
        assert_eq!(given(t, post(&path, MULTIPART, multipart(&[file("limit", name, b"1")]))).await, 3);
    }
    let person = t.person().await;
    let id = person.id.to_string();
    let parts = [text("chat_id", &id), file("document", "", b"bytes")];
    t.app.send(post(&t.app.path("sendDocument"), MULTIPART, multipart(&parts))).await.result();
    assert_eq!(person.last().await["media"]["size"], 5);
}

async fn a_part_may_be_a_form_itself(t: &mut Stage) {
    let path = three(t).await;
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    let part = Part { name: "whatever", file_name: None, headers, content: b"limit=1&offset=0" };
    assert_eq!(given(t, post(&path, MULTIPART, multipart(&[part]))).await, 1);
}

async fn other_part_headers_are_ignored(t: &mut Stage) {
    let path = three(t).await;
    let headers =
        "Content-Transfer-Encoding: base64\r\nContent-Type: text/plain; charset=utf-8\r\nX-Other: 1\r\n";
    let part = Part { name: "limit", file_name: None, headers, content: b"2" };
    assert_eq!(given(t, post(&path, MULTIPART, multipart(&[part]))).await, 2);
}

fn with_boundary(boundary: &str) -> Vec<u8> {
    format!("--{boundary}\r\nContent-Disposition: form-data; name=\"limit\"\r\n\r\n1\r\n--{boundary}--\r\n")
        .into_bytes()
}

async fn boundaries_may_be_quoted(t: &mut Stage) {
    let path = three(t).await;
    let seventy = "x".repeat(70);
    for (boundary, kind) in [
        ("b", "multipart/form-data; boundary=\"b\"".to_owned()),
        ("a b;c", "multipart/form-data; boundary=\"a b;c\"; charset=utf-8".to_owned()),
        ("b", "multipart/form-data; boundary=b; charset=utf-8".to_owned()),
        (&seventy, format!("multipart/form-data; boundary={seventy}")),
    ] {
        assert_eq!(given(t, post(&path, &kind, with_boundary(boundary))).await, 1, "{kind}");
    }
}

async fn a_boundary_over_70_characters_is_refused(t: &mut Stage) {
    let long = "x".repeat(71);
    let kind = format!("multipart/form-data; boundary={long}");
    let answer = t.app.send(post(&t.app.path("getUpdates"), &kind, with_boundary(&long))).await;
    if t.differs() {
        answer.is_refusal(400, "Bad Request: can't parse request body");
    } else {
        answer.is_bare(400);
    }
}

async fn chunked_bodies(t: &mut Stage) {
    let path = three(t).await;
    let parts = multipart(&[text("limit", "1")]);
    let bytes: Vec<_> = parts.chunks(1).collect();
    for request in [
        chunked(&path, JSON, &[b"{\"li", b"mit\"", b":1}"]),
        chunked(&path, FORM, &[b"l", b"imit", b"=1"]),
        chunked(&path, MULTIPART, &bytes),
    ] {
        assert_eq!(given(t, request).await, 1);
    }
    let person = t.person().await;
    let body = json!({"chat_id": person.id, "text": "in pieces"}).to_string();
    let pieces: Vec<_> = body.as_bytes().chunks(3).collect();
    let said = says(t, &person, chunked(&t.app.path("sendMessage"), JSON, &pieces)).await;
    assert_eq!(said["text"], "in pieces");
}

async fn compressed_bodies(t: &mut Stage) {
    let path = three(t).await;
    let body = b"{\"limit\":1}";
    for (coding, body) in
        [("gzip", gzip(body)), ("GZIP", gzip(body)), ("deflate", deflate(body)), ("identity", body.to_vec())]
    {
        let coding = format!("Content-Encoding: {coding}");
        assert_eq!(given(t, encoded(&path, JSON, &[&coding], body)).await, 1, "{coding}");
    }
    let person = t.person().await;
    let path = t.app.path("sendMessage");
    for (coding, words) in [("gzip", "small"), ("deflate", "smaller")] {
        let body = json!({"chat_id": person.id, "text": words}).to_string();
        let body = if coding == "gzip" { gzip(body.as_bytes()) } else { deflate(body.as_bytes()) };
        let coding = format!("Content-Encoding: {coding}");
        assert_eq!(says(t, &person, encoded(&path, JSON, &[&coding], &body)).await["text"], words);
        if let Some(sent) = t.mirrored().await {
            assert_eq!(sent.last().unwrap()["parameters"]["texts"]["text"], words);
        }
        let piece = [format!("{:x}\r\n", body.len()).as_bytes(), &body, b"\r\n0\r\n\r\n"].concat();
        let kind = format!("Content-Type: {JSON}");
        let both = request("POST", &path, &[&kind, &coding, "Transfer-Encoding: chunked"], &piece);
        assert_eq!(says(t, &person, both).await["text"], words);
    }
}

async fn unknown_content_encodings_are_refused(t: &mut Stage) {
    for method in ["getUpdates", "setWebhook"] {
        let request = encoded(&t.app.path(method), JSON, &["Content-Encoding: br"], b"{}");
        let answer = t.app.send(request).await;
        if t.differs() {
            answer.is_refusal(415, "Unsupported Media Type");
        } else {
            answer.is_bare(415);
        }
    }
}

async fn unknown_transfer_encodings_are_refused(t: &mut Stage) {
    let headers = ["Content-Type: application/json", "Transfer-Encoding: gzip"];
    let answer = t.app.send(request("POST", &t.app.path("getMe"), &headers, b"{}")).await;
    answer.is_bare(if t.differs() { 400 } else { 501 });
}

async fn a_library_that_sends_everything_in_the_query(t: &mut Stage) {
    let person = t.person().await;
    let keyboard = json!({"inline_keyboard": [[{"text": "Да", "callback_data": "yes"}]]}).to_string();
    let words = "Очень длинный текст. ".repeat(190);
    let query = format!("chat_id={}&text={}&reply_markup={}", person.id, escape(&words), escape(&keyboard));
    let path = format!("{}?{query}", t.app.path("sendMessage"));
    assert!(path.len() > 20_000);
    let said = says(t, &person, request("POST", &path, &["Content-Length: 0"], b"")).await;
    assert_eq!(said["text"], words.trim_end());
    assert_eq!(said["keyboard"]["inline_keyboard"][0][0]["callback_data"], "yes");
    if let Some(sent) = t.mirrored().await {
        assert_eq!(sent[0]["parameters"]["texts"]["text"], words.as_str());
    }
    let path = three(t).await;
    let query = "limit=2&timeout=20&offset=1&allowed_updates=%5B%22message%22%5D&long_polling_timeout=20";
    assert_eq!(given(t, get(&format!("{path}?{query}"))).await, 2);
}

async fn a_library_whose_json_values_are_all_strings(t: &mut Stage) {
    let path = three(t).await;
    let body = r#"{"limit":"1","timeout":"0","offset":"1","allowed_updates":"null"}"#;
    assert_eq!(given(t, post(&path, JSON, body)).await, 1);
    assert!(t.webhook_info().await.get("allowed_updates").is_none());
}

/// A call whose address is so long. The parameter means nothing.
async fn long(t: &Stage, method: &str, bytes: usize) -> Answer {
    let path = t.app.path(method);
    let filler = "x".repeat(bytes - path.len() - 3);
    t.app.send(get(&format!("{path}?x={filler}"))).await
}

async fn query_strings_of_60_kb(t: &mut Stage) {
    for method in ["getUpdates", "getMe", "getWebhookInfo"] {
        long(t, method, 60_000).await.result();
    }
    // As pyTelegramBotAPI sends it: text and keyboard of a POST.
    let person = t.person().await;
    let path =
        format!("{}?chat_id={}&text=Hi&x={}", t.app.path("sendMessage"), person.id, "y".repeat(60_000));
    let said = says(t, &person, request("POST", &path, &["Content-Length: 0"], b"")).await;
    assert_eq!(said["text"], "Hi");
}

async fn query_strings_of_100_kb(t: &mut Stage) {
    for method in ["getUpdates", "getMe", "sendMessage"] {
        let answer = long(t, method, 100_000).await;
        if t.differs() {
            answer.is_bare(414);
        } else {
            assert_ne!(answer.status, 414);
        }
    }
}

async fn headers_over_256_kib_are_refused(t: &mut Stage) {
    let filler = format!("X-Filler: {}", "x".repeat(3000));
    let headers: Vec<_> = std::iter::repeat_n(filler.as_str(), 110).collect();
    let request = request("GET", &t.app.path("getMe"), &headers, b"");
    assert!(request.len() > 300 << 10);
    t.app.send(request).await.is_bare(431);
}

async fn parameters_over_1_mib_are_refused(t: &mut Stage) {
    let filler = "x".repeat(1 << 20);
    for method in ["getUpdates", "sendMessage"] {
        let path = t.app.path(method);
        for request in
            [post(&path, FORM, format!("x={filler}")), post(&path, JSON, format!("{{\"x\":\"{filler}\"}}"))]
        {
            t.app.send(request).await.is_refusal(413, "Request Entity Too Large");
        }
    }
}

async fn parameters_just_below_1_mib_are_read(t: &mut Stage) {
    let path = three(t).await;
    let body = json!({"x": "x".repeat(1_000_000), "limit": 1}).to_string();
    assert_eq!(given(t, post(&path, JSON, body)).await, 1);
}

async fn a_multipart_value_over_1_mib_is_refused(t: &mut Stage) {
    let large = "x".repeat((1 << 20) + 1);
    for method in ["getUpdates", "sendMessage"] {
        let body = multipart(&[text("x", &large)]);
        let answer = t.app.send(post(&t.app.path(method), MULTIPART, body)).await;
        answer.is_refusal(413, "Request Entity Too Large");
    }
    let person = t.person().await;
    let id = person.id.to_string();
    let body = multipart(&[text("chat_id", &id), file("document", "large.txt", large.as_bytes())]);
    t.app.send(post(&t.app.path("sendDocument"), MULTIPART, body)).await.result();
}

async fn fifty_files_and_no_more(t: &mut Stage) {
    let files = |number: usize| {
        let parts: Vec<_> = std::iter::repeat_with(|| file("f", "f", b"x")).take(number).collect();
        multipart(&parts)
    };
    for method in ["getMe", "getUpdates"] {
        let path = t.app.path(method);
        t.app.send(post(&path, MULTIPART, files(50))).await.result();
        let answer = t.app.send(post(&path, MULTIPART, files(51))).await;
        answer.is_refusal(413, "Request Entity Too Large");
    }
}
