//! `GET /account` (reference 4.2).

use serde_json::{Value, json};

use super::{Answer, Reply, Request};

/// What is only there when `with` asks for it stays away otherwise.
pub(crate) fn show(request: &mut Request<'_>) -> Answer {
    let account = &request.state.account;
    let mut shown = json!({
        "id": account.id,
        "name": "Shop",
        "subdomain": account.subdomain,
        "created_at": 1_700_000_000,
        "created_by": 0,
        "updated_at": 1_760_000_000,
        "updated_by": 0,
        "current_user_id": request.user.id,
        "country": "RU",
        "currency": "RUB",
        "currency_symbol": "₽",
        "customers_mode": "segments",
        "is_unsorted_on": true,
        "is_loss_reason_enabled": true,
        "is_helpbot_enabled": false,
        "is_technical_account": false,
        "mobile_feature_version": 0,
        "contact_name_display_order": 1,
        "uuid": "11112222-3333-4444-8555-666677778888",
        "_links": request.link("account"),
    });
    let plain = [
        ("amojo_id", json!(account.amojo_id)),
        ("version", json!(16)),
        ("drive_url", json!(request.amocrm.url())),
        ("is_api_filter_enabled", json!(account.api_filter)),
        ("entity_names", json!({"leads": {"ru": {"gender": "f"}}})),
        ("invoices_settings", json!({"lang": "ru", "currency": "RUB"})),
    ];
    for (name, value) in plain {
        if request.query.with(name) {
            shown[name] = value;
        }
    }
    let embedded = [
        ("amojo_rights", json!({"can_direct": true, "can_create_groups": true})),
        ("users_groups", json!([{"id": 0, "name": "Отдел продаж", "uuid": null}])),
        (
            "task_types",
            json!([{"id": 1, "name": "Связаться", "color": null, "icon_id": null, "code": "FOLLOW_UP"}]),
        ),
        (
            "datetime_settings",
            json!({"date_pattern": "d.m.Y H:i", "short_date_pattern": "d.m.Y", "time_format": "H:i",
                "timezone": "Europe/Moscow", "timezone_offset": "+03:00"}),
        ),
    ];
    let embedded: serde_json::Map<String, Value> = embedded
        .into_iter()
        .filter(|(name, _)| request.query.with(name))
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    if !embedded.is_empty() {
        shown["_embedded"] = Value::Object(embedded);
    }
    Ok(Reply::ok(shown))
}
