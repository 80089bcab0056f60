//! Parameters of a JSON body, against `serde_json`: the first of a name wins, texts are unescaped, everything else stays as
//! it was written.

use std::{collections::BTreeMap, fmt};

use http::{HeaderMap, HeaderValue, header};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use tandem_telegram::{allowed::AllowedUpdates, params::Params};

/// More names than are kept; no comparing beyond it.
const MANY: usize = 1000;

pub(crate) fn hold(data: &[u8]) {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let ours = Params::read(None, &headers, data);
    if let Ok(params) = &ours {
        for (name, text) in params.texts() {
            check_lenient(params, name, text);
        }
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(Members(members)) = serde_json::from_str(text) else { return };
    // A lone surrogate is an error for others and a replacement character for us.
    let mut expected = BTreeMap::new();
    for (name, value) in &members {
        let value = if value.get().starts_with('"') {
            let Ok(text) = serde_json::from_str(value.get()) else { return };
            text
        } else {
            value.get().to_owned()
        };
        expected.entry(name.as_str()).or_insert(value);
    }
    if expected.len() >= MANY || data.len() > 1 << 20 {
        return;
    }
    let ours = ours.expect("an object is read");
    assert!(ours.whole);
    assert_eq!(
        ours.texts().collect::<Vec<_>>(),
        expected.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>()
    );
}

/// What is read out of a text stays within its bounds, and what we say of kinds is understood by ourselves.
fn check_lenient(params: &Params, name: &str, text: &str) {
    assert!((-5..=100).contains(&params.integer(name, 0, -5, 100)));
    let _ = (params.boolean(name), params.file(name).is_some());
    if let AllowedUpdates::Topics(topics) = AllowedUpdates::of(Some(text)) {
        let names = tandem_telegram::allowed::shown(topics).expect("it is not the default");
        let written = serde_json::to_string(&names).expect("names are texts");
        assert_eq!(AllowedUpdates::of(Some(&written)), AllowedUpdates::Topics(topics));
    }
}

/// An object as it is written, repeated names too.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}
