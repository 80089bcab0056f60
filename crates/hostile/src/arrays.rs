//! JSON: what is an array and where its elements are, against `serde_json`.

use bytes::Bytes;
use serde_json::value::RawValue;
use tandem_telegram::{envelope::Answer, update::split_array};

pub(crate) fn hold(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let ours = split_array(&bytes);
    // We look at no text's encoding: what is no UTF-8 may be an array for us and nothing for others.
    if let Ok(text) = std::str::from_utf8(data) {
        let theirs = serde_json::from_str::<Vec<&RawValue>>(text);
        match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => {
                let theirs: Vec<_> = theirs.iter().map(|value| value.get().as_bytes()).collect();
                assert_eq!(ours, &theirs);
            }
            (Err(_), Err(_)) => {}
            _ => panic!("ours {ours:?}, theirs {theirs:?}"),
        }
        // An array and what is no array are told apart in an answer as well.
        let answer = Bytes::from([b"{\"ok\":true,\"result\":", data, b"}"].concat());
        match (Answer::parse(&answer), ours.is_ok()) {
            (Ok(Answer::Done { result }), true) => assert_eq!(result, data.trim_ascii()),
            (_, false) => {}
            (other, true) => panic!("{other:?}"),
        }
    }
}
