//! Signatures: of our requests to the chat service (1.2), of its hooks (2.2), of the disable hook (6.5).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use jiff::fmt::rfc2822;
use md5::{Digest, Md5};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::Sha256;
use tandem_model::Timestamp;

/// The only content type there is.
pub(crate) const CONTENT_TYPE: &str = "application/json";

/// The key of a channel: its secret as a text. It looks like hexadecimal digits and is not to be decoded.
#[derive(Clone)]
pub(crate) struct ChannelKey(Hmac<Sha1>);

/// What a signed request carries beside its content type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) date: String,
    pub(crate) content_md5: String,
    pub(crate) signature: String,
}

impl ChannelKey {
    pub(crate) fn new(secret: &SecretString) -> Self {
        Self(Hmac::new_from_slice(secret.expose_secret().as_bytes()).expect("HMAC takes keys of any length"))
    }

    /// Signs a request. The path is without host and query.
    pub(crate) fn sign(&self, method: &Method, path: &str, body: &[u8], date: String) -> Signed {
        let content_md5 = hex::encode(Md5::digest(body));
        let mut mac = self.0.clone();
        for part in [method.as_str(), "\n", &content_md5, "\n", CONTENT_TYPE, "\n", &date, "\n", path] {
            mac.update(part.as_bytes());
        }
        let signature = hex::encode(mac.finalize().into_bytes());
        Signed { date, content_md5, signature }
    }

    /// Whether a hook's signature is that of its body. In production the body ends with a newline that is not signed;
    /// the documentation signs all of it: either will do.
    pub(crate) fn proves(&self, body: &[u8], signature: &[u8]) -> bool {
        let mut expected = [0; 20];
        if hex::decode_to_slice(signature, &mut expected).is_err() {
            return false;
        }
        let is_signed = |body: &[u8]| self.0.clone().chain_update(body).verify_slice(&expected).is_ok();
        let whole = is_signed(body);
        body.strip_suffix(b"\n").is_some_and(is_signed) || whole
    }
}

impl fmt::Debug for ChannelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChannelKey(..)")
    }
}

/// Whether the disable hook was signed with the secret of the integration.
pub(crate) fn proves_disabling(
    secret: &SecretString,
    client_id: &str,
    account: &str,
    signature: &[u8],
) -> bool {
    let mut expected = [0; 32];
    if hex::decode_to_slice(signature, &mut expected).is_err() {
        return false;
    }
    Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes keys of any length")
        .chain_update(client_id)
        .chain_update("|")
        .chain_update(account)
        .verify_slice(&expected)
        .is_ok()
}

/// A moment as the `Date` header has it; the day with both its digits, as the vendor's vectors have it.
pub(crate) fn date(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// The moment that a `Date` header says.
pub(crate) fn read_date(text: &str) -> Option<Timestamp> {
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Timestamp::from_millis(date.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: &str = "344a5002-f8ca-454d-af3d-396180102ac7";
    const OUR_CHANNEL: &str = "0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0";
    const OUR_ACCOUNT: &str = "9f8e7d6c-5b4a-4392-8172-615f4e3d2c1b";

    fn vendors() -> ChannelKey {
        ChannelKey::new(&"f2d7f8704eff95087ed45b23ba99c0b5aac8278e".into())
    }

    fn ours() -> ChannelKey {
        ChannelKey::new(&"00112233445566778899aabbccddeeff01234567".into())
    }

    #[test]
    fn requests_are_signed_as_the_vendors_own_vectors() {
        let scope = format!("{CHANNEL}_52e591f7-c98f-4255-8495-827210138c81");
        let message = "079e44fb-fc22-476b-9e8a-421b688ec53b";
        let account = r#"{"account_id":"52e591f7-c98f-4255-8495-827210138c81""#;
        for (method, path, date, body, md5, signature) in [
            (
                Method::POST,
                format!("/v2/origin/custom/{CHANNEL}/connect"),
                "Wed, 15 Dec 2021 23:12:55 +0000",
                format!(r#"{account},"title":"ChatsIntegration","hook_api_version":"v2"}}"#),
                "2fbcb3c652b61e24e004daddfc73d0ce",
                "81211856ce0c5095f3e1a90c0a38dc9d736cfd55",
            ),
            (
                Method::DELETE,
                format!("/v2/origin/custom/{CHANNEL}/disconnect"),
                "Wed, 15 Dec 2021 23:59:28 +0000",
                format!("{account}}}"),
                "271fa2e4fb0ff84a3ef9689027bd1f38",
                "e1678e3b6aa674b5127f4feb448e6200ce0bfc72",
            ),
            (
                Method::POST,
                format!("/v2/origin/custom/{scope}/typing"),
                "Thu, 16 Dec 2021 16:01:21 +0000",
                r#"{"conversation_id":"my_int-d5a421f7f218","sender":{"id":"my_int-1376265f-86df-4c49-a0c3-a4816df41af8"}}"#.to_owned(),
                "255a22566d68be207fa36804e78a523a",
                "e8263b1daf2b20396c02db6c8c846f95cc0f9540",
            ),
            (
                Method::POST,
                format!("/v2/origin/custom/{scope}/{message}/delivery_status"),
                "Thu, 16 Dec 2021 12:58:40 +0000",
                format!(r#"{{"msgid":"{message}","delivery_status":2,"error_code":905,"error":"Error text"}}"#),
                "a0bbbac729c6341f0a521e2db7a8a236",
                "ca51f810785031385a801f41103244713c1a2352",
            ),
        ] {
            let signed = vendors().sign(&method, &path, body.as_bytes(), date.to_owned());
            assert_eq!((signed.content_md5.as_str(), signed.signature.as_str()), (md5, signature), "{path}");
        }
    }

    #[test]
    fn requests_are_signed_as_ours_have_to_be() {
        let scope = format!("{OUR_CHANNEL}_{OUR_ACCOUNT}");
        let chat = "6d5c4b3a-2918-4706-95f4-e3d2c1b0a998";
        let message = "1a2b3c4d-5e6f-4708-8192-a3b4c5d6e7f8";
        let utc = "Mon, 05 Jan 2026 10:00:00 +0000";
        for (method, path, date, body, md5, signature) in [
            (
                Method::POST,
                format!("/v2/origin/custom/{OUR_CHANNEL}/connect"),
                utc,
                format!(r#"{{"account_id":"{OUR_ACCOUNT}","title":"TgBridge","hook_api_version":"v2"}}"#),
                "57526ec7e54c09ab0adeb134287839e6",
                "1b4c1e91a5a4381ea6b03fe8a6fef7d41bc85e37",
            ),
            (
                Method::POST,
                format!("/v2/origin/custom/{scope}"),
                utc,
                r#"{"event_type":"new_message","payload":{"timestamp":1767607200,"msec_timestamp":1767607200123,"msgid":"tg:777:42","conversation_id":"tg:777:1001","silent":false,"sender":{"id":"tg:1001","name":"Анна"},"message":{"type":"text","text":"Привет 👋 a/b"}}}"#.to_owned(),
                "51549afa7b223c9d130b83620926138e",
                "2f5e67e5c1541ccb7aa1eade290fb4eadf26be16",
            ),
            (
                Method::GET,
                format!("/v2/origin/custom/{scope}/chats/{chat}/history"),
                utc,
                String::new(),
                "d41d8cd98f00b204e9800998ecf8427e",
                "37843c0ac7103ad93a40b6dd4e574053101104af",
            ),
            (
                Method::POST,
                format!("/v2/origin/custom/{scope}/{message}/delivery_status"),
                "Mon, 05 Jan 2026 10:00:00 GMT",
                r#"{"status_code":-1,"error_code":905,"error":"Forbidden: bot was blocked by the user"}"#.to_owned(),
                "680ef164b874f348dc6bd4f4894a69c0",
                "2468fbd59358ebeb620b7d0ff2c2aa1eae38d956",
            ),
        ] {
            let signed = ours().sign(&method, &path, body.as_bytes(), date.to_owned());
            assert_eq!((signed.content_md5.as_str(), signed.signature.as_str()), (md5, signature), "{path}");
        }
    }

    /// Vector E.
    const HOOK: &str = r#"{"account_id":"9f8e7d6c-5b4a-4392-8172-615f4e3d2c1b","time":1767607260,"message":{"receiver":{"id":"3c2b1a09-f8e7-46d5-84c3-b2a190817263","phone":"","email":"","client_id":"tg:1001"},"sender":{"id":"5e4d3c2b-1a09-48f7-86e5-d4c3b2a19081"},"conversation":{"id":"6d5c4b3a-2918-4706-95f4-e3d2c1b0a998","client_id":"tg:777:1001"},"source":{"external_id":"bot_777"},"timestamp":1767607260,"msec_timestamp":1767607260500,"message":{"id":"1a2b3c4d-5e6f-4708-8192-a3b4c5d6e7f8","type":"text","text":"Hello","markup":null,"tag":"","media":"","thumbnail":"","file_name":"","file_size":0}}}"#;

    #[test]
    fn a_hook_is_proved_with_and_without_its_last_newline() {
        let (bare, whole) =
            ("36cf6f258b66f5e2fa714c6c6d3cb6281fbd39e4", "8d3da0dccd1cbe4d6dccfad255e7a9a3dc874586");
        assert_eq!(HOOK.len(), 578);
        let with_newline = format!("{HOOK}\n");
        let proves = |body: &str, signature: &str| ours().proves(body.as_bytes(), signature.as_bytes());
        assert!(proves(HOOK, bare));
        assert!(proves(&with_newline, bare));
        assert!(proves(&with_newline, whole));
        for (body, signature) in [
            (HOOK, whole),
            (&*format!("{HOOK}\n\n"), bare),
            (&*HOOK.replace("Hello", "hello"), bare),
            (HOOK, ""),
            (HOOK, &bare[2..]),
            (HOOK, "zz cf6f258b66f5e2fa714c6c6d3cb6281fbd39e4"),
            ("", ""),
        ] {
            assert!(!proves(body, signature), "{signature}");
        }
    }

    #[test]
    fn the_disable_hook_is_proved_by_its_vector() {
        let proves = |secret: &str, client, account, signature: &str| {
            proves_disabling(&secret.into(), client, account, signature.as_bytes())
        };
        let client = "12345678-90ab-4cde-8f01-234567890abc";
        let signature = "fac9f0a25d970c1713dbccba7a899f8082bdcb23cc1451026940bc7be047d937";
        assert!(proves("exampleClientSecret", client, "31000001", signature));
        assert!(!proves("exampleClientSecret", client, "31000002", signature));
        assert!(!proves("another", client, "31000001", signature));
        assert!(!proves("exampleClientSecret", client, "31000001", &signature[2..]));
    }

    #[test]
    fn dates_are_written_as_the_vectors_have_them_and_read_in_both_spellings() {
        let at = Timestamp::from_secs(1_767_607_200);
        assert_eq!(date(at), "Mon, 05 Jan 2026 10:00:00 +0000");
        assert_eq!(read_date("Mon, 05 Jan 2026 10:00:00 GMT"), Some(at));
        assert_eq!(read_date(&date(at)), Some(at));
        assert_eq!(read_date("yesterday"), None);
    }

    #[test]
    fn a_key_shows_nothing() {
        assert_eq!(format!("{:?}", ours()), "ChannelKey(..)");
    }
}
