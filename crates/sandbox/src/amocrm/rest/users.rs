//! `GET /users` (reference 4.3): for administrators, and for no external integration.

use serde_json::{Value, json};

use super::problem::Problem;
use super::{Answer, Reply, Request};
use crate::amocrm::users::User;

pub(crate) fn list(request: &mut Request<'_>) -> Answer {
    allowed(request)?;
    let users = request.state.account.users.iter().map(|user| shown(request, user)).collect();
    request.page("users", users)
}

pub(crate) fn show(request: &mut Request<'_>, id: u64) -> Answer {
    allowed(request)?;
    let user = request.state.account.users.iter().find(|user| user.id == id);
    let user = user.ok_or_else(|| Problem::not_found("User not found"))?;
    Ok(Reply::ok(shown(request, user)))
}

fn allowed(request: &Request<'_>) -> Result<(), Problem> {
    request.must_not_be_external()?;
    request.must_be_admin()
}

fn shown(request: &Request<'_>, user: &User) -> Value {
    let entity = json!({"view": "A", "edit": "A", "add": "A", "delete": "A", "export": "A"});
    let mut shown = json!({
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "lang": "ru",
        "rights": {
            "leads": entity,
            "contacts": entity,
            "companies": entity,
            "tasks": {"edit": "A", "delete": "A"},
            "mail_access": true,
            "catalog_access": true,
            "files_access": true,
            "status_rights": [],
            "is_admin": user.is_admin,
            "is_free": false,
            "is_active": user.is_active,
            "group_id": null,
            "role_id": null,
        },
        "_links": request.link(&format!("users/{}", user.id)),
    });
    if request.query.with("amojo_id") {
        shown["amojo_id"] = json!(user.amojo_id);
    }
    if request.query.with("uuid") {
        shown["uuid"] = Value::Null;
    }
    let embedded: serde_json::Map<String, Value> = [("role", "roles"), ("group", "groups")]
        .into_iter()
        .filter(|(asked, _)| request.query.with(asked))
        .map(|(_, name)| (name.to_owned(), json!([])))
        .collect();
    if !embedded.is_empty() {
        shown["_embedded"] = Value::Object(embedded);
    }
    shown
}
