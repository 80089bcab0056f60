//! Answers say when they were given by the sandbox's clock, not by the system's: clients reckon from it when a token
//! ends.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};

use super::AmoCrm;

/// Dates an answer. A time that no header can say is left to the system's clock.
pub(crate) async fn date(State(amocrm): State<AmoCrm>, request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let now = Timestamp::from_millisecond(amocrm.clock().now_ms()).ok();
    let text = now.and_then(|now| DateTimePrinter::new().timestamp_to_rfc9110_string(&now).ok());
    if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
        answer.headers_mut().insert(header::DATE, value);
    }
    answer
}
