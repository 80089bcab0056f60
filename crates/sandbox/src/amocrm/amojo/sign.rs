//! The signatures of the Chats API: four headers on what comes in, one on the hooks that go out (reference 1.2, 2.2).
//!
//! Pure. The key is the channel's secret as ASCII text; it only looks like hexadecimal.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use sha1::Sha1;

use crate::amocrm::ids::hex;

/// What a request's signature covers, each part as it was sent; an absent header is an empty part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    pub(crate) content_md5: &'a str,
    pub(crate) content_type: &'a str,
    pub(crate) date: &'a str,
    /// Without scheme, host and query.
    pub(crate) path: &'a str,
}

impl Signed<'_> {
    /// The `X-Signature` that belongs to it.
    pub(crate) fn signature(&self, secret: &str) -> String {
        let Self { method, content_md5, content_type, date, path } = self;
        hmac_sha1(
            secret,
            [method, content_md5, content_type, date, path].map(|part| *part).join("\n").as_bytes(),
        )
    }
}

/// The `X-Signature` of a hook: of its body alone.
pub(crate) fn of_body(secret: &str, body: &[u8]) -> String {
    hmac_sha1(secret, body)
}

/// `Content-MD5` as amoCRM wants it: lower-case hexadecimal, not base64.
pub(crate) fn content_md5(body: &[u8]) -> String {
    hex(&Md5::digest(body))
}

fn hmac_sha1(secret: &str, text: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(text);
    hex(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VENDORS: &str = "f2d7f8704eff95087ed45b23ba99c0b5aac8278e";
    const VENDORS_CHANNEL: &str = "344a5002-f8ca-454d-af3d-396180102ac7";
    const VENDORS_SCOPE: &str = "344a5002-f8ca-454d-af3d-396180102ac7_52e591f7-c98f-4255-8495-827210138c81";
    const OURS: &str = "00112233445566778899aabbccddeeff01234567";
    const CHANNEL: &str = "0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0";
    const SCOPE: &str = "0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0_9f8e7d6c-5b4a-4392-8172-615f4e3d2c1b";
    const MONDAY: &str = "Mon, 05 Jan 2026 10:00:00 +0000";

    #[track_caller]
    fn check(secret: &str, method: &str, path: &str, date: &str, body: &str, md5: &str, signature: &str) {
        assert_eq!(content_md5(body.as_bytes()), md5, "{body}");
        let path = format!("/v2/origin/custom/{path}");
        let signed = Signed { method, content_md5: md5, content_type: "application/json", date, path: &path };
        assert_eq!(signed.signature(secret), signature, "{method} {path}");
    }

    #[test]
    fn the_vendors_own_vectors() {
        check(
            VENDORS,
            "POST",
            &format!("{VENDORS_CHANNEL}/connect"),
            "Wed, 15 Dec 2021 23:12:55 +0000",
            r#"{"account_id":"52e591f7-c98f-4255-8495-827210138c81","title":"ChatsIntegration","hook_api_version":"v2"}"#,
            "2fbcb3c652b61e24e004daddfc73d0ce",
            "81211856ce0c5095f3e1a90c0a38dc9d736cfd55",
        );
        check(
            VENDORS,
            "DELETE",
            &format!("{VENDORS_CHANNEL}/disconnect"),
            "Wed, 15 Dec 2021 23:59:28 +0000",
            r#"{"account_id":"52e591f7-c98f-4255-8495-827210138c81"}"#,
            "271fa2e4fb0ff84a3ef9689027bd1f38",
            "e1678e3b6aa674b5127f4feb448e6200ce0bfc72",
        );
        check(
            VENDORS,
            "POST",
            &format!("{VENDORS_SCOPE}/typing"),
            "Thu, 16 Dec 2021 16:01:21 +0000",
            r#"{"conversation_id":"my_int-d5a421f7f218","sender":{"id":"my_int-1376265f-86df-4c49-a0c3-a4816df41af8"}}"#,
            "255a22566d68be207fa36804e78a523a",
            "e8263b1daf2b20396c02db6c8c846f95cc0f9540",
        );
        check(
            VENDORS,
            "POST",
            &format!("{VENDORS_SCOPE}/079e44fb-fc22-476b-9e8a-421b688ec53b/delivery_status"),
            "Thu, 16 Dec 2021 12:58:40 +0000",
            r#"{"msgid":"079e44fb-fc22-476b-9e8a-421b688ec53b","delivery_status":2,"error_code":905,"error":"Error text"}"#,
            "a0bbbac729c6341f0a521e2db7a8a236",
            "ca51f810785031385a801f41103244713c1a2352",
        );
    }

    #[test]
    fn the_references_vectors_a_to_d() {
        check(
            OURS,
            "POST",
            &format!("{CHANNEL}/connect"),
            MONDAY,
            r#"{"account_id":"9f8e7d6c-5b4a-4392-8172-615f4e3d2c1b","title":"TgBridge","hook_api_version":"v2"}"#,
            "57526ec7e54c09ab0adeb134287839e6",
            "1b4c1e91a5a4381ea6b03fe8a6fef7d41bc85e37",
        );
        check(
            OURS,
            "POST",
            SCOPE,
            MONDAY,
            r#"{"event_type":"new_message","payload":{"timestamp":1767607200,"msec_timestamp":1767607200123,"msgid":"tg:777:42","conversation_id":"tg:777:1001","silent":false,"sender":{"id":"tg:1001","name":"Анна"},"message":{"type":"text","text":"Привет 👋 a/b"}}}"#,
            "51549afa7b223c9d130b83620926138e",
            "2f5e67e5c1541ccb7aa1eade290fb4eadf26be16",
        );
        check(
            OURS,
            "GET",
            &format!("{SCOPE}/chats/6d5c4b3a-2918-4706-95f4-e3d2c1b0a998/history"),
            MONDAY,
            "",
            "d41d8cd98f00b204e9800998ecf8427e",
            "37843c0ac7103ad93a40b6dd4e574053101104af",
        );
        check(
            OURS,
            "POST",
            &format!("{SCOPE}/1a2b3c4d-5e6f-4708-8192-a3b4c5d6e7f8/delivery_status"),
            "Mon, 05 Jan 2026 10:00:00 GMT",
            r#"{"status_code":-1,"error_code":905,"error":"Forbidden: bot was blocked by the user"}"#,
            "680ef164b874f348dc6bd4f4894a69c0",
            "2468fbd59358ebeb620b7d0ff2c2aa1eae38d956",
        );
    }

    #[test]
    fn vector_e_is_a_hook_and_its_last_newline_is_not_signed() {
        let body = r#"{"account_id":"9f8e7d6c-5b4a-4392-8172-615f4e3d2c1b","time":1767607260,"message":{"receiver":{"id":"3c2b1a09-f8e7-46d5-84c3-b2a190817263","phone":"","email":"","client_id":"tg:1001"},"sender":{"id":"5e4d3c2b-1a09-48f7-86e5-d4c3b2a19081"},"conversation":{"id":"6d5c4b3a-2918-4706-95f4-e3d2c1b0a998","client_id":"tg:777:1001"},"source":{"external_id":"bot_777"},"timestamp":1767607260,"msec_timestamp":1767607260500,"message":{"id":"1a2b3c4d-5e6f-4708-8192-a3b4c5d6e7f8","type":"text","text":"Hello","markup":null,"tag":"","media":"","thumbnail":"","file_name":"","file_size":0}}}"#;
        assert_eq!(of_body(OURS, body.as_bytes()), "36cf6f258b66f5e2fa714c6c6d3cb6281fbd39e4");
        let whole = format!("{body}\n");
        assert_eq!(of_body(OURS, whole.as_bytes()), "8d3da0dccd1cbe4d6dccfad255e7a9a3dc874586");
    }
}
