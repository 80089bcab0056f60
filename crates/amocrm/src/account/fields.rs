//! The field with Telegram ids: found by its code or its number, and made where there is none of this code.

use std::time::Duration;

use tandem_model::Timestamp;
use tokio::sync::Mutex;

use super::AmocrmAccount;
use crate::{
    people::IdField,
    rest::{Card, NotHad, Rest},
    wire::people::{FieldInfo, NewField},
};

/// How long nobody asks again for a field that cannot be had.
const PAUSE: Duration = Duration::from_mins(10);

/// What is known of the field.
#[derive(Debug, Default)]
pub(super) struct KnownField(Mutex<State>);

#[derive(Debug, Clone, Copy, Default)]
enum State {
    #[default]
    Unknown,
    Is(IdField),
    /// There is none, and none can be made.
    Missing {
        ask_again: Timestamp,
    },
}

impl AmocrmAccount {
    /// The field, made if it is absent. `None` where there can be none: people are found by their phones only then.
    pub(super) async fn id_field(&self, rest: &Rest) -> Result<Option<IdField>, NotHad> {
        // One looks for it, all others wait: two would make two.
        let mut state = self.id_field.0.lock().await;
        match *state {
            State::Is(field) => return Ok(Some(field)),
            State::Missing { ask_again } if self.clock.now() < ask_again => return Ok(None),
            State::Unknown | State::Missing { .. } => {}
        }
        let had = match self.find_id_field(rest).await {
            Ok(Some(field)) => Ok(Some(field)),
            Ok(None) => self.make_id_field(rest).await,
            Err(not_had) => Err(not_had),
        };
        match had {
            Ok(Some(field)) => {
                *state = State::Is(field);
                Ok(Some(field))
            }
            Err(not_had) if !not_had.is_refused() => Err(not_had),
            without => {
                let name = &self.connection.name;
                let why =
                    without.err().map_or_else(|| "there is no such field".to_owned(), |it| it.failure.words);
                tracing::warn!(
                    connection.name = name,
                    "connection {name} has no field for Telegram ids, so clients are found by their phones only: {why}"
                );
                *state = State::Missing { ask_again: self.clock.now().plus(PAUSE) };
                Ok(None)
            }
        }
    }

    /// The field, if it is there.
    pub(super) async fn find_id_field(&self, rest: &Rest) -> Result<Option<IdField>, NotHad> {
        let wanted = self.connection.people.telegram_id_field.as_str();
        let fields = rest.fields(Card::Contacts).await?;
        let is_it = |field: &&FieldInfo| match wanted.parse::<u64>() {
            Ok(id) => field.id == id,
            Err(_) => field.code.as_deref() == Some(wanted),
        };
        Ok(fields.iter().find(is_it).map(field_of))
    }

    /// A field that is named by its number cannot be made.
    async fn make_id_field(&self, rest: &Rest) -> Result<Option<IdField>, NotHad> {
        let code = self.connection.people.telegram_id_field.as_str();
        if code.parse::<u64>().is_ok() {
            return Ok(None);
        }
        let field = NewField { name: "Telegram ID", kind: "text", code, is_api_only: true };
        match rest.make_field(&field).await {
            Ok(made) => Ok(Some(field_of(&made))),
            // Somebody else was faster.
            Err(not_had) if not_had.is_refused() => match self.find_id_field(rest).await? {
                Some(field) => Ok(Some(field)),
                None => Err(not_had),
            },
            Err(not_had) => Err(not_had),
        }
    }
}

fn field_of(field: &FieldInfo) -> IdField {
    IdField { id: field.id, is_number: field.kind == "numeric" }
}
