//! A database of each released version, kept as SQL text, becomes what this version makes anew, with everything
//! that was in it.

mod support;

use std::{path::Path, sync::Arc};

use tandem_journal::{
    Upkeep,
    conformance::ManualClock,
    sqlite::{Options, SqliteStore},
};

const VERSIONS: &[(i64, &str)] = &[(1, include_str!("fixtures/version-1.sql"))];

fn schema(path: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).expect("a database");
    let mut statement = connection
        .prepare(
            "SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_schema ORDER BY type, name",
        )
        .expect("the schema");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    let schema = rows.collect::<Result<Vec<String>, _>>().expect("text");
    // sqlite_sequence is made by SQLite itself.
    schema.into_iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// The store that the fixtures were taken from.
async fn filled(path: &Path) {
    let clock = ManualClock::new();
    let store = SqliteStore::open(Options::new(path), Arc::clone(&clock) as _).await.expect("an open store");
    support::fill(&store, &clock).await;
    store.close().await;
}

#[tokio::test]
async fn a_database_of_each_version_is_brought_up_to_date_with_everything_in_it() {
    let directory = tandem_testkit::folder();
    let fresh = directory.path().join("fresh.db");
    filled(&fresh).await;
    let store = SqliteStore::open(Options::new(&fresh), ManualClock::new()).await.expect("an open store");
    let expected = support::read(&store).await;
    store.close().await;
    for (version, dump) in VERSIONS {
        let path = directory.path().join(format!("version-{version}.db"));
        let old = rusqlite::Connection::open(&path).expect("a new file");
        old.execute_batch(dump).expect("the dump");
        old.close().expect("closing");
        let store = SqliteStore::open(Options::new(&path), ManualClock::new()).await.expect("an open store");
        assert_eq!(store.check().await.expect("a check"), Vec::<String>::new());
        for ((what, read), (_, expected)) in support::read(&store).await.into_iter().zip(&expected) {
            let expected = expected.as_ref().expect("a sound store");
            assert_eq!(&read.expect("a readable value"), expected, "{what} of version {version}");
        }
        store.close().await;
        assert_eq!(schema(&path), schema(&fresh), "the schema from version {version}");
    }
}
