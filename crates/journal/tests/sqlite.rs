//! The conformance suite on the SQLite engine.

use std::sync::Arc;

use tandem_journal::{
    Store,
    conformance::Engine,
    sqlite::{Options, SqliteStore},
};
use tandem_model::Clock;
use tempfile::TempDir;

struct Sqlite(TempDir);

impl Engine for Sqlite {
    async fn prepare() -> Self {
        Self(tandem_testkit::folder())
    }

    async fn open(&self, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        let options = Options::new(self.0.path().join("tandem.db"));
        Arc::new(SqliteStore::open(options, clock).await.expect("an open store"))
    }
}

tandem_journal::conformance_suite!(Sqlite);
