//! `/webhooks`: who hears of the account's events (reference 5.1).

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::problem::Problem;
use super::{Answer, Reply, Request};
use crate::amocrm::hooks::subscription::{Stamp, Subscription};

#[derive(Deserialize)]
struct Subscribe {
    destination: String,
    settings: BTreeSet<String>,
    sort: Option<i64>,
}

#[derive(Deserialize)]
struct Unsubscribe {
    destination: String,
}

/// `GET /api/v4/webhooks?filter[destination]=…`.
pub(crate) fn list(request: &mut Request<'_>) -> Answer {
    request.must_be_admin()?;
    let wanted = request.query.find("filter[destination]");
    let all = request.state.subscriptions.list();
    let found: Vec<&Subscription> =
        all.filter(|subscription| wanted.is_none_or(|wanted| wanted == subscription.destination)).collect();
    Ok(Reply::ok(json!({"_total_items": found.len(), "_embedded": {"webhooks": found}})))
}

/// Adds a destination or changes its settings.
pub(crate) fn subscribe(request: &mut Request<'_>) -> Answer {
    request.must_be_admin()?;
    let wanted: Subscribe =
        serde_json::from_value(request.json()?).map_err(|_bad| Problem::bad("Request body is not valid"))?;
    let stamp = Stamp {
        account_id: request.state.account.id,
        user_id: request.user.id,
        now_secs: request.now_secs(),
    };
    let subscriptions = &mut request.state.subscriptions;
    match subscriptions.upsert(&wanted.destination, wanted.settings, wanted.sort, stamp) {
        Ok(subscription) => Ok(Reply::created(json!(subscription))),
        Err(error) => Err(Problem::unprocessable(&error.to_string())),
    }
}

pub(crate) fn unsubscribe(request: &mut Request<'_>) -> Answer {
    request.must_be_admin()?;
    let wanted: Unsubscribe =
        serde_json::from_value(request.json()?).map_err(|_bad| Problem::bad("Request body is not valid"))?;
    if request.state.subscriptions.remove(&wanted.destination) {
        Ok(Reply::none())
    } else {
        Err(Problem::not_found("There is no such webhook"))
    }
}
