//! The emulator with an account that may ask its API, and its cards as people see them.

use http::Method;
use serde_json::{Value, json};
use tandem_model::{BotId, message::ChatKey};
use tandem_vendor::{ChatIds, Occasion, OpenedChat, Opening, Tending};

use super::{
    With,
    emulator::{Emulator, eventually},
    opening, said,
};

/// The first stage of the emulator's main pipeline, and what else there is of pipelines.
pub(crate) const FIRST_STAGE: u64 = 61_000_002;
pub(crate) const LATER_STAGE: u64 = 61_000_003;
pub(crate) const OTHER_PIPELINE: u64 = 7_100_002;
pub(crate) const OTHER_FIRST_STAGE: u64 = 61_000_012;
pub(crate) const LOST: u64 = 143;
pub(crate) const WON: u64 = 142;

/// The phone that Ann shares.
pub(crate) const PHONE: &str = "79991112233";

/// The emulator, connected, and a token of somebody else's to look with.
pub(crate) struct Cards {
    pub(crate) emulator: Emulator,
    token: String,
    http: reqwest::Client,
}

impl Cards {
    pub(crate) async fn open() -> Self {
        let emulator = Emulator::open(With::PairAndChannel).await;
        emulator.account.take_grant(&emulator.grant().await).await.unwrap();
        emulator.account.connect().await.unwrap();
        let account = emulator.control.asks(Method::GET, "/amocrm", None).await.1;
        let token = account["account"]["access_token"].as_str().unwrap().to_owned();
        Self { emulator, token, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// Asks the account's API; nothing where it answers nothing.
    pub(crate) async fn api(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        self.api_with(&self.token, method, path, body).await
    }

    /// What our own integration sees there.
    pub(crate) async fn look_as_we(&self, path: &str) -> Value {
        let pair = self.emulator.kept.pairs.lock().unwrap().last().unwrap().clone();
        let (_, token) = pair.iter().find(|(name, _)| name == tandem_amocrm::secret::ACCESS_TOKEN).unwrap();
        self.api_with(token, Method::GET, path, None).await
    }

    async fn api_with(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> Value {
        let address = format!("{}/api/v4/{path}", self.emulator.amocrm_url());
        let mut request = self.http.request(method, address).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    pub(crate) async fn look(&self, path: &str) -> Value {
        self.api(Method::GET, path, None).await
    }

    async fn makes(&self, what: &str, item: Value) -> u64 {
        let made = self.api(Method::POST, what, Some(json!([item]))).await;
        made["_embedded"][what][0]["id"].as_u64().unwrap()
    }

    /// A contact with this phone.
    pub(crate) async fn contact(&self, name: &str, phone: &str) -> u64 {
        let phones = json!([{"field_code": "PHONE", "values": [{"value": phone, "enum_code": "WORK"}]}]);
        self.makes("contacts", json!({"name": name, "custom_fields_values": phones})).await
    }

    /// A contact with this Telegram id.
    pub(crate) async fn contact_of_user(&self, name: &str, user: &str) -> u64 {
        let field = self.id_field().await;
        let ids = json!([{"field_id": field, "values": [{"value": user}]}]);
        self.makes("contacts", json!({"name": name, "custom_fields_values": ids})).await
    }

    async fn id_field(&self) -> Value {
        let there = self.look("contacts/custom_fields").await;
        let fields = there["_embedded"]["custom_fields"].as_array().unwrap();
        if let Some(field) = fields.iter().find(|field| field["code"] == "TELEGRAM_ID") {
            return field["id"].clone();
        }
        let field = json!([{"name": "Telegram ID", "type": "text", "code": "TELEGRAM_ID"}]);
        let made = self.api(Method::POST, "contacts/custom_fields", Some(field)).await;
        made["_embedded"]["custom_fields"][0]["id"].clone()
    }

    /// A lead of a contact, in this stage of the main pipeline.
    pub(crate) async fn lead(&self, contact: u64, stage: u64) -> u64 {
        let of = json!({"contacts": [{"id": contact, "is_main": true}]});
        self.makes("leads", json!({"status_id": stage, "_embedded": of})).await
    }

    /// The numbers of all contacts that are in their section.
    pub(crate) async fn contacts(&self) -> Vec<u64> {
        numbers(&self.look("contacts?limit=250").await["_embedded"]["contacts"])
    }

    pub(crate) async fn card(&self, contact: u64) -> Value {
        self.look(&format!("contacts/{contact}?with=leads")).await
    }

    /// The values of a field of a card.
    pub(crate) async fn values(&self, contact: u64, code: &str) -> Vec<String> {
        values(&self.card(contact).await, code)
    }

    /// The numbers of a contact's leads.
    pub(crate) async fn leads_of(&self, contact: u64) -> Vec<u64> {
        numbers(&self.card(contact).await["_embedded"]["leads"])
    }

    pub(crate) async fn lead_card(&self, lead: u64) -> Value {
        self.look(&format!("leads/{lead}")).await
    }

    /// The numbers of what nobody has accepted.
    pub(crate) async fn unsorted(&self) -> usize {
        let shown = self.look("leads/unsorted").await;
        shown["_embedded"]["unsorted"].as_array().map_or(0, Vec::len)
    }

    /// The texts of notes on a contact's card.
    pub(crate) async fn notes(&self, contact: u64) -> Vec<String> {
        let shown = self.look(&format!("contacts/{contact}/notes")).await;
        let notes = shown["_embedded"]["notes"].as_array().cloned().unwrap_or_default();
        notes.iter().map(|note| note["params"]["text"].as_str().unwrap().to_owned()).collect()
    }

    /// The next request of the account's API to this place fails so.
    pub(crate) async fn fails(&self, endpoint: &str, fault: Value) {
        self.emulator.part_fails("rest", endpoint, fault).await;
    }

    pub(crate) async fn opens(&self, opening: &Opening) -> OpenedChat {
        self.emulator.account.open_chat(opening).await.unwrap()
    }

    /// Opens a chat; who its client is.
    pub(crate) async fn opens_for(&self, opening: &Opening) -> u64 {
        self.opens(opening).await.contact.unwrap().parse().unwrap()
    }

    /// The client writes, and it is shown.
    pub(crate) async fn writes(&self, ids: &ChatIds, number: i64) {
        self.emulator.tell(ids, said(number, "Здравствуйте")).await.unwrap();
        self.emulator.shown(&super::key(number).to_string()).await;
    }

    /// In which contact's card a chat is.
    pub(crate) async fn place_of(&self, chat: &str) -> Option<u64> {
        let chats = self.emulator.look("/chats").await;
        let chats = chats["chats"].as_array().unwrap();
        let chat = chats.iter().find(|known| known["id"] == chat).unwrap();
        chat["contact_id"].as_u64()
    }

    /// Looks after a chat; who its client is then.
    pub(crate) async fn tends(&self, opening: &Opening, ids: &ChatIds, occasion: Occasion) -> Option<u64> {
        self.tends_called(opening, ids, occasion, None).await
    }

    pub(crate) async fn tends_called(
        &self,
        opening: &Opening,
        ids: &ChatIds,
        occasion: Occasion,
        called: Option<&str>,
    ) -> Option<u64> {
        let called = called.map(str::to_owned);
        let tending = Tending { opening: opening.clone(), ids: ids.clone(), called, occasion };
        self.emulator.account.tend(&tending).await.unwrap().contact.map(|id| id.parse().unwrap())
    }

    /// The account's API is closed for longer than anybody waits.
    pub(crate) async fn is_closed(&self) {
        let ban = json!({"fault": {"kind": "ban"}, "for_ms": 240_000});
        self.emulator.control.does("/amocrm/faults/rest", ban).await;
    }

    /// It is open again, and was seen to be.
    pub(crate) async fn opens_again(&self) {
        self.emulator.advance(super::FIVE_MINUTES);
        eventually(async || {
            self.emulator.account.check().await;
            (self.emulator.account.standing() == tandem_vendor::Standing::Connected).then_some(())
        })
        .await;
    }
}

/// Ann with her phone.
pub(crate) fn with_phone(route: Value) -> Opening {
    let mut opening = opening(None, route);
    opening.client.phone = Some(PHONE.to_owned());
    opening
}

/// Ann in another bot.
pub(crate) fn in_another_bot(mut opening: Opening) -> Opening {
    opening.chat = ChatKey::of(BotId::new(778).unwrap(), None, 1001);
    opening
}

/// The values of a field of a card.
pub(crate) fn values(card: &Value, code: &str) -> Vec<String> {
    let fields = card["custom_fields_values"].as_array().cloned().unwrap_or_default();
    let field = fields.iter().find(|field| field["field_code"] == code);
    let values = field.and_then(|field| field["values"].as_array()).cloned().unwrap_or_default();
    values.iter().map(|value| value["value"].as_str().unwrap().to_owned()).collect()
}

fn numbers(list: &Value) -> Vec<u64> {
    list.as_array().into_iter().flatten().filter_map(|item| item["id"].as_u64()).collect()
}
