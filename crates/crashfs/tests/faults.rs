//! Plain SQLite on the disk: several connections at a time, and each of the faults that are no crash.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail a test as its body does")]

use std::thread;

use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use tandem_crashfs::{Access, Disk};

const PATH: &str = "/data/test.db";

fn open(disk: &Disk) -> Connection {
    try_open(disk).unwrap()
}

fn try_open(disk: &Disk) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags_and_vfs(PATH, OpenFlags::default(), disk.vfs())?;
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;")?;
    Ok(connection)
}

fn with_table(seed: u64) -> (Disk, Connection) {
    let disk = Disk::new(seed);
    let connection = open(&disk);
    connection.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)").unwrap();
    (disk, connection)
}

fn insert(connection: &Connection, size: usize) -> rusqlite::Result<usize> {
    connection.execute("INSERT INTO t (body) VALUES (?1)", [vec![1; size]])
}

fn count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM t", (), |row| row.get(0))
}

fn code(error: &rusqlite::Error) -> i32 {
    error.sqlite_error().unwrap().extended_code
}

#[test]
fn readers_on_other_threads_see_whole_commits_while_a_writer_writes_and_checkpoints() {
    let (disk, writer) = with_table(1);
    writer.execute_batch("PRAGMA wal_autocheckpoint = 8").unwrap();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let reader = open(&disk);
                    let mut seen = 0;
                    while seen < 200 {
                        let now = count(&reader).unwrap();
                        assert!(now >= seen && now % 2 == 0, "half a commit, or an older one: {now}");
                        seen = now;
                    }
                })
            })
            .collect();
        for _ in 0..100 {
            writer.execute_batch("INSERT INTO t (body) VALUES (zeroblob(900)), (zeroblob(900))").unwrap();
        }
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

#[test]
fn a_second_writer_is_told_that_the_database_is_busy() {
    let (disk, first) = with_table(1);
    let second = open(&disk);
    second.execute_batch("PRAGMA busy_timeout = 0").unwrap();
    first.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = second.execute_batch("BEGIN IMMEDIATE").unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
    first.execute_batch("COMMIT").unwrap();
    second.execute_batch("BEGIN IMMEDIATE; COMMIT").unwrap();
}

#[test]
fn nothing_works_without_power_and_old_connections_stay_dead_after_it_is_back() {
    let (disk, before) = with_table(1);
    insert(&before, 10).unwrap();
    disk.crash();
    assert!(disk.has_crashed());
    assert!(insert(&before, 10).is_err() && count(&before).is_err() && try_open(&disk).is_err());
    disk.reboot();
    assert!(insert(&before, 10).is_err() && count(&before).is_err());
    let after = open(&disk);
    assert_eq!(count(&after).unwrap(), 1);
    before.close().unwrap();
    insert(&after, 10).unwrap();
}

#[test]
fn a_full_disk_says_so_and_takes_commits_again_once_there_is_room() {
    let (disk, connection) = with_table(1);
    disk.leave_free(Some(50_000));
    let error = (0..100).find_map(|_| insert(&connection, 3_000).err()).unwrap();
    assert_eq!(code(&error), ffi::SQLITE_FULL);
    let kept = count(&connection).unwrap();
    assert!(kept > 0 && disk.free().unwrap() < 5_000);
    disk.leave_free(Some(50_000));
    insert(&connection, 3_000).unwrap();
    disk.reboot();
    assert_eq!(count(&open(&disk)).unwrap(), kept + 1);
}

#[test]
fn what_a_failed_sync_refused_may_be_gone_and_what_came_after_it_is_not() {
    for seed in 0..50 {
        let (disk, connection) = with_table(seed);
        insert(&connection, 3_000).unwrap();
        disk.fail_syncs(1);
        assert_eq!(code(&insert(&connection, 3_000).unwrap_err()), ffi::SQLITE_IOERR_FSYNC);
        insert(&connection, 3_000).unwrap();
        disk.reboot();
        assert_eq!(count(&open(&disk)).unwrap(), 2, "seed {seed}");
    }
}

#[test]
fn failing_and_short_reads_are_errors_and_pass() {
    let (disk, connection) = with_table(1);
    insert(&connection, 3_000).unwrap();
    connection.close().unwrap();
    let connection = Connection::open_with_flags_and_vfs(PATH, OpenFlags::default(), disk.vfs()).unwrap();
    disk.fail_reads(1);
    assert_eq!(code(&count(&connection).unwrap_err()), ffi::SQLITE_IOERR_READ);
    assert_eq!(count(&connection).unwrap(), 1);
    connection.close().unwrap();
    let connection = Connection::open_with_flags_and_vfs(PATH, OpenFlags::default(), disk.vfs()).unwrap();
    disk.shorten_reads(3);
    let error = count(&connection).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt), "half a page is no page");
    disk.shorten_reads(0);
    assert_eq!(count(&open(&disk)).unwrap(), 1);
}

#[test]
fn a_read_only_disk_is_read_and_not_written() {
    let (disk, writer) = with_table(1);
    insert(&writer, 10).unwrap();
    disk.set_access(Access::ReadOnly);
    assert_eq!(code(&insert(&writer, 10).unwrap_err()), ffi::SQLITE_IOERR_WRITE);
    assert_eq!(count(&writer).unwrap(), 1);
    let second = Connection::open_with_flags_and_vfs(PATH, OpenFlags::default(), disk.vfs()).unwrap();
    assert_eq!(count(&second).unwrap(), 1);
    assert_eq!(insert(&second, 10).unwrap_err().sqlite_error_code(), Some(ErrorCode::ReadOnly));
    disk.set_access(Access::ReadWrite);
    insert(&writer, 10).unwrap();
    assert!(Connection::open_with_flags_and_vfs("/data/new.db", OpenFlags::default(), disk.vfs()).is_ok());
}

#[test]
fn a_flipped_bit_is_read_as_it_stands() {
    let (disk, connection) = with_table(1);
    for _ in 0..50 {
        insert(&connection, 300).unwrap();
    }
    connection.close().unwrap();
    let size = disk.image().file(PATH).unwrap().len();
    // The type of a page of the table: without it the page is none.
    assert!(size > 8192 && disk.flip_bit(PATH, 2 * 4096, 4) && !disk.flip_bit(PATH, size, 0));
    assert_eq!(count(&open(&disk)).unwrap_err().sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt));
    disk.reboot();
    assert!(count(&open(&disk)).is_err(), "the medium itself is damaged");
}

#[test]
fn a_disk_can_begin_with_the_files_of_another() {
    let (disk, connection) = with_table(1);
    insert(&connection, 10).unwrap();
    connection.close().unwrap();
    let copy = Disk::with_image(2, &disk.image());
    drop(disk);
    assert_eq!(copy.image().sizes().map(|(name, _)| name.to_owned()).collect::<Vec<_>>(), [PATH]);
    let connection = open(&copy);
    assert_eq!(count(&connection).unwrap(), 1);
    drop(copy);
    assert_eq!(count(&connection).unwrap(), 1, "an open connection outlives the disk's name");
}
