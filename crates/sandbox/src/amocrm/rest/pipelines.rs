//! `/leads/pipelines` (reference 4.6).

use serde_json::{Value, json};

use super::problem::Problem;
use super::{Answer, Reply, Request};
use crate::amocrm::pipelines::{ALL, LOST, MAIN, Pipeline, WON, find};

pub(crate) fn list(request: &mut Request<'_>) -> Answer {
    let pipelines: Vec<Value> = ALL.iter().map(|pipeline| shown(request, pipeline)).collect();
    Ok(Reply::ok(json!({
        "_total_items": pipelines.len(),
        "_links": request.link("leads/pipelines"),
        "_embedded": {"pipelines": pipelines},
    })))
}

pub(crate) fn show(request: &mut Request<'_>, id: u64) -> Answer {
    let pipeline = find(id).ok_or_else(|| Problem::not_found("Pipeline not found"))?;
    Ok(Reply::ok(shown(request, pipeline)))
}

pub(crate) fn statuses(request: &mut Request<'_>, id: u64) -> Answer {
    let pipeline = find(id).ok_or_else(|| Problem::not_found("Pipeline not found"))?;
    let statuses = stages(request, pipeline);
    Ok(Reply::ok(json!({"_total_items": statuses.len(), "_embedded": {"statuses": statuses}})))
}

fn shown(request: &Request<'_>, pipeline: &Pipeline) -> Value {
    json!({
        "id": pipeline.id,
        "name": pipeline.name,
        "sort": 1,
        "is_main": pipeline.id == MAIN,
        "is_unsorted_on": true,
        "is_archive": false,
        "account_id": request.state.account.id,
        "_links": request.link(&format!("leads/pipelines/{}", pipeline.id)),
        "_embedded": {"statuses": stages(request, pipeline)},
    })
}

fn stages(request: &Request<'_>, pipeline: &Pipeline) -> Vec<Value> {
    let ends = [(WON, "Успешно реализовано"), (LOST, "Закрыто и не реализовано")];
    let stage = |(place, (id, name)): (usize, (u64, &str))| {
        json!({
            "id": id,
            "name": name,
            "sort": (place + 1) * 10,
            "is_editable": place != 0 && id != WON && id != LOST,
            "pipeline_id": pipeline.id,
            "color": "#c1c1c1",
            "type": u8::from(place == 0),
            "account_id": request.state.account.id,
            "_links": request.link(&format!("leads/pipelines/{}/statuses/{id}", pipeline.id)),
        })
    };
    pipeline.stages.iter().copied().chain(ends).enumerate().map(stage).collect()
}
