//! Plain SQLite on the disk: what it promises for each journal mode and each setting of `synchronous` must come
//! true here, and what it does not promise must be seen to fail. A shim that loses nothing would prove nothing.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail a test as its body does")]

use rusqlite::{Connection, OpenFlags};
use tandem_crashfs::{Disk, Image};

const PATH: &str = "/data/test.db";
const ROWS: i64 = 24;

fn open(disk: &Disk, journal: &str, synchronous: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags_and_vfs(PATH, OpenFlags::default(), disk.vfs())?;
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = {journal}; PRAGMA synchronous = {synchronous}; PRAGMA wal_autocheckpoint = 20;"
    ))?;
    Ok(connection)
}

/// A table that has been there for a while, so that a crash meets a database in use and not its creation.
fn fixture(journal: &str) -> Image {
    let disk = Disk::new(0);
    let connection = open(&disk, journal, "FULL").unwrap();
    connection
        .execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB); CREATE INDEX bodies ON t (body);")
        .unwrap();
    connection.close().unwrap();
    disk.sync_everything();
    disk.image()
}

/// One commit a row; returns the last one that was acknowledged.
fn insert_rows(connection: &Connection) -> i64 {
    (1..=ROWS).take_while(|id| insert(connection, *id).is_ok()).last().unwrap_or(0)
}

fn insert(connection: &Connection, id: i64) -> rusqlite::Result<usize> {
    let body = vec![u8::try_from(id).unwrap(); 1500];
    connection.execute("INSERT INTO t VALUES (?1, ?2)", (id, body))
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// Rows 1 to this one, whole.
    Rows(i64),
    Damaged,
}

fn look(disk: &Disk, journal: &str) -> Found {
    let rows = || -> rusqlite::Result<Option<i64>> {
        let connection = open(disk, journal, "FULL")?;
        let verdict: String = connection.query_row("PRAGMA integrity_check", (), |row| row.get(0))?;
        let mut statement = connection.prepare("SELECT id, body FROM t ORDER BY id")?;
        let rows: Vec<(i64, Vec<u8>)> =
            statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let in_order = rows.iter().zip(1..).all(|((id, body), wanted)| {
            *id == wanted && body.len() == 1500 && body.iter().all(|byte| i64::from(*byte) == wanted)
        });
        Ok((verdict == "ok" && in_order).then_some(i64::try_from(rows.len()).unwrap()))
    };
    rows().ok().flatten().map_or(Found::Damaged, Found::Rows)
}

#[derive(Debug, Default)]
struct Report {
    crashes: u32,
    lost_rows: u32,
    lost_more_than_the_last: u32,
    damaged: u32,
}

/// A crash at every step of the workload, with two seeds each.
fn crash_everywhere(journal: &str, synchronous: &str) -> Report {
    let image = fixture(journal);
    let mut report = Report::default();
    for step in 1.. {
        for seed in [2 * step, 2 * step + 1] {
            let disk = Disk::with_image(seed, &image);
            disk.crash_after(step);
            let acknowledged =
                open(&disk, journal, synchronous).map_or(0, |connection| insert_rows(&connection));
            if !disk.has_crashed() {
                assert_eq!(acknowledged, ROWS);
                return report;
            }
            disk.reboot();
            report.crashes += 1;
            match look(&disk, journal) {
                Found::Rows(found) => {
                    assert!(found <= acknowledged + 1, "rows that nobody wrote");
                    report.lost_rows += u32::from(found < acknowledged);
                    report.lost_more_than_the_last += u32::from(found + 1 < acknowledged);
                }
                Found::Damaged => report.damaged += 1,
            }
        }
    }
    unreachable!("the workload has an end")
}

#[test]
fn wal_with_full_loses_nothing() {
    let report = crash_everywhere("WAL", "FULL");
    assert_eq!((report.lost_rows, report.damaged), (0, 0), "{report:?}");
    assert!(report.crashes > 300, "{report:?}");
}

#[test]
fn wal_with_normal_loses_the_latest_commits_and_damages_nothing() {
    let report = crash_everywhere("WAL", "NORMAL");
    assert!(report.lost_rows > 0 && report.lost_more_than_the_last > 0, "{report:?}");
    assert_eq!(report.damaged, 0, "{report:?}");
}

#[test]
fn wal_without_syncs_loses_commits_and_damages_the_file() {
    let report = crash_everywhere("WAL", "OFF");
    assert!(report.lost_rows + report.damaged > report.crashes / 4, "{report:?}");
    assert!(report.damaged > 0, "{report:?}");
}

#[test]
fn a_rollback_journal_with_extra_loses_nothing() {
    let report = crash_everywhere("DELETE", "EXTRA");
    assert_eq!((report.lost_rows, report.damaged), (0, 0), "{report:?}");
}

/// The difference that SQLite documents between EXTRA and FULL: without a sync of the directory a deleted journal
/// may be back, and rolls back what was committed last.
#[test]
fn a_rollback_journal_with_full_may_lose_the_last_commit_and_only_that() {
    let report = crash_everywhere("DELETE", "FULL");
    assert!(report.lost_rows > 0, "{report:?}");
    assert_eq!((report.lost_more_than_the_last, report.damaged), (0, 0), "{report:?}");
}

#[test]
fn a_rollback_journal_without_syncs_damages_the_file() {
    let report = crash_everywhere("DELETE", "OFF");
    assert!(report.damaged > 0, "{report:?}");
}

#[test]
fn the_creation_of_a_database_survives_a_crash_at_every_step() {
    let create = |disk: &Disk| -> rusqlite::Result<()> {
        let connection = open(disk, "WAL", "FULL")?;
        connection
            .execute_batch("BEGIN; CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, body BLOB); COMMIT;")
    };
    for step in 1.. {
        let disk = Disk::new(step);
        disk.crash_after(step);
        let created = create(&disk).is_ok();
        let crashed = disk.has_crashed();
        disk.reboot();
        if created {
            assert_eq!(look(&disk, "WAL"), Found::Rows(0), "created and gone after a crash at step {step}");
        }
        create(&disk).unwrap();
        assert_eq!(look(&disk, "WAL"), Found::Rows(0));
        if !crashed {
            return;
        }
    }
}

#[test]
fn the_same_seed_and_operations_make_the_same_crash() {
    let image = fixture("DELETE");
    let run = || {
        let disk = Disk::with_image(7, &image);
        disk.crash_after(40);
        let acknowledged = insert_rows(&open(&disk, "DELETE", "FULL").unwrap());
        (acknowledged, disk.last_step(), disk.reboot(), look(&disk, "DELETE"))
    };
    assert_eq!(run(), run());
}
