//! `sqlite3_vfs`: names, and opening files.

use std::{
    ffi::{CStr, CString, c_char, c_int},
    mem, ptr, slice,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use rusqlite::ffi;

use super::file::{File, Handle};
use crate::{
    faults::Access,
    machine::{Machine, OpenMode, Refusal},
};

/// The longest path, as SQLite's own VFS has it.
const MAX_PATH: c_int = 512;

/// SQLite's clock stands still at 2026-01-01, in milliseconds of the Julian day: nothing on this disk may depend
/// on the hour at which a test runs.
const NOW_MS: i64 = 212_633_985_600_000;

/// What SQLite knows of a disk.
pub(crate) struct Registered {
    vfs: *mut ffi::sqlite3_vfs,
    name: String,
}

// SAFETY: the pointer is used only to unregister, which SQLite does under its own lock from any thread.
unsafe impl Send for Registered {}
// SAFETY: as above; a shared reference gives out the name alone.
unsafe impl Sync for Registered {}

impl Registered {
    pub(crate) fn new(machine: &Arc<Mutex<Machine>>) -> Self {
        // SQLite's list of VFSs is the process's, so their names must be unique in it.
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("crash-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let c_name = CString::new(name.as_str()).expect("the name has no NUL");
        let path_limit = MAX_PATH + 1;
        // The VFS, its name and its link to the machine are leaked, some 300 bytes: a connection that outlives
        // the disk still holds the address of its VFS, and nothing tells when the last one has gone.
        let vfs = Box::into_raw(Box::new(ffi::sqlite3_vfs {
            iVersion: 2,
            szOsFile: c_int::try_from(mem::size_of::<File>()).expect("a few words"),
            mxPathname: path_limit,
            pNext: ptr::null_mut(),
            zName: c_name.into_raw(),
            pAppData: Box::into_raw(Box::new(Arc::downgrade(machine))).cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: Some(current_time),
            xGetLastError: Some(last_error),
            xCurrentTimeInt64: Some(current_time_ms),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        // SAFETY: `vfs` points to a complete sqlite3_vfs that is never freed.
        let code = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        assert_eq!(code, ffi::SQLITE_OK, "SQLite takes any number of VFSs");
        Self { vfs, name }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        // SAFETY: `vfs` was registered and is still allocated.
        unsafe { ffi::sqlite3_vfs_unregister(self.vfs) };
    }
}

/// The machine behind a VFS; `None` once its disk was dropped.
///
/// # Safety
/// `vfs` is one that [`Registered::new`] made.
unsafe fn machine(vfs: *mut ffi::sqlite3_vfs) -> Option<Arc<Mutex<Machine>>> {
    // SAFETY: ours by the caller's word; pAppData is the Weak that was leaked with it.
    let weak = unsafe { &*(*vfs).pAppData.cast::<Weak<Mutex<Machine>>>() };
    weak.upgrade()
}

pub(super) fn lock(machine: &Mutex<Machine>) -> MutexGuard<'_, Machine> {
    machine.lock().unwrap_or_else(PoisonError::into_inner)
}

/// # Safety
/// `name` points to a string that ends with NUL.
unsafe fn text(name: *const c_char) -> String {
    // SAFETY: by the caller's word.
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let file = file.cast::<File>();
    // SAFETY: SQLite gives szOsFile bytes for the file. Without methods it will not call xClose.
    unsafe { (*file).clear() };
    // SAFETY: SQLite passes the VFS it was given.
    let Some(machine) = (unsafe { machine(vfs) }) else { return ffi::SQLITE_CANTOPEN };
    // SAFETY: a name that is not null is a string of SQLite's.
    let name = (!name.is_null()).then(|| unsafe { text(name) });
    let mode = OpenMode {
        access: if flags & ffi::SQLITE_OPEN_READWRITE != 0 { Access::ReadWrite } else { Access::ReadOnly },
        create: flags & ffi::SQLITE_OPEN_CREATE != 0,
        must_be_new: flags & ffi::SQLITE_OPEN_EXCLUSIVE != 0,
    };
    let opened = match lock(&machine).open(name.as_deref(), mode) {
        Ok(opened) => opened,
        Err(Refusal::ReadOnly) => return ffi::SQLITE_READONLY_DIRECTORY,
        Err(Refusal::Io | Refusal::Full | Refusal::Missing) => return ffi::SQLITE_CANTOPEN,
    };
    if !out_flags.is_null() {
        let writable = ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE;
        let granted = match opened.access {
            Access::ReadWrite => flags,
            Access::ReadOnly => flags & !writable | ffi::SQLITE_OPEN_READONLY,
        };
        // SAFETY: not null, so it points to an int of SQLite's.
        unsafe { *out_flags = granted };
    }
    let journal = ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL;
    let handle = Handle {
        machine,
        opened,
        sync_directory: mode.create && flags & journal != 0,
        delete_on_close: flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0,
        name,
        regions: Vec::new(),
    };
    // SAFETY: as above; it is SQLite's file until xClose.
    unsafe { (*file).fill(handle) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_directory: c_int) -> c_int {
    // SAFETY: SQLite passes the VFS it was given.
    let Some(machine) = (unsafe { machine(vfs) }) else { return ffi::SQLITE_IOERR_DELETE };
    // SAFETY: SQLite names the file.
    let name = unsafe { text(name) };
    let deleted = lock(&machine).delete(&name, sync_directory != 0);
    match deleted {
        Ok(()) => ffi::SQLITE_OK,
        Err(Refusal::Missing) => ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(Refusal::Io | Refusal::Full | Refusal::ReadOnly) => ffi::SQLITE_IOERR_DELETE,
    }
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    result: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes the VFS it was given.
    let Some(machine) = (unsafe { machine(vfs) }) else { return ffi::SQLITE_IOERR_ACCESS };
    // SAFETY: SQLite names the file.
    let name = unsafe { text(name) };
    let machine = lock(&machine);
    let Ok(exists) = machine.exists(&name) else { return ffi::SQLITE_IOERR_ACCESS };
    let allowed = flags != ffi::SQLITE_ACCESS_READWRITE || machine.faults.access == Access::ReadWrite;
    // SAFETY: SQLite wants an int here.
    unsafe { *result = c_int::from(exists && allowed) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    size: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite names the file.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if usize::try_from(size).unwrap_or(0) < name.len() {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: `out` has `size` bytes, which are enough, and is a buffer of SQLite's own.
    unsafe { ptr::copy_nonoverlapping(name.as_ptr().cast(), out, name.len()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(vfs: *mut ffi::sqlite3_vfs, size: c_int, out: *mut c_char) -> c_int {
    let len = usize::try_from(size).unwrap_or(0);
    // SAFETY: SQLite passes the VFS it was given.
    let Some(machine) = (unsafe { machine(vfs) }) else { return 0 };
    // SAFETY: `out` has `size` bytes; it is only written here.
    let buffer = unsafe { slice::from_raw_parts_mut(out.cast::<u8>(), len) };
    lock(&machine).randomness(buffer);
    size
}

unsafe extern "C" fn sleep(_vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    thread::sleep(Duration::from_micros(u64::try_from(microseconds).unwrap_or(0)));
    microseconds
}

unsafe extern "C" fn current_time(_vfs: *mut ffi::sqlite3_vfs, days: *mut f64) -> c_int {
    // SAFETY: SQLite wants a double here.
    unsafe { *days = 2_461_041.5 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn current_time_ms(_vfs: *mut ffi::sqlite3_vfs, ms: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite wants an integer here.
    unsafe { *ms = NOW_MS };
    ffi::SQLITE_OK
}

unsafe extern "C" fn last_error(_vfs: *mut ffi::sqlite3_vfs, _size: c_int, _out: *mut c_char) -> c_int {
    0
}
