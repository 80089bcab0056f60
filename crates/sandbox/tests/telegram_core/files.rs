//! `getFile` and downloads.

use serde_json::{Value, json};
use tandem_sandbox::telegram::NewBot;

use crate::stage::{Answer, Stage, post, read_answer, soon};

/// A client who has written to the bot.
async fn client(stage: &Stage) -> i64 {
    let control = stage.sandbox.control_url().trim_start_matches("http://").to_owned();
    let act = async |path: &str, body: Value| {
        let mut stream = tokio::net::TcpStream::connect(&control).await.unwrap();
        let request = post(path, "application/json", body.to_string());
        tokio::io::AsyncWriteExt::write_all(&mut stream, &request).await.unwrap();
        let answer = soon("an answer", read_answer(&mut stream)).await;
        assert!(answer.status < 300, "{path}: {answer:?}");
        answer.json()
    };
    let user = act("/users", json!({"first_name": "Ann"})).await["id"].as_i64().unwrap();
    act(&format!("/users/{user}/bots/{}/start", stage.bot.id()), json!({})).await;
    user
}

/// Sends a document of this size and gives its file id.
async fn upload(stage: &Stage, size: usize) -> String {
    let user = client(stage).await;
    let part =
        "--b\r\nContent-Disposition: form-data; name=\"document\"; filename=\"price list.pdf\"\r\n\r\n";
    let body = [part.as_bytes(), &content(size), b"\r\n--b--\r\n"].concat();
    let path = format!("/bot{}/sendDocument?chat_id={user}", stage.token());
    let answer = stage.post(&path, "multipart/form-data; boundary=b", body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["result"]["document"]["file_id"].as_str().unwrap().to_owned()
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|n| u8::try_from(n % 251).unwrap()).collect()
}

async fn download(stage: &Stage, path: &str) -> Answer {
    stage.raw(format!("GET /file/bot{}/{path} HTTP/1.1\r\nHost: t\r\n\r\n", stage.token())).await
}

#[tokio::test]
async fn an_upload_comes_back_byte_for_byte_with_a_plain_or_an_escaped_path() {
    let stage = Stage::start().await;
    let file_id = upload(&stage, 300_000).await;
    let file = stage.call("getFile", &format!("file_id={file_id}")).await.json()["result"].clone();
    assert_eq!(file["file_size"], 300_000);
    assert_eq!(file["file_id"], file_id);
    let path = file["file_path"].as_str().unwrap();
    assert_eq!(path, "documents/file_0.pdf");
    for path in [path.to_owned(), path.replace('/', "%2F"), format!("test/{path}")] {
        let answer = download(&stage, &path).await;
        assert_eq!((answer.status, answer.body == content(300_000)), (200, true), "{path}");
    }
}

#[tokio::test]
async fn a_path_is_valid_for_an_hour_and_get_file_opens_it_again() {
    let stage = Stage::start().await;
    let file_id = upload(&stage, 10).await;
    let form = format!("file_id={file_id}");
    let path = stage.call("getFile", &form).await.json()["result"]["file_path"].as_str().unwrap().to_owned();
    stage.advance(3599);
    assert_eq!(download(&stage, &path).await.status, 200);
    stage.advance(1);
    let expired = download(&stage, &path).await;
    assert_eq!(expired.json(), json!({"ok": false, "error_code": 404, "description": "Not Found"}));
    stage.call("getFile", &form).await;
    assert_eq!(download(&stage, &path).await.status, 200);
}

#[tokio::test]
async fn get_file_refuses_what_is_over_20_mb_or_somebody_elses() {
    let stage = Stage::start().await;
    let description = |answer: Answer| answer.json()["description"].as_str().unwrap().to_owned();
    let large = upload(&stage, (20 << 20) + 1).await;
    let answer = stage.call("getFile", &format!("file_id={large}")).await;
    assert_eq!(description(answer), "Bad Request: file is too big");
    let wrong = "Bad Request: wrong file_id or the file is temporarily unavailable";
    assert_eq!(description(stage.call("getFile", "file_id=nonsense").await), wrong);
    let other = stage.sandbox.telegram().create_bot(NewBot::default()).unwrap();
    let path = format!("/bot{}/getFile?file_id={large}", other.token());
    assert_eq!(description(stage.post(&path, "text/plain", "").await), wrong);
    let nothing = stage.call("getFile", "").await;
    assert_eq!(description(nothing), "Bad Request: file_id not specified");
}

#[tokio::test]
async fn a_fault_meets_downloads_too() {
    let stage = Stage::start().await;
    let file_id = upload(&stage, 10).await;
    let file = stage.call("getFile", &format!("file_id={file_id}")).await.json();
    let path = file["result"]["file_path"].as_str().unwrap().to_owned();
    let fault =
        json!({"method": "file", "fault": {"kind": "status", "code": 502, "body": "html"}, "times": 1});
    stage.bot.plant_fault(serde_json::from_value(fault).unwrap()).unwrap();
    assert_eq!(download(&stage, &path).await.status, 502);
    assert_eq!(download(&stage, &path).await.status, 200);
    let wrong =
        stage.raw(format!("GET /file/bot1:{}/{path} HTTP/1.1\r\nHost: t\r\n\r\n", "A".repeat(35))).await;
    assert_eq!(wrong.status, 401);
}
