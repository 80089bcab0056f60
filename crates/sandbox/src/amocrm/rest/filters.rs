//! `filter` and `order` of the lists of contacts and leads (reference 4.4, 4.6).
//!
//! All filters but the one by id are an add-on that an account pays for; what the real one answers without it is not
//! known, here it is 402.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Request;
use super::problem::Problem;
use super::reading::Query;
use crate::amocrm::cards::Details;

/// What a list is asked for.
pub(crate) struct Filter<'a> {
    query: &'a Query,
    ids: Vec<u64>,
    is_narrow: bool,
}

/// A card as the filters see it.
pub(crate) struct Card<'a> {
    pub(crate) id: u64,
    pub(crate) name: &'a str,
    pub(crate) details: &'a Details,
    /// Only looked at when it is asked for.
    pub(crate) values: &'a dyn Fn() -> BTreeMap<u64, Vec<Value>>,
}

impl<'a> Filter<'a> {
    pub(crate) fn of(request: &'a Request<'_>) -> Result<Self, Problem> {
        let query = &request.query;
        let is_narrow = query.under("filter[").any(|(name, _)| !name.starts_with("id]"));
        if is_narrow && !request.state.account.api_filter {
            return Err(Problem::payment());
        }
        Ok(Self { query, ids: query.numbers("filter[id]"), is_narrow })
    }

    pub(crate) fn takes(&self, card: &Card<'_>) -> bool {
        if !self.ids.is_empty() && !self.ids.contains(&card.id) {
            return false;
        }
        if !self.is_narrow {
            return true;
        }
        let details = card.details;
        let names = self.query.all("filter[name]");
        (names.is_empty() || names.contains(&card.name))
            && self.number("created_by", details.created_by)
            && self.number("updated_by", details.updated_by)
            && self.number("responsible_user_id", details.responsible_user_id)
            && self.time("created_at", Some(details.created_at))
            && self.time("updated_at", Some(details.updated_at))
            && self.fields(card.values)
    }

    /// `filter[name]=1`, `filter[name][]=1`.
    pub(crate) fn number(&self, name: &str, own: u64) -> bool {
        let wanted = self.query.numbers(&format!("filter[{name}]"));
        wanted.is_empty() || wanted.contains(&own)
    }

    /// `filter[name][from]=1`, `filter[name][to]=2`, or the very second.
    pub(crate) fn time(&self, name: &str, own: Option<i64>) -> bool {
        let wanted =
            |part: &str| -> Option<i64> { self.query.find(&format!("filter[{name}]{part}"))?.parse().ok() };
        let fits = |wanted: Option<i64>, fits: fn(i64, i64) -> bool| {
            wanted.is_none_or(|wanted| own.is_some_and(|own| fits(own, wanted)))
        };
        fits(wanted("[from]"), |own, from| own >= from)
            && fits(wanted("[to]"), |own, to| own <= to)
            && fits(wanted(""), |own, at| own == at)
    }

    /// `filter[custom_fields_values][702001][]=…`: a text or number as it is, a choice by the id of its enum. Every field
    /// that is named must have one of its values.
    fn fields(&self, own: &dyn Fn() -> BTreeMap<u64, Vec<Value>>) -> bool {
        let mut wanted: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
        for (rest, value) in self.query.under("filter[custom_fields_values][") {
            let Some(field) = rest.split(']').next().and_then(|id| id.parse().ok()) else { return false };
            wanted.entry(field).or_default().push(value);
        }
        if wanted.is_empty() {
            return true;
        }
        let own = own();
        wanted.iter().all(|(field, wanted)| {
            own.get(field).into_iter().flatten().any(|value| {
                let is = |shown: &Value| match shown {
                    Value::String(text) => wanted.contains(&text.as_str()),
                    other => wanted.contains(&other.to_string().as_str()),
                };
                is(&value["value"]) || is(&value["enum_id"])
            })
        })
    }

    /// `filter[statuses][0][pipeline_id]=1&filter[statuses][0][status_id]=2`, any of the pairs; and `filter[pipeline_id]`.
    pub(crate) fn stage(&self, pipeline_id: u64, status_id: u64) -> bool {
        let mut pairs: BTreeMap<&str, (Option<u64>, Option<u64>)> = BTreeMap::new();
        for (rest, value) in self.query.under("filter[statuses][") {
            let Some((index, name)) = rest.split_once(']') else { continue };
            let pair = pairs.entry(index).or_default();
            match name {
                "[pipeline_id]" => pair.0 = value.parse().ok(),
                "[status_id]" => pair.1 = value.parse().ok(),
                _ => {}
            }
        }
        let fits = |(pipeline, status): &(Option<u64>, Option<u64>)| {
            pipeline.is_none_or(|id| id == pipeline_id) && status.is_none_or(|id| id == status_id)
        };
        self.number("pipeline_id", pipeline_id) && (pairs.is_empty() || pairs.values().any(fits))
    }
}

/// `order[updated_at]=desc` and its like; by id, oldest first, unless asked otherwise.
pub(crate) fn sort<T>(query: &Query, cards: &mut [T], key: impl Fn(&T) -> (u64, &Details)) {
    let id_of = |id: u64| i64::try_from(id).unwrap_or(i64::MAX);
    for name in ["updated_at", "created_at", "id"] {
        if let Some(direction) = query.find(&format!("order[{name}]")) {
            cards.sort_by_key(|card| match (name, key(card)) {
                ("updated_at", (_, details)) => details.updated_at,
                ("created_at", (_, details)) => details.created_at,
                (_, (id, _)) => id_of(id),
            });
            if direction == "desc" {
                cards.reverse();
            }
            return;
        }
    }
}
