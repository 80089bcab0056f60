//! What a call is refused with: the code, Telegram's own words and the two machine-readable hints.

/// A refusal in the Bot API's envelope. The HTTP status is `code`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code} {description}")]
pub struct ApiError {
    /// HTTP status and `error_code`.
    pub code: u16,
    /// The text with its prefix, as it goes out.
    pub description: String,
    /// `parameters.retry_after` in seconds, and the header of that name on a 429.
    pub retry_after: Option<u32>,
    /// `parameters.migrate_to_chat_id`.
    pub migrate_to_chat_id: Option<i64>,
}

impl ApiError {
    /// The whole text is the caller's.
    pub fn new(code: u16, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), retry_after: None, migrate_to_chat_id: None }
    }

    /// 400 `Bad Request: {text}`.
    pub fn bad_request(text: impl AsRef<str>) -> Self {
        Self::new(400, format!("Bad Request: {}", text.as_ref()))
    }

    /// 400 `Bad Request: parameter "{name}" is required`.
    pub fn required(name: &str) -> Self {
        Self::bad_request(format!("parameter \"{name}\" is required"))
    }

    /// 400 `Bad Request: group chat was upgraded to a supergroup chat`.
    pub fn migrated(to_chat_id: i64) -> Self {
        let text = "group chat was upgraded to a supergroup chat";
        Self { migrate_to_chat_id: Some(to_chat_id), ..Self::bad_request(text) }
    }

    /// 401 `Unauthorized`.
    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized")
    }

    /// 403 `Forbidden: {text}`.
    pub fn forbidden(text: impl AsRef<str>) -> Self {
        Self::new(403, format!("Forbidden: {}", text.as_ref()))
    }

    /// 404 `Not Found`.
    pub fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    /// 409 `Conflict: {text}`.
    pub fn conflict(text: impl AsRef<str>) -> Self {
        Self::new(409, format!("Conflict: {}", text.as_ref()))
    }

    /// 429 `Too Many Requests: retry after {seconds}`.
    pub fn too_many_requests(seconds: u32) -> Self {
        let text = format!("Too Many Requests: retry after {seconds}");
        Self { retry_after: Some(seconds), ..Self::new(429, text) }
    }
}
