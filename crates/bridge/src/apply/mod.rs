//! `bots.toml` (DESIGN section 8): what bots, apps and routes there are to be, and the plan that gets there.
//!
//! A file says what is wanted, not what to do. The plan is the difference to what is there: empty the second time.
//! It is shown before it is carried out, and removes nothing unless that is asked for.

mod desired;

pub use desired::{Desired, DesiredApp, DesiredBot, DesiredRoute};

use crate::{
    Bridge,
    operations::{Applied, Apply, Refusal, RefusalCode},
};

impl Bridge {
    pub(crate) async fn apply(&self, _asked: Apply) -> Result<Applied, Refusal> {
        Err(Refusal::new(
            RefusalCode::NotInThisVersion,
            "Files cannot be applied yet.",
            "Use `tandem adopt` and `tandem apps`.",
        ))
    }
}
