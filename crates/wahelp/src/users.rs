//! Who a client is in a channel: added by his phone, once; after that he goes by his number (6).

use serde_json::{Value, json};
use tandem_vendor::{Failure, FailureKind};

use crate::{
    api::{Api, NotHad, Repeat, Request},
    channels::Channel,
    envelope::{self, Meaning},
};

/// The digits of a phone with the country's, or `None` for what is no phone. Russians also write theirs with an 8.
pub(crate) fn digits(phone: &str) -> Option<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let digits = match (digits.len(), digits.strip_prefix('8')) {
        (11, Some(rest)) if !phone.trim_start().starts_with('+') => format!("7{rest}"),
        _ => digits,
    };
    (8..=15).contains(&digits.len()).then_some(digits)
}

/// The client's number in the channel.
pub(crate) async fn add(api: &Api, channel: &Channel, phone: &str, name: &str) -> Result<String, Failure> {
    let path = api.in_project(&format!("/channels/{}/users", channel.uuid));
    let body = json!({"phone": format!("+{phone}"), "name": name, "need_create": true});
    let not_had = match api.send(Request::post(path, &body)).await {
        Ok(data) => match user_of(&data) {
            Some(id) => return Ok(id),
            None => {
                return find(api, channel, phone)
                    .await?
                    .ok_or_else(|| nobody("it answered without a number"));
            }
        },
        Err(not_had) => not_had,
    };
    let NotHad::Answered(trouble) = &not_had else { return Err(not_had.failure(Repeat::Harmless)) };
    match trouble.means {
        // He may be there already: his number stands beside the error, or he is found by his phone.
        Meaning::Refused | Meaning::NotThere => {
            if let Some(id) = beside_error(&trouble.body) {
                return Ok(id);
            }
            match find(api, channel, phone).await? {
                Some(id) => Ok(id),
                None => Err(nobody(&trouble.words)),
            }
        }
        _ => Err(not_had.failure(Repeat::Harmless)),
    }
}

async fn find(api: &Api, channel: &Channel, phone: &str) -> Result<Option<String>, Failure> {
    let path = api.in_project("/contacts/contact_by_phone");
    let request = Request::post(path, &json!({"phone": phone, "need_create": false}));
    let contact = match api.send(request).await {
        Ok(contact) => contact,
        Err(NotHad::Answered(trouble)) if matches!(trouble.means, Meaning::NotThere | Meaning::Refused) => {
            return Ok(None);
        }
        Err(not_had) => return Err(not_had.failure(Repeat::Harmless)),
    };
    let users = contact["users"].as_array().cloned().unwrap_or_default();
    let of_channel = |user: &&Value| envelope::id(&user["channel_id"]).as_deref() == Some(&channel.id);
    Ok(users.iter().find(of_channel).and_then(|user| envelope::id(&user["id"])))
}

fn user_of(data: &Value) -> Option<String> {
    envelope::id(&data["id"]).or_else(|| envelope::id(&data["user"]["id"]))
}

/// An id that an error carries, wherever it stands near it.
fn beside_error(body: &Value) -> Option<String> {
    let places =
        ["/data/id", "/data/user_id", "/data/user/id", "/errors/id", "/error/id", "/user_id", "/user/id"];
    places.iter().find_map(|place| envelope::id(body.pointer(place)?))
}

fn nobody(why: &str) -> Failure {
    Failure::new(FailureKind::Refused, format!("Wahelp could not add the client to the channel: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_is_its_digits_and_an_id_is_found_beside_an_error() {
        for (written, found) in [
            ("+7 (999) 000-11-22", Some("79990001122")),
            ("8 999 000 11 22", Some("79990001122")),
            ("79990001122", Some("79990001122")),
            ("+44 20 7946 0000", Some("442079460000")),
            ("911", None),
            ("none", None),
        ] {
            assert_eq!(digits(written).as_deref(), found, "{written}");
        }
        assert_eq!(beside_error(&json!({"success": false, "data": {"id": 5}})).as_deref(), Some("5"));
        assert_eq!(beside_error(&json!({"errors": {"id": "7"}})).as_deref(), Some("7"));
        assert_eq!(beside_error(&json!({"message": "no"})), None);
    }
}
