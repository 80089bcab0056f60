//! Queries in PHP's style, pages, and the small things every batch has (reference 4.1).

use serde_json::{Value, json};

use super::problem::Problem;
use super::{Answer, Reply, Request};

/// The most that a page of most lists has.
const PAGE: usize = 250;
/// As many as a page has unless a number is asked for.
const DEFAULT: usize = 50;

/// The parameters of a request.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `name=1`, `name[]=1`, `name[0]=1`, any number of them.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let is = |key: &str| {
            key == name
                || key
                    .strip_prefix(name)
                    .and_then(|rest| rest.strip_prefix('['))
                    .and_then(|rest| rest.strip_suffix(']'))
                    .is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit()))
        };
        self.0.iter().filter(|(key, _)| is(key)).map(|(_, value)| value.as_str()).collect()
    }

    /// What follows `prefix` in the names that begin with it, with the values.
    pub(crate) fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let under =
            move |(key, value): &'a (String, String)| Some((key.strip_prefix(prefix)?, value.as_str()));
        self.0.iter().filter_map(under)
    }

    pub(crate) fn numbers(&self, name: &str) -> Vec<u64> {
        self.all(name).into_iter().filter_map(|value| value.parse().ok()).collect()
    }

    /// Whether `with` asks for it.
    pub(crate) fn with(&self, wanted: &str) -> bool {
        self.all("with").iter().any(|list| list.split(',').any(|one| one.trim() == wanted))
    }
}

/// The `request_id` of an item; its place when it has none.
pub(crate) fn request_id(index: usize, item: &Value) -> String {
    match &item["request_id"] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => index.to_string(),
    }
}

impl Request<'_> {
    /// One page of a list; nothing on it is 204.
    pub(crate) fn page(&self, name: &str, items: Vec<Value>) -> Answer {
        self.page_of(name, items, PAGE)
    }

    /// One page of a list whose pages have at most `most`.
    pub(crate) fn page_of(&self, name: &str, items: Vec<Value>, most: usize) -> Answer {
        let number =
            |name: &str, default: usize| match self.query.find(name) {
                None => Ok(default),
                Some(text) => text.parse::<usize>().ok().filter(|number| *number > 0).ok_or_else(|| {
                    Problem::bad(&format!("Query parameter {name} must be a positive number"))
                }),
            };
        let (page, limit) = (number("page", 1)?, number("limit", DEFAULT.min(most))?);
        if limit > most {
            return Err(Problem::unprocessable(&format!("Limit {most} per page")));
        }
        let total = items.len();
        let from = (page - 1).saturating_mul(limit);
        let shown: Vec<Value> = items.into_iter().skip(from).take(limit).collect();
        if shown.is_empty() {
            return Ok(Reply::none());
        }
        let mut links = json!({"self": {"href": self.page_address(page)}});
        if from + shown.len() < total {
            links["next"] = json!({"href": self.page_address(page + 1)});
        }
        if page > 1 {
            links["first"] = json!({"href": self.page_address(1)});
            links["prev"] = json!({"href": self.page_address(page - 1)});
        }
        Ok(Reply::ok(json!({"_page": page, "_links": links, "_embedded": {name: shown}})))
    }

    fn page_address(&self, page: usize) -> String {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "page") {
            form.append_pair(&name, &value);
        }
        form.append_pair("page", &page.to_string());
        format!("{}{path}?{}", self.base, form.finish())
    }

    /// The answer to a batch.
    pub(crate) fn batch(&self, name: &str, items: &[Value]) -> Reply {
        let path = self.target.split('?').next().unwrap_or_default();
        let href = format!("{}{path}", self.base);
        Reply::ok(json!({"_links": {"self": {"href": href}}, "_embedded": {name: items}}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_come_in_all_of_phps_spellings() {
        let query = Query::of(Some(
            "filter[id][]=1&filter[id][]=2&filter%5Bid%5D%5B7%5D=3&filter[idx]=4&with=a,%20b",
        ));
        assert_eq!(query.numbers("filter[id]"), [1, 2, 3]);
        assert!(query.with("a") && query.with("b") && !query.with("c"));
        assert_eq!(query.find("filter[idx]"), Some("4"));
    }
}
